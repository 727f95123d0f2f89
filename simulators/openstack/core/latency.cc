#include "simulators/openstack/core/latency.h"

#include <cstdio>

#include <fmt/format.h>

#include "simulators/openstack/core/util.h"

namespace protector::ossim {
namespace {

using Classes = std::map<std::string, std::pair<int64_t, int64_t>>;

// What a mid-sized cloud takes, from the measured figures of real services and arrays.
const Classes& Realistic() {
  static const Classes classes = {
      {"keystone", {20, 40}},          {"nova_get", {40, 90}},
      {"nova_post", {200, 400}},       {"cinder_get", {30, 60}},
      {"cinder_post", {120, 250}},     {"neutron_get", {30, 60}},
      {"neutron_post", {200, 450}},    {"glance", {20, 40}},
      {"placement", {20, 40}},         {"nova_build", {5000, 10000}},
      {"nova_start", {1500, 3000}},    {"nova_stop", {1500, 4000}},
      {"nova_delete", {1000, 2000}},   {"nova_attach", {1000, 2000}},
      {"cinder_create", {800, 1500}},  {"cinder_manage", {1300, 1700}},
      {"cinder_unmanage", {600, 900}}, {"cinder_delete", {600, 1000}},
  };
  return classes;
}

}  // namespace

std::string Latency::Parse(const std::string& profile) {
  Classes classes;
  for (const std::string& part : Split(profile, ',')) {
    if (part == "zero") {
      classes.clear();
    } else if (part == "realistic") {
      classes = Realistic();
    } else {
      size_t equals = part.find('=');
      if (equals == std::string::npos) return fmt::format("latency '{}': neither a profile nor class=min:max", part);
      std::string name = part.substr(0, equals);
      if (Realistic().count(name) == 0) return fmt::format("latency '{}': there is no class '{}'", part, name);
      long long low = 0, high = 0;
      int n = std::sscanf(part.c_str() + equals + 1, "%lld:%lld", &low, &high);
      if (n == 1) high = low;
      if (n < 1 || low < 0 || high < low) return fmt::format("latency '{}': not min:max in milliseconds", part);
      classes[name] = {low, high};
    }
  }
  std::lock_guard<std::mutex> lock(mutex_);
  profile_ = profile;
  classes_ = std::move(classes);
  return "";
}

int64_t Latency::SampleMs(const std::string& name) const {
  std::lock_guard<std::mutex> lock(mutex_);
  auto it = classes_.find(name);
  if (it == classes_.end()) return 0;
  return it->second.first +
         static_cast<int64_t>(RandomUnit() * static_cast<double>(it->second.second - it->second.first + 1));
}

std::string Latency::profile() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return profile_;
}

Classes Latency::classes() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return classes_;
}

}  // namespace protector::ossim
