#pragma once
// The rules of a group's document that need no I/O: names, policies, mappings, placements. What GroupService, the readiness
// check and the operations all build on.
//
// Threads: pure functions. Failure: INVALID_ARGUMENT with the object and what is allowed.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "protector/group/v1/group.pb.h"

namespace protector::orchestrator {

namespace groupv1 = ::protector::group::v1;

// The array's own minimum for a replicated snapshot schedule, seconds.
inline constexpr int kMinReplicationInterval = 300;

// "network", "flavor", ... as used in messages and options.
std::string KindName(groupv1::MappingKind kind);
// "active", "failing_over", ... as shown to people.
std::string StatusName(groupv1::GroupStatus status);

absl::Status CheckGroupName(const std::string& name);

// Fills in defaults (fields at 0) and checks ranges and the name on the array. `stop_immediately`: stop_timeout 0 is meant.
absl::StatusOr<groupv1::Policy> CompletePolicy(groupv1::Policy policy, const std::string& group_name, bool stop_immediately);

// Kind given, both sides non-empty printable text of at most 255 bytes, no source twice for a kind.
absl::Status CheckMappings(const std::vector<groupv1::Mapping>& mappings);

// `over` on top of `base`: an entry with the same kind and source replaces the base's.
std::vector<groupv1::Mapping> MergeMappings(const std::vector<groupv1::Mapping>& base,
                                            const std::vector<groupv1::Mapping>& over);

// The stored mappings of one direction (empty set with both sites named when there are none).
groupv1::MappingSet StoredMappings(const groupv1::GroupDocument& group, const std::string& source_site,
                                   const std::string& target_site);
// Puts the set in place of the stored one of its direction.
void StoreMappings(groupv1::GroupDocument& group, const groupv1::MappingSet& set);

// The other of the group's two sites.
std::string OtherSite(const groupv1::GroupDocument& group, const std::string& site);

// The member's placement on a site; null when it has none there.
const groupv1::Placement* FindPlacement(const groupv1::Member& member, const std::string& site);
groupv1::Placement* FindPlacement(groupv1::Member& member, const std::string& site);

// Member by id, server name or id of its server on any site; null when there is none.
const groupv1::Member* FindMember(const groupv1::GroupDocument& group, const std::string& name_or_id);

// Name of the protection group or pod in use on a site.
std::string StorageName(const groupv1::GroupDocument& group, const std::string& site);

// Members in an order in which each comes after those it depends on; FAILED_PRECONDITION on a cycle.
absl::Status CheckDependencies(const groupv1::GroupDocument& group);

// The status of a group at rest on `primary`.
groupv1::GroupStatus RestingStatus(const groupv1::GroupDocument& group, const std::string& primary);

}  // namespace protector::orchestrator
