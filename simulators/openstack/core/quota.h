// Limits per project: the control plane sets them, services ask. -1 is no limit, and the default.
// Threads: the site's lock. Failure: none.
#pragma once

#include <cstdint>
#include <string>

#include "simulators/openstack/core/site.h"

namespace protector::ossim {

inline int64_t QuotaLimit(Site& site, const std::string& service, const std::string& project,
                          const std::string& resource) {
  const json* all = site.store.table("settings").Find("quota");
  if (all == nullptr) return -1;
  for (const std::string& scope : {project, std::string("default")}) {
    auto p = all->find(scope);
    if (p == all->end()) continue;
    auto s = p->find(service);
    if (s == p->end()) continue;
    auto r = s->find(resource);
    if (r != s->end() && r->is_number()) return r->get<int64_t>();
  }
  return -1;
}

inline void SetQuota(Site& site, const std::string& service, const std::string& project, const std::string& resource,
                     int64_t limit) {
  json all = Setting(site, "quota");
  all[project][service][resource] = limit;
  site.store.table("settings").Put("quota", all);
}

}  // namespace protector::ossim
