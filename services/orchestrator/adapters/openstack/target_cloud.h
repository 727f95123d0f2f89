#pragma once
// This site's cloud as a TargetCloudPort: where members are brought up.
//
// Threads: safe for all. Ownership: everything passed in outlives it. Failure: see target_cloud_port.h.

#include <memory>

#include "services/orchestrator/adapters/openstack/local_cloud.h"
#include "services/orchestrator/ports/sites_port.h"
#include "services/orchestrator/ports/target_cloud_port.h"

namespace protector::orchestrator {

// `sites` tells the Cinder host that volumes are managed on.
std::unique_ptr<TargetCloudPort> MakeTargetCloud(LocalCloud& cloud, SitesPort& sites);

}  // namespace protector::orchestrator
