#include "libs/cloudconfig/document.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <regex>

#include "libs/base/error.h"

namespace protector::cloudconfig {
namespace {

constexpr int kMaxDepth = 32;

bool OneOf(const std::string& text, std::initializer_list<const char*> words) {
  for (const char* word : words) {
    if (text == word) return true;
  }
  return false;
}

std::string PythonFloat(double value) {
  const std::string text = fmt::format("{}", value);
  return text.find_first_of(".eni") == std::string::npos ? text + ".0" : text;
}

std::string WithoutUnderscores(const std::string& text) {
  std::string plain;
  for (const char c : text) {
    if (c != '_') plain += c;
  }
  return plain;
}

// Whole numbers as Python prints them; decimal ones may have any number of digits.
std::string PythonInt(const std::string& text) {
  std::string digits = WithoutUnderscores(text);
  const bool negative = digits[0] == '-';
  if (digits[0] == '-' || digits[0] == '+') digits.erase(0, 1);
  if (digits.find(':') != std::string::npos) {  // base 60
    unsigned long long total = 0;
    for (size_t begin = 0; begin <= digits.size();) {
      const size_t colon = std::min(digits.find(':', begin), digits.size());
      total = total * 60 + std::strtoull(digits.substr(begin, colon - begin).c_str(), nullptr, 10);
      begin = colon + 1;
    }
    digits = std::to_string(total);
  } else if (digits.size() > 1 && digits[0] == '0') {
    const bool binary = digits[1] == 'b';
    const bool hex = digits[1] == 'x';
    digits = std::to_string(std::strtoull(digits.c_str() + (binary || hex ? 2 : 1), nullptr,
                                          binary ? 2
                                          : hex  ? 16
                                                 : 8));
  }
  return negative && digits != "0" ? "-" + digits : digits;
}

absl::StatusOr<json::Value> FromYaml(const YAML::Node& node, int depth);

// Members of the mappings that a "<<" key names; own members are set over them.
absl::Status Merge(const YAML::Node& source, int depth, json::Value& object) {
  if (source.IsSequence()) {
    for (size_t i = source.size(); i > 0; --i) {  // earlier ones win
      PROTECTOR_RETURN_IF_ERROR(Merge(source[i - 1], depth, object));
    }
    return absl::OkStatus();
  }
  PROTECTOR_ASSIGN_OR_RETURN(const json::Value merged, FromYaml(source, depth));
  for (const auto& [key, value] : merged.members()) object.Set(key, value);
  return absl::OkStatus();
}

absl::StatusOr<json::Value> FromYaml(const YAML::Node& node, int depth) {
  if (depth > kMaxDepth) return absl::InvalidArgumentError(fmt::format("nested more than {} deep", kMaxDepth));
  if (node.IsScalar()) {
    return node.Tag() == "?" ? PlainScalar(node.Scalar()) : json::Value(node.Scalar());
  }
  if (node.IsSequence()) {
    json::Value array = json::Value::Array();
    for (const YAML::Node& item : node) {
      PROTECTOR_ASSIGN_OR_RETURN(json::Value value, FromYaml(item, depth + 1));
      array.Append(std::move(value));
    }
    return array;
  }
  if (!node.IsMap()) return json::Value();
  json::Value object = json::Value::Object();
  for (const auto& member : node) {
    if (member.first.IsScalar() && member.first.Scalar() == "<<" && member.first.Tag() == "?") {
      PROTECTOR_RETURN_IF_ERROR(Merge(member.second, depth + 1, object));
    }
  }
  for (const auto& member : node) {
    if (!member.first.IsScalar()) return absl::InvalidArgumentError("a key is not a word");
    const std::string key = member.first.Scalar();
    if (key == "<<" && member.first.Tag() == "?") continue;
    PROTECTOR_ASSIGN_OR_RETURN(json::Value value, FromYaml(member.second, depth + 1));
    object.Set(key, std::move(value));
  }
  return object;
}

// A JSON document's numbers as text, like YAML's.
json::Value NumbersAsText(const json::Value& value) {
  if (value.IsInt()) return std::to_string(*value.AsInt());
  if (value.IsNumber()) return PythonFloat(*value.AsDouble());
  if (value.IsArray()) {
    json::Value array = json::Value::Array();
    for (const json::Value& item : value.items()) array.Append(NumbersAsText(item));
    return array;
  }
  if (!value.IsObject()) return value;
  json::Value object = json::Value::Object();
  for (const auto& [key, member] : value.members()) object.Set(key, NumbersAsText(member));
  return object;
}

absl::Status BadFile(const std::string& path, const std::string& cause) {
  return Error(absl::StatusCode::kInvalidArgument, "BAD_CLOUDS_FILE", fmt::format("cannot read {}: {}", path, cause))
      .Object("file " + path)
      .Remedy("Correct the file; its form is described in openstacksdk's documentation of clouds.yaml.");
}

}  // namespace

json::Value PlainScalar(const std::string& text) {
  static const std::regex kInt(
      "[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(:[0-5]?[0-9])+");
  static const std::regex kFloat("[-+]?[0-9][0-9_]*\\.[0-9_]*([eE][-+][0-9]+)?|\\.[0-9][0-9_]*([eE][-+][0-9]+)?");
  if (text.empty() || OneOf(text, {"~", "null", "Null", "NULL"})) return {};
  if (OneOf(text, {"yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})) return true;
  if (OneOf(text, {"no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})) return false;
  if (text.size() > 100 || text.find_first_of("0123456789") == std::string::npos) return text;
  if (std::regex_match(text, kInt)) return PythonInt(text);
  if (std::regex_match(text, kFloat)) return PythonFloat(std::strtod(WithoutUnderscores(text).c_str(), nullptr));
  return text;
}

absl::StatusOr<json::Value> ParseDocument(const std::string& path, const std::string& text) {
  if (path.size() >= 4 && path.compare(path.size() - 4, 4, "json") == 0) {
    const absl::StatusOr<json::Value> value = json::Parse(text);
    if (!value.ok()) return BadFile(path, MessageOf(value.status()));
    return NumbersAsText(*value);
  }
  try {
    absl::StatusOr<json::Value> value = FromYaml(YAML::Load(text), 0);
    if (!value.ok()) return BadFile(path, MessageOf(value.status()));
    return value;
  } catch (const YAML::Exception& error) {
    return BadFile(path,
                   fmt::format("not valid YAML at line {}, column {}", error.mark.line + 1, error.mark.column + 1));
  }
}

}  // namespace protector::cloudconfig
