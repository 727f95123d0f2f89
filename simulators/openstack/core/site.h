// What all services of the site share. Built once in app.cc; outlives every service and thread.
// Threads: each member says for itself; `store` is the site's lock. Failure: none here.
#pragma once

#include <string>

#include "simulators/openstack/core/config.h"
#include "simulators/openstack/core/faults.h"
#include "simulators/openstack/core/latency.h"
#include "simulators/openstack/core/request_journal.h"
#include "simulators/openstack/core/scheduler.h"
#include "simulators/openstack/core/store.h"

namespace protector::ossim {

struct Site {
  explicit Site(Config c) : config(std::move(c)), scheduler(24) {}

  Config config;
  json seed;  // the form that --print-seed prints
  Store store;
  Latency latency;
  Faults faults;
  RequestJournal requests;
  Scheduler scheduler;  // last: its threads end before what they use

  std::string ComputeHost() const { return seed.at("compute_host").get<std::string>(); }
  std::string VolumeHost() const { return seed.at("volume_host").get<std::string>(); }
  std::string ArrayName() const {
    std::string host = VolumeHost();
    return host.substr(host.find('#') + 1);
  }
  std::string Initiator() const { return "iqn.2004-10.org.openstack:" + ComputeHost(); }
};

// Settings that the control plane changes and that survive: policy, quotas, guests.
inline json Setting(Site& site, const std::string& name) {
  const json* doc = site.store.table("settings").Find(name);
  return doc == nullptr ? json::object() : *doc;
}

}  // namespace protector::ossim
