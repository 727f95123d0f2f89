#pragma once
// Asynchronous replication: protection groups. The group has the same name on both arrays; each array shows the other's
// as "other:name" (its face). Moving back re-uses the local group of the direction before: its members are replaced and
// it is switched on again. Recovery points of the rounds before stay until they are pruned, but are of volumes that the
// group does not have any more: when a round begins, what is there is put on record as stale, and never offered again.
//
// Threads: safe for all; changes of one group are serialised by the caller (authority.h). Failure: the contract's
// reasons. Dying in between: every step looks first and makes up the difference, so the same call again completes it.

#include "protector/storage/v1/storage.pb.h"
#include "services/storage-pure/domain/inventory.h"

namespace protector::storage {

class AsyncGroups {
 public:
  AsyncGroups(const Deps& deps, Inventory& inventory) : deps_(deps), inventory_(inventory) {}

  absl::StatusOr<v1::Protection> Ensure(const Scope& scope, const v1::EnsureProtectionRequest& request);
  absl::StatusOr<v1::Protection> Accept(const Scope& scope, const v1::AcceptProtectionRequest& request);
  absl::StatusOr<v1::Protection> Get(const Scope& scope, const std::string& name, const std::string& source_array);
  absl::StatusOr<v1::Protection> Suspend(const Scope& scope, const v1::SuspendProtectionRequest& request);
  absl::Status Remove(const Scope& scope, const v1::RemoveProtectionRequest& request);
  absl::StatusOr<v1::Protection> Refuse(const Scope& scope, const v1::RefuseReplicationRequest& request);

 private:
  absl::StatusOr<Group> Find(const Scope& scope, const std::string& name);  // live; PROTECTION_NOT_FOUND
  absl::Status Claim(const std::string& name, const std::string& group_id, const std::string& source_array);
  // A new round begins on this group or face: its snapshots are of the past. Before anything else of the round.
  absl::Status BeginRound(const Scope& scope, const std::string& name, const v1::Authority& authority,
                          const std::string& source_array, int64_t rounds_without_us);
  absl::Status MakeGroup(const Scope& scope, const std::string& name);
  absl::Status MatchMembers(const Scope& scope, const std::string& group, const std::string& group_id,
                            const google::protobuf::RepeatedPtrField<v1::Disk>& wanted);
  // FOREIGN_OBJECT unless all of these volumes in the array's group are disks of ours.
  absl::Status CheckExtra(const Scope& scope, const std::string& group, const std::string& group_id,
                          const std::vector<std::string>& extra);
  absl::Status AddTarget(const Scope& scope, const std::string& group, const std::string& target);
  absl::Status Schedule(const Scope& scope, const std::string& group, const protector::group::v1::Policy& policy);
  absl::Status AwaitFace(const Scope& scope, const std::string& face);

  Deps deps_;
  Inventory& inventory_;
};

absl::Status ProtectionNotFound(const std::string& name);

// Is this snapshot of the group or face from a round before the present one?
bool IsStale(const ProtectionRecord& record, const std::string& snapshot);

}  // namespace protector::storage
