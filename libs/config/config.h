#pragma once
// Configuration of a service: a YAML file whose keys were declared beforehand, each with a type, documentation and
// default. An unknown key, a wrong type, a missing required key or an unreadable secret is an error that names file,
// line, key and remedy; nothing is ever ignored. The same declaration prints the commented sample file.
//
//   config::Schema schema;
//   schema.Add({.path = "site", .doc = "Name of this site.", .required = true, .example = "site-a"});
//   schema.Add({.path = "sync.interval", .type = config::Type::kDuration, .doc = "...", .default_value = "5s"});
//   schema.AddList("arrays", "The arrays of this site.", config::Schema().Add(...));
//
// A value may be `${ENV:NAME}`, `${FILE:path}` (relative to the configuration file; one trailing newline is dropped) or
// `${CREDENTIAL:name}` (a systemd credential of the unit, which may be encrypted on disk: systemd-creds(1)): this is
// how secrets stay out of the file.
//
// Threads: values; a loaded Config may be read from any thread. Ownership: plain values. Failure: see above; reading a
// key that was not declared, or as another type, is a programming error and aborts.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace protector::config {

enum class Type { kString, kInteger, kNumber, kBoolean, kDuration, kStrings, kList };

class Schema;

struct Key {
  std::string path;  // dotted: "store.path"
  Type type = Type::kString;
  std::string doc;                 // one or more sentences; wrapped when printed
  std::string default_value = "";  // as written in YAML ("5s", "64", "true", "[a, b]"); of no use when required
  bool required = false;
  bool secret = false;          // never printed; the sample shows ${FILE:...} or ${ENV:...}
  std::string example = "";     // what the sample shows when there is no default
  int64_t minimum = INT64_MIN;  // of an integer
  int64_t maximum = INT64_MAX;
  std::vector<std::string> choices = {};    // of a string: nothing else is accepted
  std::shared_ptr<const Schema> item = {};  // of a list: the keys of each entry
};

class Config;

class Schema {
 public:
  Schema& Add(Key key);
  // A list of maps whose keys are those of `item`. Empty when absent, unless required.
  Schema& AddList(const std::string& path, const std::string& doc, const Schema& item, bool required = false);
  // All keys of `other` after ours.
  Schema& Append(const Schema& other);

  const std::vector<Key>& keys() const { return keys_; }

  // The commented sample: every key, in order of declaration. A service's deploy/config/<service>.sample.yaml is
  // exactly this text, and a test says so.
  std::string Sample(const std::string& title) const;

  // Reads and checks a file. All faults of the file are listed in one INVALID_ARGUMENT, a line each.
  absl::StatusOr<Config> LoadFile(const std::string& path) const;
  // The same for a text; `name` stands for the file in errors and for the base of relative ${FILE:...} paths.
  absl::StatusOr<Config> LoadText(const std::string& text, const std::string& name) const;

 private:
  std::vector<Key> keys_;
};

class Config {
 public:
  // True when the file gave the key (a default does not count).
  bool Has(const std::string& path) const;
  std::string GetString(const std::string& path) const;
  int64_t GetInteger(const std::string& path) const;
  double GetNumber(const std::string& path) const;
  bool GetBoolean(const std::string& path) const;
  absl::Duration GetDuration(const std::string& path) const;
  std::vector<std::string> GetStrings(const std::string& path) const;
  const std::vector<Config>& GetList(const std::string& path) const;
  // What a string key says now: the file of a ${FILE:...} or ${CREDENTIAL:...} is read again at each call, so that a
  // secret is rotated by writing its file. While that cannot be read or is empty, what it said last. The function may
  // be called from any thread and lives as long as somebody keeps it.
  std::function<std::string()> GetSecret(const std::string& path) const;
  // "file:line" of a key, for errors that only its user can find.
  std::string Where(const std::string& path) const;

 private:
  friend class Loader;
  struct Value {
    Type type = Type::kString;
    bool given = false;
    std::string where;
    std::string text;
    std::string file;  // that the text was read from; empty: it was not
    std::vector<std::string> strings;
    std::vector<Config> list;
  };
  const Value& At(const std::string& path, Type type) const;
  std::map<std::string, Value> values_;
};

}  // namespace protector::config
