#pragma once
// The clouds that files and environment define, before one of them is chosen.
//
// Threads: functions over an Env. Failure: as cloudconfig.h says.

#include <string>

#include "absl/status/statusor.h"
#include "libs/cloudconfig/cloudconfig.h"
#include "libs/json/json.h"

namespace protector::cloudconfig {

struct Sources {
  json::Value clouds = json::Value::Object();    // name -> settings, the environment's among them
  json::Value profiles = json::Value::Object();  // of clouds-public.yaml
  json::Value client;                            // the file's "client" section
  std::string config_file;                       // empty: none found
  std::string environment_name;                  // what the environment's cloud is or would be called
  std::string default_cloud;                     // empty: none, as there are several
};

absl::StatusOr<Sources> FindSources(const Env& env);

// What every cloud starts from.
json::Value Defaults();

// `update` over `base`; the members of "auth" one by one.
absl::Status UpdateCloud(json::Value& base, const json::Value& update);

}  // namespace protector::cloudconfig
