// Glance v2 (images without their bytes) and a minimal Placement. Threads: the site's lock. Failure: ApiError.
#pragma once

#include <memory>

#include "simulators/openstack/core/site.h"
#include "simulators/openstack/http/api_server.h"

namespace protector::ossim {

class Keystone;

class Glance {
 public:
  explicit Glance(Site& site) : site_(site) {}
  void Seed(Keystone& keystone);
  std::unique_ptr<Service> Build();

 private:
  json Show(const json& image);
  bool Visible(const Identity& who, const json& image);
  Site& site_;
};

std::unique_ptr<Service> BuildPlacement(Site& site);

}  // namespace protector::ossim
