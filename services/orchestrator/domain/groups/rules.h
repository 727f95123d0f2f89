#pragma once
// The rules of a group's document that need no I/O: names, policies, mappings, placements. What GroupService, the
// readiness check and the operations all build on.
//
// Threads: pure functions. Failure: INVALID_ARGUMENT with the object and what is allowed.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "protector/group/v1/group.pb.h"
#include "services/orchestrator/ports/contracts.h"

namespace protector::orchestrator {

// The array's own minimum for a replicated snapshot schedule, seconds.
inline constexpr int kMinReplicationInterval = 300;

// "network", "flavor", ... as used in messages and options.
std::string KindName(groups::MappingKind kind);
// "active", "failing_over", ... as shown to people.
std::string StatusName(groups::GroupStatus status);

absl::Status CheckGroupName(const std::string& name);

// A user's text for a message: itself, or a note when it cannot be printed.
std::string Trimmed(const std::string& text);

// Fills in defaults (fields at 0) and checks ranges and the name on the array. `stop_immediately`: stop_timeout 0 is
// meant.
absl::StatusOr<groups::Policy> CompletePolicy(groups::Policy policy, const std::string& group_name,
                                              bool stop_immediately);

// Kind given, both sides non-empty printable text of at most 255 bytes, no source twice for a kind.
absl::Status CheckMappings(const std::vector<groups::Mapping>& mappings);

// `over` on top of `base`: an entry with the same kind and source replaces the base's.
std::vector<groups::Mapping> MergeMappings(const std::vector<groups::Mapping>& base,
                                           const std::vector<groups::Mapping>& over);

// Those whose source, as name or id, no member has: they change nothing, and are most likely misspelled.
std::vector<groups::Mapping> UnusedMappings(const groups::GroupDocument& group,
                                            const std::vector<groups::Mapping>& mappings);

// The stored mappings of one direction (empty set with both sites named when there are none).
groups::MappingSet StoredMappings(const groups::GroupDocument& group, const std::string& source_site,
                                  const std::string& target_site);
// Puts the set in place of the stored one of its direction.
void StoreMappings(groups::GroupDocument& group, const groups::MappingSet& set);

// The other of the group's two sites.
std::string OtherSite(const groups::GroupDocument& group, const std::string& site);

// The member's placement on a site; null when it has none there.
const groups::Placement* FindPlacement(const groups::Member& member, const std::string& site);
groups::Placement* FindPlacement(groups::Member& member, const std::string& site);

// Member by id, server name or id of its server on any site; null when there is none.
const groups::Member* FindMember(const groups::GroupDocument& group, const std::string& name_or_id);

// Name of the protection group or pod in use on a site.
std::string StorageName(const groups::GroupDocument& group, const std::string& site);

// Members in an order in which each comes after those it depends on; FAILED_PRECONDITION on a cycle.
absl::Status CheckDependencies(const groups::GroupDocument& group);

// The status of a group at rest on `primary`.
groups::GroupStatus RestingStatus(const groups::GroupDocument& group, const std::string& primary);

}  // namespace protector::orchestrator
