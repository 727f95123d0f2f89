#pragma once
// CloudPort over libs/openstack.
//
// Threads: as CloudPort. Ownership: shares the cloud. Failure: libs/openstack's statuses.

#include <memory>
#include <string>

#include "libs/openstack/cloud.h"
#include "services/site-registry/ports/cloud_port.h"

namespace protector::site_registry {

struct CloudPlace {
  std::string auth_url;
  std::string region;     // empty: any
  std::string interface;  // public, internal, admin
};

std::unique_ptr<CloudPort> MakeCloudPort(std::shared_ptr<openstack::Cloud> cloud, const CloudPlace& place);

}  // namespace protector::site_registry
