// Choosing one cloud and merging what applies to it: defaults, profile, cloud, region, options; then the corrections of
// old spellings. The order of the steps is openstacksdk's and matters.

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "libs/base/error.h"
#include "libs/cloudconfig/cloudconfig.h"
#include "libs/cloudconfig/files.h"
#include "libs/cloudconfig/fixups.h"

namespace protector::cloudconfig {
namespace {

using json::Value;

absl::Status CloudNotFound(const std::string& name, const Sources& sources) {
  std::string known;
  for (const auto& [cloud, settings] : sources.clouds.members()) known += (known.empty() ? "" : ", ") + cloud;
  return Error(absl::StatusCode::kNotFound, "CLOUD_NOT_FOUND", fmt::format("cloud {} was not found", name))
      .Object("cloud " + name)
      .Remedy(
          sources.config_file.empty()
              ? "There is no clouds.yaml in the current directory, ~/.config/openstack or /etc/openstack; write one."
              : fmt::format("Known clouds: {} (from {} and the environment).", known, sources.config_file));
}

struct Region {
  std::string name;
  Value values = Value::Object();
};

absl::StatusOr<std::vector<Region>> ExpandRegions(const Value& list) {
  std::vector<Region> regions;
  for (const Value& entry : list.items()) {
    Region region;
    region.name = entry.IsObject() ? entry.GetStringOr("name", "") : Text(entry);
    const Value* values = entry.Find("values");
    if (values != nullptr && values->IsObject()) region.values = *values;
    const bool extra = entry.IsObject() && entry.size() > 1u + (values != nullptr ? 1u : 0u);
    if (entry.IsObject() && (!entry.Has("name") || extra)) {
      return Error(absl::StatusCode::kInvalidArgument, "BAD_CLOUDS_FILE", "an entry of \"regions\" is not a name")
          .Remedy("An entry is a name, or has the keys \"name\" and \"values\" and no others.");
    }
    regions.push_back(std::move(region));
  }
  return regions;
}

std::vector<Region> SplitRegions(const std::string& names) {
  std::vector<Region> regions;
  for (size_t begin = 0; begin <= names.size();) {
    const size_t comma = std::min(names.find(',', begin), names.size());
    regions.push_back({names.substr(begin, comma - begin), Value::Object()});
    begin = comma + 1;
  }
  return regions;
}

absl::StatusOr<std::vector<Region>> KnownRegions(const Value& cloud, const Value& profile) {
  for (const Value* source : {&cloud, &profile}) {
    const Value* regions = source->Find("regions");
    const Value* region_name = source->Find("region_name");
    const Value* dashed = source->Find("region-name");
    if (dashed != nullptr) region_name = dashed;
    if (regions != nullptr && (source == &cloud || regions->size() > 0)) return ExpandRegions(*regions);
    if (region_name != nullptr && region_name->IsArray()) return ExpandRegions(*region_name);
    if (region_name != nullptr && region_name->IsString()) {
      return source == &cloud ? SplitRegions(*region_name->AsString())
                              : std::vector<Region>{{*region_name->AsString(), Value::Object()}};
    }
  }
  return std::vector<Region>();
}

absl::StatusOr<Region> ChooseRegion(const std::string& cloud_name, const std::string& wanted,
                                    const std::vector<Region>& regions) {
  if (regions.empty()) return Region{wanted, Value::Object()};
  if (wanted.empty()) return regions.front();
  std::string known;
  for (const Region& region : regions) {
    if (region.name == wanted) return region;
    known += (known.empty() ? "" : ", ") + region.name;
  }
  return Error(absl::StatusCode::kInvalidArgument, "UNKNOWN_REGION",
               fmt::format("{} is not a region of cloud {}", wanted, cloud_name))
      .Object("region " + wanted)
      .Remedy(fmt::format("Regions of this cloud: {}. Upper and lower case matter.", known));
}

std::string ExpandHome(const std::string& path, const Env& env) {
  return path.rfind("~/", 0) == 0 ? env.HomeDirectory() + path.substr(1) : path;
}

Cloud Finish(const Value& config, const Env& env) {
  static const std::set<std::string> kOwnFields = {"auth_type",   "region_name", "interface",  "verify",
                                                   "insecure",    "cacert",      "cert",       "key",
                                                   "api_timeout", "force_ipv4",  "prefer_ipv6"};
  Cloud cloud;
  cloud.auth_type = config.GetStringOr("auth_type", "");
  if (cloud.auth_type.empty() || cloud.auth_type == "None") cloud.auth_type = "none";
  for (const auto& [key, value] : config.Find("auth")->members()) {
    if (!value.IsNull() && !value.IsObject() && !value.IsArray()) cloud.auth[key] = Text(value);
  }
  cloud.region_name = config.GetStringOr("region_name", "");
  cloud.interface = config.GetStringOr("interface", "public");
  const Value* verify = config.Find("verify");
  const bool refused = verify != nullptr && (Text(*verify) == "false" || Text(*verify) == "False");
  cloud.verify = !refused && !(config.Has("insecure") && IsTrue(*config.Find("insecure")));
  cloud.cacert = ExpandHome(config.GetStringOr("cacert", ""), env);
  cloud.cert = ExpandHome(config.GetStringOr("cert", ""), env);
  cloud.key = ExpandHome(config.GetStringOr("key", ""), env);
  if (const std::string timeout = config.GetStringOr("api_timeout", ""); !timeout.empty()) {
    char* end = nullptr;
    const double seconds = std::strtod(timeout.c_str(), &end);
    if (*end == '\0' && seconds > 0) cloud.api_timeout = seconds;
  }
  for (const auto& [key, value] : config.members()) {
    if (kOwnFields.count(key) == 0 && (value.IsString() || value.IsBool())) cloud.extra[key] = Text(value);
  }
  return cloud;
}

bool ForceIpv4(const Value& config, const Value& client, const std::map<std::string, std::string>& variables) {
  const auto setting = [&](const char* variable, const char* key, const char* old_key, bool otherwise) {
    if (const auto found = variables.find(variable); found != variables.end()) return IsTrue(Value(found->second));
    const Value* value = client.Find(key) != nullptr ? client.Find(key) : client.Find(old_key);
    return value == nullptr ? otherwise : IsTrue(*value);
  };
  bool force = setting("OS_FORCE_IPV4", "force_ipv4", "broken-ipv6", false) ||
               !setting("OS_PREFER_IPV6", "prefer_ipv6", "prefer-ipv6", true);
  if (const Value* own = config.Find("force_ipv4")) force = IsTrue(*own);
  if (const Value* prefer = config.Find("prefer_ipv6"); prefer != nullptr && !IsTrue(*prefer)) force = true;
  return force;
}

}  // namespace

absl::StatusOr<Cloud> Load(const Env& env, const Options& given) {
  Options options;
  for (const auto& [key, value] : given) options[Underscores(key)] = value;
  PROTECTOR_ASSIGN_OR_RETURN(const Sources sources, FindSources(env));
  const auto option = [&options](const std::string& key) {
    const auto found = options.find(key);
    return found == options.end() ? std::string() : found->second;
  };
  const std::string name = option("cloud").empty() ? sources.default_cloud : option("cloud");
  const Value* found = name.empty() ? nullptr : sources.clouds.Find(name);
  if (!name.empty() && found == nullptr) return CloudNotFound(name, sources);
  if (found != nullptr && !found->IsObject()) {
    return Error(absl::StatusCode::kInvalidArgument, "BAD_CLOUDS_FILE", fmt::format("cloud {} has no settings", name))
        .Object("cloud " + name)
        .Remedy(fmt::format("Write its settings below its name in {}, indented.", sources.config_file));
  }
  const Value own = found == nullptr ? Value::Object() : *found;

  const Value* profile_name = own.Find("profile") != nullptr ? own.Find("profile") : own.Find("cloud");
  const Value* profile = nullptr;
  if (IsSet(profile_name) && Text(*profile_name) != sources.environment_name)
    profile = sources.profiles.Find(Text(*profile_name));
  const Value vendor = profile == nullptr ? Value::Object() : *profile;

  Value config = Defaults();
  PROTECTOR_RETURN_IF_ERROR(UpdateCloud(config, vendor));
  if (!config.Has("auth")) config.Set("auth", Value::Object());
  PROTECTOR_RETURN_IF_ERROR(UpdateCloud(config, own));
  config.Erase("cloud");

  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Region> regions, KnownRegions(own, vendor));
  PROTECTOR_ASSIGN_OR_RETURN(const Region region,
                             ChooseRegion(name, option("region_name"), name.empty() ? std::vector<Region>() : regions));
  config.Erase("regions");
  config.Erase("region-name");
  Value values = Value::Object();
  for (const auto& [key, value] : region.values.members()) {
    if (!value.IsNull()) values.Set(key, value);
  }
  PROTECTOR_RETURN_IF_ERROR(UpdateCloud(config, values));
  config.Set("region_name", region.name);
  ApplyOptions(options, config);

  FixSpelling(config);
  FixDomain(config);
  if (const std::optional<std::string> url = config.GetString("auth.auth_url")) {
    PROTECTOR_ASSIGN_OR_RETURN(const std::string expanded, Expand(*url, config));
    config.FindMutable("auth")->Set("auth_url", expanded);
  }
  config = WithUnderscores(config);
  CollectAuth(config.GetStringOr("auth_type", "password"), config);

  Cloud cloud = Finish(config, env);
  cloud.name = name;
  cloud.config_file = name == sources.environment_name || name == "defaults" ? "" : sources.config_file;
  cloud.force_ipv4 = ForceIpv4(config, sources.client, env.Variables());
  return cloud;
}

absl::StatusOr<std::vector<std::string>> CloudNames(const Env& env) {
  PROTECTOR_ASSIGN_OR_RETURN(const Sources sources, FindSources(env));
  std::vector<std::string> names;
  for (const auto& [name, settings] : sources.clouds.members()) {
    if (name != "defaults") names.push_back(name);
  }
  return names;
}

}  // namespace protector::cloudconfig
