#include "libs/log/log.h"

#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <mutex>

#include "absl/time/clock.h"
#include "libs/base/error.h"
#include "libs/base/ids.h"

namespace protector::log {

// Where lines go and what every line begins with.
class Sink {
 public:
  Sink(Options options, std::function<void(const std::string&)> write)
      : options_(std::move(options)), write_(std::move(write)) {}

  const Options& options() const { return options_; }
  void Write(const std::string& line) {
    std::lock_guard lock(mutex_);
    write_(line);
  }

 private:
  const Options options_;
  std::mutex mutex_;
  std::function<void(const std::string&)> write_;
};

namespace {

using JsonWriter = rapidjson::Writer<rapidjson::StringBuffer>;

constexpr std::array<const char*, 4> kLevels = {"debug", "info", "warning", "error"};

// Text from outside may be anything; a line of the log is always valid UTF-8. Line breaks are escaped by the writer.
std::string AsUtf8(const std::string& text) {
  std::string visible = text;
  std::replace_if(
      visible.begin(), visible.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  if (IsPrintableUtf8(visible)) return text;
  std::string result = text;
  std::replace_if(
      result.begin(), result.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
  return result;
}

void String(JsonWriter& writer, const std::string& text) {
  const std::string safe = AsUtf8(text);
  writer.String(safe.data(), static_cast<rapidjson::SizeType>(safe.size()));
}

void Pair(JsonWriter& writer, const std::string& key, const std::string& value) {
  String(writer, key);
  String(writer, value);
}

void Append(JsonWriter& writer, const Field& field) {
  String(writer, field.key());
  if (IsSecretKey(field.key())) {
    writer.String(kRedacted);
  } else if (field.quoted()) {
    String(writer, field.value());
  } else {
    writer.RawValue(field.value().data(), field.value().size(), rapidjson::kNumberType);
  }
}

std::vector<Field> Joined(std::vector<Field> fields, const absl::Status& status) {
  for (Field& field : Field::Of(status)) fields.push_back(std::move(field));
  return fields;
}

}  // namespace

bool ParseLevel(const std::string& text, Level& level) {
  const auto* found = std::find(kLevels.begin(), kLevels.end(), text);
  if (found == kLevels.end()) return false;
  level = static_cast<Level>(found - kLevels.begin());
  return true;
}

Field::Field(std::string key, double value)
    : key_(std::move(key)), value_(std::isfinite(value) ? fmt::format("{}", value) : "null") {}

std::vector<Field> Field::Of(const absl::Status& status) {
  std::vector<Field> fields;
  if (status.ok()) return fields;
  fields.emplace_back("error", MessageOf(status));
  fields.emplace_back("error_code", absl::StatusCodeToString(status.code()));
  const ErrorDetail detail = DetailOf(status);
  if (!detail.reason.empty()) fields.emplace_back("reason", detail.reason);
  if (!detail.object.empty()) fields.emplace_back("object", detail.object);
  if (!detail.remedy.empty()) fields.emplace_back("remedy", detail.remedy);
  return fields;
}

std::vector<Field> Field::Of(const Purpose& purpose) {
  if (purpose.empty()) return {};
  std::vector<Field> fields = {{"operation", purpose.operation}};
  if (!purpose.step.empty()) fields.emplace_back("step", purpose.step);
  if (!purpose.task.empty()) fields.emplace_back("task", purpose.task);
  if (purpose.epoch != 0) fields.emplace_back("epoch", purpose.epoch);
  return fields;
}

bool IsSecretKey(const std::string& key) {
  std::string name;
  for (char c : key) name += c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  constexpr std::array<const char*, 9> kParts = {"password",      "passwd",     "passphrase",  "secret", "token",
                                                 "authorization", "credential", "private_key", "api_key"};
  return std::any_of(kParts.begin(), kParts.end(),
                     [&](const char* part) { return name.find(part) != std::string::npos; });
}

Logger Logger::ToStderr(const Options& options) {
  auto stderr_sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  stderr_sink->set_pattern("%v");
  auto out = std::make_shared<spdlog::logger>("json", std::move(stderr_sink));
  out->set_level(spdlog::level::trace);
  out->flush_on(spdlog::level::trace);
  return ToFunction(options, [out](const std::string& line) { out->log(spdlog::level::info, "{}", line); });
}

Logger Logger::ToFunction(const Options& options, std::function<void(const std::string& line)> write) {
  Logger logger;
  logger.sink_ = std::make_shared<Sink>(options, std::move(write));
  return logger;
}

Logger Logger::With(std::vector<Field> fields) const {
  Logger child = *this;
  std::vector<Field> all = context_ ? *context_ : std::vector<Field>();
  for (Field& field : fields) all.push_back(std::move(field));
  child.context_ = std::make_shared<const std::vector<Field>>(std::move(all));
  return child;
}

bool Logger::Enabled(Level level) const {
  return sink_ != nullptr && level >= sink_->options().level;
}

void Logger::Write(Level level, const std::string& message, const std::vector<Field>& fields) const {
  if (!Enabled(level)) return;
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  Pair(writer, "time", absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone()));
  Pair(writer, "level", kLevels[static_cast<size_t>(level)]);
  Pair(writer, "service", sink_->options().service);
  Pair(writer, "site", sink_->options().site);
  Pair(writer, "message", message);
  if (context_) {
    for (const Field& field : *context_) Append(writer, field);
  }
  for (const Field& field : fields) Append(writer, field);
  writer.EndObject();
  sink_->Write(std::string(buffer.GetString(), buffer.GetSize()));
}

void Logger::Debug(const std::string& message, std::vector<Field> fields) const {
  Write(Level::kDebug, message, fields);
}
void Logger::Info(const std::string& message, std::vector<Field> fields) const {
  Write(Level::kInfo, message, fields);
}
void Logger::Warning(const std::string& message, std::vector<Field> fields) const {
  Write(Level::kWarning, message, fields);
}
void Logger::Error(const std::string& message, std::vector<Field> fields) const {
  Write(Level::kError, message, fields);
}
void Logger::Warning(const std::string& message, const absl::Status& status, std::vector<Field> fields) const {
  if (Enabled(Level::kWarning)) Write(Level::kWarning, message, Joined(std::move(fields), status));
}
void Logger::Error(const std::string& message, const absl::Status& status, std::vector<Field> fields) const {
  if (Enabled(Level::kError)) Write(Level::kError, message, Joined(std::move(fields), status));
}

}  // namespace protector::log
