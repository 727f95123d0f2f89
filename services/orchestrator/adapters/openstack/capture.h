#pragma once
// Reads everything about servers that is needed to make them again on another site (design section 6): Nova for the
// server and its devices, Cinder for the volumes, Neutron for ports, subnets and security groups.
//
// Threads: safe for all. Ownership: borrows the cloud for the call. Failure: SERVER_NOT_FOUND, SERVER_AMBIGUOUS,
// SERVER_STATE (it is neither running nor stopped), VOLUME_NOT_REPLICATED (it boots from a local disk), or the cloud's
// own error. Changes nothing.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/openstack/cloud.h"
#include "protector/group/v1/group.pb.h"

namespace protector::orchestrator {

// `cloud` is scoped to the project that owns the servers. Members in the order of the names, each with one placement
// (SERVING on `site`, without array names, which only storage-pure knows) and no id. What all servers of a project
// share is read once however many they are; the first failure ends it.
absl::StatusOr<std::vector<group::v1::Member>> CaptureServers(openstack::Cloud& cloud,
                                                              const openstack::CallContext& call,
                                                              const std::string& site,
                                                              const std::vector<std::string>& names_or_ids,
                                                              absl::Time now);

// Keys of server or volume metadata and tags that this product or a driver owns; they are neither captured nor copied.
bool IsOwnKey(const std::string& key);

}  // namespace protector::orchestrator
