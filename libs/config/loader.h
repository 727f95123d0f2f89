#pragma once
// Turns a YAML tree into a Config by a Schema, gathering every fault on the way. Internal to libs/config.
//
// Threads: used by one. Ownership: refers to the schema while it runs. Failure: gathered in faults().

#include <optional>
#include <string>
#include <vector>

#include "libs/config/config.h"

namespace YAML {
class Node;
}

namespace protector::config {

// A file that holds one secret, without its last newline; nullopt: it cannot be read.
std::optional<std::string> ReadSecretFile(const std::string& path);

class Loader {
 public:
  Loader(std::string file, std::string directory) : file_(std::move(file)), directory_(std::move(directory)) {}

  // Fills `config` with every key of `schema`. `where` is the place to name for keys that are missing.
  void Map(const YAML::Node& node, const Schema& schema, const std::string& where, Config& config);
  const std::vector<std::string>& faults() const { return faults_; }

 private:
  void Entries(const YAML::Node& node, const std::string& prefix, const Schema& schema, Config& config);
  void Given(const YAML::Node& node, const Key& key, Config& config);
  void Defaults(const Schema& schema, const std::string& where, Config& config);
  void Convert(const YAML::Node& node, const Key& key, Config::Value& value);
  // `file`: told where the text was read from; may be null.
  bool Expand(const std::string& where, const Key& key, std::string& text, std::string* file = nullptr);
  void CheckScalar(const Key& key, const Config::Value& value);
  void Fault(const std::string& where, const std::string& text);
  std::string At(const YAML::Node& node) const;

  const std::string file_;
  const std::string directory_;
  std::vector<std::string> faults_;
};

}  // namespace protector::config
