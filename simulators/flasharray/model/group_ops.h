// Protection groups: members, targets, snapshots, retention, copies, and the faces of other arrays' groups.
//
// Threads: called inside a Tx. Ownership: none. Failure: ApiError with the vendor's text.
#pragma once

#include <string>
#include <vector>

#include "simulators/flasharray/model/db.h"

namespace protector::fasim {

using GroupPtr = Table<ProtectionGroup>::Ptr;
using GroupSnapshotPtr = Table<GroupSnapshot>::Ptr;

ProtectionGroup CreateGroup(Tx& tx, const std::string& name);
ProtectionGroup RenameGroup(Tx& tx, const GroupPtr& group, const std::string& new_name);
ProtectionGroup DestroyGroup(Tx& tx, const GroupPtr& group);
ProtectionGroup RecoverGroup(Tx& tx, const GroupPtr& group);
void EradicateGroup(Tx& tx, const GroupPtr& group);

enum class MemberKind { kVolume, kHost, kHostGroup };
std::vector<std::string>& MembersOf(ProtectionGroup& group, MemberKind kind);
void AddMember(Tx& tx, const GroupPtr& group, MemberKind kind, const std::string& id, const std::string& name);
void RemoveMember(Tx& tx, const GroupPtr& group, MemberKind kind, const std::string& id, const std::string& name);

void AddTarget(Tx& tx, const GroupPtr& group, const std::string& array_name);
void RemoveTarget(Tx& tx, const GroupPtr& group, const std::string& array_name);
// On the target, for a face. Taking the allowance back throws away what is half transferred.
void SetAllowed(Tx& tx, const GroupPtr& face, bool allowed);
// Drops the half-transferred snapshots of a face.
void DropPartial(Tx& tx, const GroupPtr& face);

struct SnapshotRequest {
  std::string suffix;  // empty: a rising number
  bool replicate = false, replicate_now = false, apply_retention = false, for_replication = false;
};
GroupSnapshot SnapshotGroup(Tx& tx, const GroupPtr& group, const SnapshotRequest& request);
// Queues the transfer of a snapshot to one target, or to all of its group's (empty). Targets that do not allow it get
// nothing.
void QueueTransfers(Tx& tx, const GroupSnapshot& snapshot, const std::string& target_id, bool now);
GroupSnapshot DestroyGroupSnapshot(Tx& tx, const GroupSnapshotPtr& snapshot);
GroupSnapshot RecoverGroupSnapshot(Tx& tx, const GroupSnapshotPtr& snapshot);
void EradicateGroupSnapshot(Tx& tx, const GroupSnapshotPtr& snapshot);
bool IsComplete(Tx& tx, const GroupSnapshot& snapshot);

// New volumes (or the same-named ones, overwritten) from a group's newest complete snapshot or a given one.
void CopyGroup(Tx& tx, const GroupPtr& into, const std::string& source_name, bool overwrite);

// Thins out the snapshots that carry apply_retention.
void ApplyRetention(Tx& tx, const GroupPtr& group, double scale);

std::vector<Table<Volume>::Ptr> VolumesOf(Tx& tx, const ProtectionGroup& group);
std::string BaselineId(const std::string& scope, const std::string& array_id, const std::string& volume_uid);

}  // namespace protector::fasim
