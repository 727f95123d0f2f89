#pragma once
// Structured log: one JSON object a line on standard error, with service, site, level, time, message and the fields
// that the caller adds (operation, step, task, epoch, request_id ...). A value whose key looks like a secret (password,
// token, secret, api_token, x-auth-token ...) is replaced before it is written.
//
// A Logger is a small value: copy it, hand it down, make a child with With(). One that was made by its default
// constructor discards everything, which is what most unit tests want.
//
// Threads: every method may be called from any thread; a line is never torn. Ownership: loggers share their sink.
// Failure: a line that cannot be written is lost; logging never fails an operation.

#include <concepts>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "libs/base/purpose.h"

namespace protector::log {

enum class Level { kDebug, kInfo, kWarning, kError };

// "debug", "info", "warning", "error"; anything else is false.
bool ParseLevel(const std::string& text, Level& level);

// A key and its value. Numbers and booleans are written as such.
class Field {
 public:
  Field(std::string key, std::string value) : key_(std::move(key)), value_(std::move(value)), quoted_(true) {}
  Field(std::string key, const char* value) : Field(std::move(key), std::string(value)) {}
  Field(std::string key, bool value) : key_(std::move(key)), value_(value ? "true" : "false") {}
  template <std::integral T>
  Field(std::string key, T value) : key_(std::move(key)), value_(std::to_string(value)) {}
  Field(std::string key, double value);
  // Code, message and, if present, reason, object and remedy, as "error", "error_code", "reason", "object", "remedy".
  static std::vector<Field> Of(const absl::Status& status);
  // "operation", "step", "task", "epoch"; nothing for a call that belongs to no operation.
  static std::vector<Field> Of(const Purpose& purpose);

  const std::string& key() const { return key_; }
  const std::string& value() const { return value_; }
  bool quoted() const { return quoted_; }

 private:
  std::string key_;
  std::string value_;
  bool quoted_ = false;
};

struct Options {
  std::string service;
  std::string site;
  Level level = Level::kInfo;
};

class Sink;

class Logger {
 public:
  Logger() = default;  // discards
  static Logger ToStderr(const Options& options);
  // Each finished line (without its newline) is handed to `write`, one at a time. For tests.
  static Logger ToFunction(const Options& options, std::function<void(const std::string& line)> write);

  // A logger that adds these fields to every line.
  Logger With(std::vector<Field> fields) const;

  void Debug(const std::string& message, std::vector<Field> fields = {}) const;
  void Info(const std::string& message, std::vector<Field> fields = {}) const;
  void Warning(const std::string& message, std::vector<Field> fields = {}) const;
  void Error(const std::string& message, std::vector<Field> fields = {}) const;
  // The same with the status' fields added.
  void Warning(const std::string& message, const absl::Status& status, std::vector<Field> fields = {}) const;
  void Error(const std::string& message, const absl::Status& status, std::vector<Field> fields = {}) const;

  bool Enabled(Level level) const;
  void Write(Level level, const std::string& message, const std::vector<Field>& fields) const;

 private:
  std::shared_ptr<Sink> sink_;
  std::shared_ptr<const std::vector<Field>> context_;
};

// True for a key whose value must not be written: password, passwd, secret, token, api_token, x-auth-token,
// authorization, credential(s), private_key ... in any case and with '-' or '_'.
bool IsSecretKey(const std::string& key);

// What stands in place of a secret.
inline constexpr char kRedacted[] = "[redacted]";

}  // namespace protector::log
