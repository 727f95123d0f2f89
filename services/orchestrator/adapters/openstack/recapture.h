#pragma once
// Captures members anew and puts the result in the place of what was captured before: position of volumes, array names
// and serials, placements on the other site, boot order and dependencies stay.
//
// Threads: safe for all. Ownership: borrows. Failure: MEMBER_CHANGED when volumes were attached or detached since
// (their protection has to follow: remove the member and add it again), or as CaptureServers.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/openstack/cloud.h"
#include "protector/group/v1/group.pb.h"

namespace protector::orchestrator {

absl::StatusOr<std::vector<group::v1::Member>> Recapture(openstack::Cloud& cloud, const openstack::CallContext& call,
                                                         const std::string& site,
                                                         const std::vector<group::v1::Member>& members, absl::Time now);

// The part without I/O. `fresh` as CaptureServers gives it.
absl::StatusOr<group::v1::Member> MergeCapture(const group::v1::Member& member, const group::v1::Member& fresh,
                                               const std::string& site);

}  // namespace protector::orchestrator
