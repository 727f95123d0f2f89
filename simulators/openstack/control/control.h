// The control plane under /sim: state, journal, faults, ledger, policy, quotas, guests. No token: it is for tests.
// Threads: requests run concurrently; each takes the site's lock where it needs it. Failure: 400 with {"error": ...}.
#pragma once

#include <memory>
#include <string>

#include "simulators/openstack/cinder/cinder.h"
#include "simulators/openstack/core/site.h"
#include "simulators/openstack/guest/guests.h"
#include "simulators/openstack/guest/ledger.h"
#include "simulators/openstack/http/listener.h"
#include "simulators/openstack/http/router.h"
#include "simulators/openstack/keystone/keystone.h"
#include "simulators/openstack/nova/nova.h"

namespace protector::ossim {

class Control {
 public:
  Control(Site& site, Keystone& keystone, Nova& nova, Guests& guests, Ledger& ledger);
  std::string Start();
  void Stop();

 private:
  WireResponse Serve(const WireRequest& wire);
  json State();
  Response Ledgers(Request& r);
  Response ReadBack(Request& r);
  void AddRoutes();

  Site& site_;
  Keystone& keystone_;
  Nova& nova_;
  Guests& guests_;
  Ledger& ledger_;
  int64_t started_ms_;
  Router router_;
  std::unique_ptr<Listener> listener_;
};

}  // namespace protector::ossim
