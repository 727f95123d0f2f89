#include "libs/config/loader.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "absl/strings/numbers.h"

namespace protector::config {
namespace {

const char* Expected(Type type) {
  switch (type) {
    case Type::kString:
      return "a text";
    case Type::kInteger:
      return "a whole number";
    case Type::kNumber:
      return "a number";
    case Type::kBoolean:
      return "true or false";
    case Type::kDuration:
      return "a duration such as 500ms, 30s, 5m or 2h";
    case Type::kStrings:
      return "a list of texts";
    case Type::kList:
      return "a list of maps";
  }
  return "";
}

bool HasForm(Type type, const std::string& text) {
  int64_t integer = 0;
  double number = 0;
  absl::Duration duration;
  switch (type) {
    case Type::kInteger:
      return absl::SimpleAtoi(text, &integer);
    case Type::kNumber:
      return absl::SimpleAtod(text, &number);
    case Type::kBoolean:
      return text == "true" || text == "false";
    case Type::kDuration:
      return absl::ParseDuration(text, &duration) && duration >= absl::ZeroDuration();
    default:
      return true;
  }
}

const Key* Find(const Schema& schema, const std::string& path) {
  for (const Key& key : schema.keys()) {
    if (key.path == path) return &key;
  }
  return nullptr;
}

bool IsGroup(const Schema& schema, const std::string& path) {
  const std::string prefix = path + ".";
  return std::any_of(schema.keys().begin(), schema.keys().end(),
                     [&](const Key& key) { return key.path.compare(0, prefix.size(), prefix) == 0; });
}

// A secret's text is never shown, not even when it is of the wrong form.
std::string Shown(const Key& key, const std::string& text) {
  return key.secret ? "(secret)" : fmt::format("\"{}\"", text);
}

}  // namespace

std::optional<std::string> ReadSecretFile(const std::string& path) {
  std::ifstream stream(path);
  std::string content{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (!stream.is_open() || stream.bad()) return std::nullopt;
  if (!content.empty() && content.back() == '\n') content.pop_back();
  return content;
}

void Loader::Fault(const std::string& where, const std::string& text) {
  faults_.push_back(fmt::format("{}: {}", where, text));
}

std::string Loader::At(const YAML::Node& node) const {
  return fmt::format("{}:{}", file_, node.Mark().line + 1);
}

void Loader::Map(const YAML::Node& node, const Schema& schema, const std::string& where, Config& config) {
  if (node.IsMap()) {
    Entries(node, "", schema, config);
  } else if (!node.IsNull()) {
    Fault(where, "a map of keys is expected here");
    return;
  }
  Defaults(schema, where, config);
}

void Loader::Entries(const YAML::Node& node, const std::string& prefix, const Schema& schema, Config& config) {
  std::set<std::string> seen;
  for (const auto& entry : node) {
    if (!entry.first.IsScalar()) {
      Fault(At(entry.first), "a key has to be a text");
      continue;
    }
    const std::string path = prefix + entry.first.Scalar();
    if (!seen.insert(path).second) {
      Fault(At(entry.first), fmt::format("key \"{}\" is given twice", path));
    } else if (const Key* key = Find(schema, path)) {
      config.values_[path].where = At(entry.first);
      Given(entry.second, *key, config);
    } else if (IsGroup(schema, path)) {
      if (entry.second.IsMap()) {
        Entries(entry.second, path + ".", schema, config);
      } else if (!entry.second.IsNull()) {
        Fault(At(entry.first), fmt::format("key \"{}\" has to be a map", path));
      }
    } else {
      Fault(At(entry.first), fmt::format("unknown key \"{}\"", path));
    }
  }
}

void Loader::Given(const YAML::Node& node, const Key& key, Config& config) {
  Config::Value& value = config.values_[key.path];
  value.type = key.type;
  value.given = true;
  Convert(node, key, value);
}

void Loader::Defaults(const Schema& schema, const std::string& where, Config& config) {
  for (const Key& key : schema.keys()) {
    if (config.values_.count(key.path) != 0) continue;
    Config::Value& value = config.values_[key.path];
    value.type = key.type;
    value.where = where;
    if (key.required) {
      Fault(where, fmt::format("required key \"{}\" is missing", key.path));
    } else if (!key.default_value.empty()) {
      Convert(YAML::Load(key.default_value), key, value);
    }
  }
}

void Loader::Convert(const YAML::Node& node, const Key& key, Config::Value& value) {
  const auto wrong = [&](const YAML::Node& at, const std::string& found) {
    Fault(value.where.empty() ? At(at) : value.where,
          fmt::format("key \"{}\" has to be {}, not {}", key.path, Expected(key.type), found));
  };
  if (key.type == Type::kStrings || key.type == Type::kList) {
    if (!node.IsSequence()) return wrong(node, node.IsScalar() ? Shown(key, node.Scalar()) : "a map or nothing");
    for (const auto& item : node) {
      if (key.type == Type::kList) {
        value.list.emplace_back();
        Map(item, *key.item, At(item), value.list.back());
        continue;
      }
      if (!item.IsScalar()) return wrong(item, "a list of something else");
      std::string text = item.Scalar();
      if (Expand(At(item), key, text)) value.strings.push_back(std::move(text));
    }
    return;
  }
  if (!node.IsScalar()) return wrong(node, node.IsNull() ? "empty" : "a list or a map");
  value.text = node.Scalar();
  if (!Expand(value.where, key, value.text, &value.file)) return;
  if (!HasForm(key.type, value.text)) return wrong(node, Shown(key, value.text));
  CheckScalar(key, value);
}

void Loader::CheckScalar(const Key& key, const Config::Value& value) {
  int64_t integer = 0;
  if (key.type == Type::kInteger && absl::SimpleAtoi(value.text, &integer) &&
      (integer < key.minimum || integer > key.maximum)) {
    Fault(value.where, fmt::format("key \"{}\" has to be between {} and {}, not {}", key.path, key.minimum, key.maximum,
                                   value.text));
  }
  if (!key.choices.empty() && std::find(key.choices.begin(), key.choices.end(), value.text) == key.choices.end()) {
    Fault(value.where, fmt::format("key \"{}\" has to be one of {}, not {}", key.path, fmt::join(key.choices, ", "),
                                   Shown(key, value.text)));
  }
  if (key.required && key.type == Type::kString && value.text.empty()) {
    Fault(value.where, fmt::format("required key \"{}\" is empty", key.path));
  }
}

bool Loader::Expand(const std::string& where, const Key& key, std::string& text, std::string* file) {
  if (text.rfind("${", 0) != 0) return true;
  const auto colon = text.find(':');
  const std::string kind = text.substr(2, colon == std::string::npos ? std::string::npos : colon - 2);
  if (text.back() != '}' || colon == std::string::npos || (kind != "ENV" && kind != "FILE" && kind != "CREDENTIAL")) {
    Fault(where,
          fmt::format("key \"{}\": a reference has the form ${{ENV:NAME}}, ${{FILE:path}} or ${{CREDENTIAL:name}}",
                      key.path));
    return false;
  }
  const std::string name = text.substr(colon + 1, text.size() - colon - 2);
  if (kind == "ENV") {
    const char* found = std::getenv(name.c_str());
    if (found == nullptr) {
      Fault(where, fmt::format("key \"{}\": the environment variable {} is not set", key.path, name));
      return false;
    }
    text = found;
    return true;
  }
  const char* credentials = std::getenv("CREDENTIALS_DIRECTORY");
  if (kind == "CREDENTIAL" && credentials == nullptr) {
    Fault(where, fmt::format("key \"{}\": no credentials were given to this unit (LoadCredential=)", key.path));
    return false;
  }
  const std::filesystem::path path = std::filesystem::path(kind == "FILE" ? directory_ : credentials) / name;
  const std::optional<std::string> content = ReadSecretFile(path.string());
  if (!content) {
    Fault(where, fmt::format("key \"{}\": the file {} cannot be read", key.path, path.string()));
    return false;
  }
  if (file != nullptr) *file = path.string();
  text = *content;
  return true;
}

}  // namespace protector::config
