#include "simulators/flasharray/model/group_ops.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "simulators/flasharray/model/naming.h"
#include "simulators/flasharray/model/volume_ops.h"

namespace protector::fasim {
namespace {

void CheckLocal(const GroupPtr& group) {
  if (!group->is_local) throw ApiError(group->name, "Protection group is not local to this array.");
  if (group->destroyed) throw ApiError(group->name, "Protection group has been destroyed.");
}

void CheckNotRatcheted(const GroupPtr& group) {
  if (group->retention_lock == "ratcheted") {
    throw ApiError(group->name, "Protection group has a ratcheted retention lock.");
  }
}

template <class T>
bool Contains(const std::vector<T>& list, const T& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

const char* MemberWord(MemberKind kind) {
  return kind == MemberKind::kVolume ? "Volume" : (kind == MemberKind::kHost ? "Host" : "Host group");
}

}  // namespace

std::string BaselineId(const std::string& scope, const std::string& array_id, const std::string& volume_uid) {
  return scope + "/" + array_id + "/" + volume_uid;
}

ProtectionGroup CreateGroup(Tx& tx, const std::string& name) {
  const PodName parsed = ParsePodName(name);
  CheckPlainName("Protection group", name, parsed.base);
  if (const auto other = tx.tables().groups.ByName(name)) {
    throw ApiError(name, other->destroyed ? "Protection group already exists. It has been destroyed."
                                          : "Protection group already exists.");
  }
  ProtectionGroup group;
  if (!parsed.pod.empty()) {
    const auto pod = tx.tables().pods.ByName(parsed.pod);
    if (!pod || pod->destroyed) throw ApiError(name, "Pod does not exist.");
    CheckWritablePod(tx, pod->id, name);
    group.pod_id = pod->id;
  }
  group.id = NewUuid();
  group.name = name;
  tx.Put(group);
  return group;
}

ProtectionGroup RenameGroup(Tx& tx, const GroupPtr& row, const std::string& new_name) {
  CheckLocal(row);
  const PodName old_name = ParsePodName(row->name);
  PodName name = ParsePodName(new_name);
  if (name.pod.empty()) name.pod = old_name.pod;
  if (Lower(name.pod) != Lower(old_name.pod)) throw ApiError(row->name, "Protection group cannot change its pod.");
  CheckPlainName("Protection group", new_name, name.base);
  const std::string full = (name.pod.empty() ? "" : name.pod + "::") + name.base;
  const auto other = tx.tables().groups.ByName(full);
  if (other && other->id != row->id) throw ApiError(full, "Protection group already exists.");
  ProtectionGroup group = *row;
  group.name = full;
  tx.Put(group);
  for (const auto& snapshot_row : tx.tables().group_snapshots.Where("group:" + group.id)) {
    GroupSnapshot snapshot = *snapshot_row;
    const std::string old_prefix = snapshot.name;
    snapshot.source_name = full;
    snapshot.name = full + "." + snapshot.suffix;
    tx.Put(snapshot);
    for (const auto& member : tx.tables().snapshots.Where("group_snapshot:" + snapshot.id)) {
      Snapshot changed = *member;
      changed.name = snapshot.name + member->name.substr(old_prefix.size());
      tx.Put(changed);
    }
  }
  return group;
}

ProtectionGroup DestroyGroup(Tx& tx, const GroupPtr& row) {
  if (row->destroyed) throw ApiError(row->name, "Protection group has been destroyed.");
  CheckNotRatcheted(row);
  ProtectionGroup group = *row;
  group.destroyed = true;
  group.eradicate_at = tx.now() + tx.array().eradication_delay;
  tx.Put(group);
  for (const auto& snapshot : tx.tables().group_snapshots.Where("group:" + group.id)) {
    if (!snapshot->destroyed) DestroyGroupSnapshot(tx, snapshot);
  }
  return group;
}

ProtectionGroup RecoverGroup(Tx& tx, const GroupPtr& row) {
  if (!row->destroyed) throw ApiError(row->name, "Protection group is not destroyed.");
  ProtectionGroup group = *row;
  group.destroyed = false;
  group.eradicate_at = 0;
  tx.Put(group);
  for (const auto& snapshot : tx.tables().group_snapshots.Where("group:" + group.id)) {
    if (snapshot->destroyed && snapshot->eradicate_at >= row->eradicate_at) RecoverGroupSnapshot(tx, snapshot);
  }
  return group;
}

void EradicateGroup(Tx& tx, const GroupPtr& group) {
  if (!group->destroyed) throw ApiError(group->name, "Protection group is not destroyed.");
  CheckNotRatcheted(group);
  for (const auto& snapshot : tx.tables().group_snapshots.Where("group:" + group->id)) {
    if (!snapshot->destroyed) DestroyGroupSnapshot(tx, snapshot);
    EradicateGroupSnapshot(tx, tx.tables().group_snapshots.Find(snapshot->id));
  }
  const std::string scope = group->is_local ? group->id : group->source_group_id;
  for (const auto& base : tx.tables().baselines.All(scope + "/")) {
    tx.images().Drop(base->image);
    tx.Erase(*base);
  }
  tx.Erase(*group);
}

std::vector<std::string>& MembersOf(ProtectionGroup& group, MemberKind kind) {
  return kind == MemberKind::kVolume ? group.volumes : (kind == MemberKind::kHost ? group.hosts : group.host_groups);
}

void AddMember(Tx& tx, const GroupPtr& row, MemberKind kind, const std::string& id, const std::string& name) {
  CheckLocal(row);
  ProtectionGroup group = *row;
  auto& members = MembersOf(group, kind);
  if (Contains(members, id))
    throw ApiError(name, fmt::format("Protection group {} already includes {}.", row->name, name));
  const std::size_t others = group.volumes.size() + group.hosts.size() + group.host_groups.size() - members.size();
  if (others != 0) throw ApiError(name, "Protection group already includes members of another kind.");
  if (kind == MemberKind::kVolume) {
    const auto volume = tx.tables().volumes.Find(id);
    if (volume->destroyed) throw ApiError(name, "Volume has been destroyed.");
    if (volume->pod_id != group.pod_id) throw ApiError(name, "Volume and protection group are not in the same pod.");
  }
  members.push_back(id);
  tx.Put(group);
}

void RemoveMember(Tx& tx, const GroupPtr& row, MemberKind kind, const std::string& id, const std::string& name) {
  CheckLocal(row);
  CheckNotRatcheted(row);
  ProtectionGroup group = *row;
  auto& members = MembersOf(group, kind);
  if (!Contains(members, id)) {
    throw ApiError(name, fmt::format("{} does not exist in protection group {}.", MemberWord(kind), row->name));
  }
  std::erase(members, id);
  tx.Put(group);
}

void AddTarget(Tx& tx, const GroupPtr& row, const std::string& array_name) {
  CheckLocal(row);
  const auto connection = tx.tables().array_connections.ByName(array_name);
  if (!connection) throw ApiError(array_name, "Array connection does not exist.");
  for (const GroupTarget& target : row->targets) {
    if (target.array_id == connection->id) {
      throw ApiError(array_name, fmt::format("Protection group {} already includes {}.", row->name, array_name));
    }
  }
  ProtectionGroup group = *row;
  group.targets.push_back({connection->id, connection->name, false, false});
  tx.Put(group);
}

void RemoveTarget(Tx& tx, const GroupPtr& row, const std::string& array_name) {
  CheckLocal(row);
  CheckNotRatcheted(row);
  ProtectionGroup group = *row;
  const auto found = std::find_if(group.targets.begin(), group.targets.end(), [&](const GroupTarget& target) {
    return Lower(target.array_name) == Lower(array_name);
  });
  if (found == group.targets.end()) throw ApiError(array_name, "Target does not exist.");
  for (const auto& transfer : tx.tables().transfers.Where("open:" + found->array_id)) {
    if (transfer->group_id == row->id) tx.Erase(*transfer);
  }
  group.targets.erase(found);
  tx.Put(group);
}

void DropPartial(Tx& tx, const GroupPtr& face) {
  for (const auto& snapshot : tx.tables().group_snapshots.Where("group:" + face->id)) {
    if (IsComplete(tx, *snapshot)) continue;
    for (const auto& member : tx.tables().snapshots.Where("group_snapshot:" + snapshot->id)) {
      tx.images().Drop(member->image);
      tx.Erase(*member);
    }
    for (const auto& transfer : tx.tables().transfers.Where("group_snapshot:" + snapshot->id)) tx.Erase(*transfer);
    tx.Erase(*snapshot);
  }
}

void SetAllowed(Tx& tx, const GroupPtr& row, bool allowed) {
  if (row->is_local)
    throw ApiError(row->name, "Protection group is local to this array; its targets allow it themselves.");
  if (row->destroyed) throw ApiError(row->name, "Protection group has been destroyed.");
  ProtectionGroup face = *row;
  for (GroupTarget& target : face.targets) {
    if (allowed && target.allowed) {
      throw ApiError(row->name, fmt::format("Protection group is already allowed on {}.", target.array_name));
    }
    target.allowed = allowed;
  }
  tx.Put(face);
  if (!allowed) DropPartial(tx, row);
}

std::vector<Table<Volume>::Ptr> VolumesOf(Tx& tx, const ProtectionGroup& group) {
  std::map<std::string, Table<Volume>::Ptr> found;
  const auto add = [&](const std::string& id) {
    const auto volume = tx.tables().volumes.Find(id);
    if (volume && !volume->destroyed) found.emplace(Lower(volume->name), volume);
  };
  for (const std::string& id : group.volumes) add(id);
  const auto add_connected = [&](const std::string& key) {
    for (const auto& connection : tx.tables().connections.Where(key)) add(connection->volume_id);
  };
  for (const std::string& id : group.hosts) {
    add_connected("host:" + id);
    const auto host = tx.tables().hosts.Find(id);
    if (host && !host->hgroup_id.empty()) add_connected("hgroup:" + host->hgroup_id);
  }
  for (const std::string& id : group.host_groups) {
    add_connected("hgroup:" + id);
    for (const auto& host : tx.tables().hosts.Where("hgroup:" + id)) add_connected("host:" + host->id);
  }
  std::vector<Table<Volume>::Ptr> out;
  for (const auto& [name, volume] : found) out.push_back(volume);
  return out;
}

GroupSnapshot SnapshotGroup(Tx& tx, const GroupPtr& row, const SnapshotRequest& request) {
  CheckLocal(row);
  if (request.replicate && request.replicate_now) throw ApiError("Invalid combination of parameters specified.");
  const bool replicate = request.replicate || request.replicate_now;
  if (replicate && row->targets.empty()) throw ApiError(row->name, "Protection group does not have any targets.");
  ProtectionGroup group = *row;
  GroupSnapshot snapshot;
  snapshot.suffix = request.suffix;
  if (request.suffix.empty()) {
    do {
      snapshot.suffix = std::to_string(group.next_suffix++);
    } while (tx.tables().group_snapshots.ByName(group.name + "." + snapshot.suffix));
    tx.Put(group);
  } else {
    CheckSuffix(row->name, request.suffix);
  }
  snapshot.name = group.name + "." + snapshot.suffix;
  if (tx.tables().group_snapshots.ByName(snapshot.name)) {
    throw ApiError(snapshot.name, "Protection group snapshot already exists.");
  }
  snapshot.id = NewUuid();
  snapshot.group_id = group.id;
  snapshot.source_name = group.name;
  snapshot.pod_id = group.pod_id;
  snapshot.created = tx.now();
  snapshot.apply_retention = request.apply_retention;
  if (request.for_replication) snapshot.local_until = tx.now() + 3600000;
  tx.Put(snapshot);
  for (const auto& volume : VolumesOf(tx, group)) {
    Snapshot member;
    member.id = NewUuid();
    member.suffix = snapshot.suffix;
    member.name = snapshot.name + "." + ParseVolumeName(volume->name).base;
    member.serial = tx.NextSerial();
    member.source_id = volume->id;
    member.source_name = volume->name;
    member.pod_id = volume->pod_id;
    member.group_snapshot_id = snapshot.id;
    member.created = snapshot.created;
    member.provisioned = volume->provisioned;
    member.tags = volume->tags;
    member.image = tx.images().Clone(volume->image);
    tx.Put(member);
  }
  if (replicate) QueueTransfers(tx, snapshot, "", request.replicate_now);
  return snapshot;
}

void QueueTransfers(Tx& tx, const GroupSnapshot& snapshot, const std::string& target_id, bool now) {
  const auto group = tx.tables().groups.Find(snapshot.group_id);
  if (!group) return;
  for (const GroupTarget& target : group->targets) {
    if (!target.allowed || (!target_id.empty() && target.array_id != target_id)) continue;
    Transfer transfer;
    transfer.id = snapshot.id + "/" + target.array_id;
    transfer.group_snapshot_id = snapshot.id;
    transfer.group_id = group->id;
    transfer.target_id = target.array_id;
    transfer.target_name = target.array_name;
    transfer.now = now;
    transfer.queued = tx.now();
    tx.Put(transfer);
  }
}

bool IsComplete(Tx& tx, const GroupSnapshot& snapshot) {
  if (!snapshot.remote) return true;
  for (const auto& transfer : tx.tables().transfers.Where("group_snapshot:" + snapshot.id)) {
    if (!transfer->outbound && transfer->state != "completed") return false;
  }
  return true;
}

GroupSnapshot DestroyGroupSnapshot(Tx& tx, const GroupSnapshotPtr& row) {
  if (row->destroyed) throw ApiError(row->name, "Protection group snapshot has been destroyed.");
  GroupSnapshot snapshot = *row;
  snapshot.destroyed = true;
  snapshot.eradicate_at = tx.now() + tx.array().eradication_delay;
  tx.Put(snapshot);
  for (const auto& member_row : tx.tables().snapshots.Where("group_snapshot:" + row->id)) {
    if (member_row->destroyed) continue;
    Snapshot member = *member_row;
    member.destroyed = true;
    member.eradicate_at = snapshot.eradicate_at;
    tx.Put(member);
  }
  return snapshot;
}

GroupSnapshot RecoverGroupSnapshot(Tx& tx, const GroupSnapshotPtr& row) {
  if (!row->destroyed) throw ApiError(row->name, "Protection group snapshot is not destroyed.");
  GroupSnapshot snapshot = *row;
  snapshot.destroyed = false;
  snapshot.eradicate_at = 0;
  tx.Put(snapshot);
  for (const auto& member_row : tx.tables().snapshots.Where("group_snapshot:" + row->id)) {
    if (!member_row->destroyed || member_row->eradicate_at != row->eradicate_at) continue;
    Snapshot member = *member_row;
    member.destroyed = false;
    member.eradicate_at = 0;
    tx.Put(member);
  }
  return snapshot;
}

void EradicateGroupSnapshot(Tx& tx, const GroupSnapshotPtr& row) {
  if (!row->destroyed) throw ApiError(row->name, "Protection group snapshot is not destroyed.");
  for (const auto& member : tx.tables().snapshots.Where("group_snapshot:" + row->id)) {
    tx.images().Drop(member->image);
    tx.Erase(*member);
  }
  for (const auto& transfer : tx.tables().transfers.Where("group_snapshot:" + row->id)) tx.Erase(*transfer);
  tx.Erase(*row);
}

void CopyGroup(Tx& tx, const GroupPtr& into, const std::string& source_name, bool overwrite) {
  GroupSnapshotPtr snapshot = tx.tables().group_snapshots.ByName(source_name);
  if (const auto group = tx.tables().groups.ByName(source_name)) {
    for (const auto& row : tx.tables().group_snapshots.Where("group:" + group->id)) {
      if (row->destroyed || !IsComplete(tx, *row)) continue;
      if (!snapshot || row->created > snapshot->created) snapshot = row;
    }
    if (!snapshot) throw ApiError(source_name, "Protection group does not have any snapshots.");
  }
  if (!snapshot) throw ApiError(source_name, "Protection group or snapshot does not exist.");
  if (snapshot->destroyed) throw ApiError(source_name, "Protection group snapshot has been destroyed.");
  if (!IsComplete(tx, *snapshot))
    throw ApiError(source_name, "Protection group snapshot has not been fully replicated.");
  ProtectionGroup group = *into;
  for (const auto& member : tx.tables().snapshots.Where("group_snapshot:" + snapshot->id)) {
    const std::string base = member->name.substr(snapshot->name.size() + 1);
    const std::string pod = ParsePodName(into->name).pod;
    const std::string name = (pod.empty() ? "" : pod + "::") + base;
    const Source source = FindSource(tx, member->name, "");
    const auto existing = tx.tables().volumes.ByName(name);
    if (existing && !overwrite) throw ApiError(name, "Volume already exists.");
    const std::string id = existing ? OverwriteVolume(tx, existing, source).id
                                    : CreateVolume(tx, {name, 0, source, "regular", 0, 0, false}).id;
    if (!Contains(group.volumes, id)) group.volumes.push_back(id);
  }
  tx.Put(group);
}

void ApplyRetention(Tx& tx, const GroupPtr& group, double scale) {
  const Retention& policy = group->is_local ? group->source_retention : group->target_retention;
  auto rows = tx.tables().group_snapshots.Where("group:" + group->id);
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a->created > b->created; });
  std::map<std::int64_t, std::int64_t> kept_on_day;
  bool newest = true;
  for (const auto& row : rows) {
    if (row->destroyed || !IsComplete(tx, *row)) continue;
    if (row->local_until != 0 && row->local_until <= tx.now() &&
        tx.tables().transfers.CountWhere("group_snapshot:" + row->id) != 0) {
      bool open = false;
      for (const auto& transfer : tx.tables().transfers.Where("group_snapshot:" + row->id)) {
        open = open || transfer->state == "queued" || transfer->state == "active";
      }
      if (!open) DestroyGroupSnapshot(tx, row);
      continue;
    }
    if (!row->apply_retention) continue;
    const double age_seconds = static_cast<double>(tx.now() - row->created) / 1000.0 * scale;
    const bool keep_always = newest || age_seconds < static_cast<double>(policy.all_for_sec);
    newest = false;
    if (keep_always) continue;
    const auto day = static_cast<std::int64_t>((age_seconds - static_cast<double>(policy.all_for_sec)) / 86400.0);
    if (day < policy.days && kept_on_day[day]++ < policy.per_day) continue;
    bool open = false;
    for (const auto& transfer : tx.tables().transfers.Where("group_snapshot:" + row->id)) {
      open = open || transfer->state == "queued" || transfer->state == "active";
    }
    if (!open) DestroyGroupSnapshot(tx, row);
  }
}

}  // namespace protector::fasim
