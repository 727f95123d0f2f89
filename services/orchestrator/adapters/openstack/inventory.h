#pragma once
// Collects what domain/check needs to know of this site's cloud, in about ten list calls.
//
// Threads: safe for all. Ownership: borrows the cloud for the call. Failure: the first call that fails, with what was
// being read. Changes nothing.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/openstack/cloud.h"
#include "services/orchestrator/domain/check/inventory.h"

namespace protector::orchestrator {

// `cloud` is scoped to `project_id`.
absl::StatusOr<Inventory> CollectInventory(openstack::Cloud& cloud, const openstack::CallContext& call,
                                           const std::string& site, const std::string& project_id);

// Volume types with what their extra specs say of replication.
absl::StatusOr<std::vector<VolumeTypeFacts>> ReadVolumeTypes(openstack::Cloud& cloud,
                                                             const openstack::CallContext& call);

}  // namespace protector::orchestrator
