#include "libs/cloudconfig/files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "libs/base/error.h"
#include "libs/cloudconfig/document.h"

namespace protector::cloudconfig {
namespace {

using Variables = std::map<std::string, std::string>;

std::string Variable(const Variables& variables, const std::string& name, const std::string& otherwise = "") {
  const auto found = variables.find(name);
  return found == variables.end() ? otherwise : found->second;
}

std::vector<std::string> SearchPath(const Env& env, const Variables& variables) {
  const std::string home_config = env.HomeDirectory() + "/.config";
  const std::string snap_home = Variable(variables, "SNAP_REAL_HOME");
  // Every directory of XDG_CONFIG_DIRS gets the name appended and all together are taken as one path: that is what
  // openstacksdk does, so that with more than one of them this place is never found.
  std::string site;
  for (const char c : Variable(variables, "XDG_CONFIG_DIRS", "/etc/xdg")) {
    site += c == ':' ? std::string("/openstack:") : std::string(1, c);
  }
  return {env.WorkingDirectory(), Variable(variables, "XDG_CONFIG_HOME", home_config) + "/openstack",
          (snap_home.empty() ? home_config : snap_home + "/.config") + "/openstack", site + "/openstack",
          "/etc/openstack"};
}

struct Found {
  std::string path;
  json::Value content;
};

// The first file there is; places are not merged.
absl::StatusOr<Found> FindFile(const Env& env, const std::string& base, const std::string& named,
                               const std::vector<std::string>& directories) {
  std::vector<std::string> candidates;
  if (!named.empty()) candidates.push_back(named);
  for (const std::string& directory : directories) {
    for (const char* suffix : {".yaml", ".yml", ".json"}) candidates.push_back(directory + "/" + base + suffix);
  }
  for (const std::string& path : candidates) {
    const std::optional<std::string> text = env.ReadFile(path);
    if (!text.has_value()) continue;
    PROTECTOR_ASSIGN_OR_RETURN(json::Value content, ParseDocument(path, *text));
    if (!content.IsNull() && !content.IsObject()) {
      return Error(absl::StatusCode::kInvalidArgument, "BAD_CLOUDS_FILE", path + " does not hold a mapping")
          .Object("file " + path)
          .Remedy("Begin the file with \"clouds:\".");
    }
    return Found{path, std::move(content)};
  }
  return Found{};
}

void MergeDeep(json::Value& base, const json::Value& over) {
  for (const auto& [key, value] : over.members()) {
    json::Value* present = base.FindMutable(key);
    if (value.IsObject() && present != nullptr && present->IsObject()) {
      MergeDeep(*present, value);
    } else {
      base.Set(key, value);
    }
  }
}

bool StartsWith(const std::string& text, const char* prefix) {
  return text.rfind(prefix, 0) == 0;
}

// The cloud that OS_* variables describe; null when they only choose one.
json::Value EnvironmentCloud(const Variables& variables) {
  static const std::set<std::string> kSelectors = {"OS_CLOUD", "OS_REGION_NAME", "OS_CLIENT_CONFIG_FILE",
                                                   "OS_CLIENT_SECURE_FILE", "OS_CLOUD_NAME"};
  json::Value cloud = Defaults();
  bool described = false;
  for (const auto& [name, value] : variables) {
    if (!StartsWith(name, "OS_") || StartsWith(name, "OS_TEST") || StartsWith(name, "OS_STD") ||
        StartsWith(name, "OS_LOG")) {
      continue;
    }
    std::string key = name.substr(3);
    std::transform(key.begin(), key.end(), key.begin(), [](unsigned char c) { return std::tolower(c); });
    cloud.Set(key, value);
    described = described || kSelectors.count(name) == 0;
  }
  return described ? cloud : json::Value();
}

}  // namespace

json::Value Defaults() {
  return json::Value::Object({{"auth_type", "password"},
                              {"interface", "public"},
                              {"network_api_version", "2"},
                              {"object_store_api_version", "1"},
                              {"verify", true},
                              {"cacert", nullptr},
                              {"cert", nullptr},
                              {"key", nullptr},
                              {"api_timeout", nullptr}});
}

absl::Status UpdateCloud(json::Value& base, const json::Value& update) {
  for (const auto& [key, value] : update.members()) {
    json::Value* present = base.FindMutable(key);
    if (key != "auth") {
      base.Set(key, value);
    } else if (!value.IsObject()) {
      return Error(absl::StatusCode::kInvalidArgument, "BAD_CLOUDS_FILE", "\"auth\" of a cloud is not a mapping")
          .Remedy("Write auth_url, username and the like below \"auth:\", indented.");
    } else if (present != nullptr && present->IsObject()) {
      for (const auto& [name, setting] : value.members()) present->Set(name, setting);
    } else {
      base.Set(key, value);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Sources> FindSources(const Env& env) {
  const Variables variables = env.Variables();
  const std::vector<std::string> directories = SearchPath(env, variables);
  PROTECTOR_ASSIGN_OR_RETURN(Found config,
                             FindFile(env, "clouds", Variable(variables, "OS_CLIENT_CONFIG_FILE"), directories));
  PROTECTOR_ASSIGN_OR_RETURN(const Found secure,
                             FindFile(env, "secure", Variable(variables, "OS_CLIENT_SECURE_FILE"), directories));
  PROTECTOR_ASSIGN_OR_RETURN(const Found vendor, FindFile(env, "clouds-public", "", directories));
  MergeDeep(config.content, secure.content);

  Sources sources;
  sources.config_file = config.path;
  if (const json::Value* clouds = config.content.Find("clouds"); clouds != nullptr && clouds->IsObject()) {
    sources.clouds = *clouds;
  }
  if (const json::Value* client = config.content.Find("client")) sources.client = *client;
  if (const json::Value* profiles = vendor.content.Find("public-clouds")) sources.profiles = *profiles;

  sources.environment_name = Variable(variables, "OS_CLOUD_NAME", "envvars");
  if (sources.clouds.Has(sources.environment_name)) {
    return Error(absl::StatusCode::kInvalidArgument, "CLOUD_NAME_TAKEN",
                 fmt::format("{} defines a cloud named \"{}\", which is the name of the environment's own cloud",
                             sources.config_file, sources.environment_name))
        .Object("cloud " + sources.environment_name)
        .Remedy("Rename the cloud in the file, or set OS_CLOUD_NAME to another name.");
  }
  sources.default_cloud = Variable(variables, "OS_CLOUD");
  json::Value environment = EnvironmentCloud(variables);
  if (!environment.IsNull()) {
    sources.clouds.Set(sources.environment_name, std::move(environment));
    if (sources.default_cloud.empty()) sources.default_cloud = sources.environment_name;
  }
  if (sources.default_cloud.empty() && sources.clouds.size() == 1) {
    sources.default_cloud = sources.clouds.members().front().first;
  }
  if (sources.clouds.size() == 0) {
    sources.clouds.Set("defaults", Defaults());
    sources.default_cloud = "defaults";
  }
  return sources;
}

}  // namespace protector::cloudconfig
