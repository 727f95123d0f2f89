#pragma once
// This site's cloud as a SourceCloudPort: what its own operations use for members that are there already, and what
// answers the other site's orchestrator (transport/peer).
//
// What if a call is repeated or its answer was lost: stop, start, lock, unlock, delete and unmanage are looked at first
// and answered with already = true when nothing is left to do; Nova and Cinder accept each of them twice.
//
// Threads: safe for all. Ownership: everything passed in outlives it. Failure: see peer.proto.

#include <memory>

#include "services/orchestrator/adapters/openstack/local_cloud.h"
#include "services/orchestrator/domain/authority/authority.h"
#include "services/orchestrator/ports/source_cloud_port.h"

namespace protector::orchestrator {

std::unique_ptr<SourceCloudPort> MakeLocalSourceCloud(LocalCloud& cloud, EpochGuard& guard);

}  // namespace protector::orchestrator
