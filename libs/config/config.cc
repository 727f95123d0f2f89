#include "libs/config/config.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>

#include "absl/strings/numbers.h"
#include "libs/base/error.h"
#include "libs/config/loader.h"

namespace protector::config {
namespace {

[[noreturn]] void Misuse(const std::string& path, const char* what) {
  std::fprintf(stderr, "configuration key \"%s\" %s\n", path.c_str(), what);
  std::abort();
}

absl::Status Invalid(const std::string& name, const std::string& message) {
  return Error(absl::StatusCode::kInvalidArgument, "CONFIG_INVALID", message)
      .Object("configuration " + name)
      .Remedy("Correct the file; --print-sample-config shows every key with its meaning and default.");
}

}  // namespace

Schema& Schema::Add(Key key) {
  keys_.push_back(std::move(key));
  return *this;
}

Schema& Schema::AddList(const std::string& path, const std::string& doc, const Schema& item, bool required) {
  Key key;
  key.path = path;
  key.type = Type::kList;
  key.doc = doc;
  key.required = required;
  key.item = std::make_shared<const Schema>(item);
  return Add(std::move(key));
}

Schema& Schema::Append(const Schema& other) {
  for (const Key& key : other.keys_) keys_.push_back(key);
  return *this;
}

absl::StatusOr<Config> Schema::LoadFile(const std::string& path) const {
  std::ifstream stream(path);
  std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (!stream.is_open() || stream.bad() || std::filesystem::is_directory(path)) {
    return Error(absl::StatusCode::kNotFound, "CONFIG_UNREADABLE",
                 fmt::format("cannot read the configuration {}", path))
        .Object("configuration " + path)
        .Remedy("Name an existing, readable file with --config; --print-sample-config prints one to begin with.");
  }
  return LoadText(text, path);
}

absl::StatusOr<Config> Schema::LoadText(const std::string& text, const std::string& name) const {
  try {
    const YAML::Node root = YAML::Load(text);
    Loader loader(name, std::filesystem::path(name).parent_path().string());
    Config config;
    loader.Map(root, *this, name + ":1", config);
    if (!loader.faults().empty()) return Invalid(name, fmt::format("{}", fmt::join(loader.faults(), "\n")));
    return config;
  } catch (const YAML::Exception& e) {
    return Invalid(name, fmt::format("{}:{}: {}", name, e.mark.line + 1, e.msg));
  }
}

const Config::Value& Config::At(const std::string& path, Type type) const {
  const auto found = values_.find(path);
  if (found == values_.end()) Misuse(path, "was read but never declared");
  if (found->second.type != type) Misuse(path, "was read as another type than declared");
  return found->second;
}

bool Config::Has(const std::string& path) const {
  const auto found = values_.find(path);
  return found != values_.end() && found->second.given;
}

std::string Config::GetString(const std::string& path) const {
  return At(path, Type::kString).text;
}

std::function<std::string()> Config::GetSecret(const std::string& path) const {
  struct Last {
    std::mutex mutex;
    std::string text;
  };
  const Value& value = At(path, Type::kString);
  auto last = std::make_shared<Last>();
  last->text = value.text;
  return [last, file = value.file] {
    const std::lock_guard lock(last->mutex);
    if (!file.empty()) {
      if (const auto text = ReadSecretFile(file); text && !text->empty()) last->text = *text;
    }
    return last->text;
  };
}

int64_t Config::GetInteger(const std::string& path) const {
  int64_t value = 0;
  if (!absl::SimpleAtoi(At(path, Type::kInteger).text, &value)) return 0;
  return value;
}

double Config::GetNumber(const std::string& path) const {
  double value = 0;
  if (!absl::SimpleAtod(At(path, Type::kNumber).text, &value)) return 0;
  return value;
}

bool Config::GetBoolean(const std::string& path) const {
  return At(path, Type::kBoolean).text == "true";
}

absl::Duration Config::GetDuration(const std::string& path) const {
  absl::Duration value;
  if (!absl::ParseDuration(At(path, Type::kDuration).text, &value)) return absl::ZeroDuration();
  return value;
}

std::vector<std::string> Config::GetStrings(const std::string& path) const {
  return At(path, Type::kStrings).strings;
}

const std::vector<Config>& Config::GetList(const std::string& path) const {
  return At(path, Type::kList).list;
}

std::string Config::Where(const std::string& path) const {
  const auto found = values_.find(path);
  if (found == values_.end()) Misuse(path, "was never declared");
  return found->second.where;
}

}  // namespace protector::config
