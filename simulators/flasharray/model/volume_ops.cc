#include "simulators/flasharray/model/volume_ops.h"

#include <fmt/format.h>

#include "simulators/flasharray/model/naming.h"

namespace protector::fasim {
namespace {

constexpr std::uint64_t kSector = 512;
constexpr std::uint64_t kSmallest = std::uint64_t{1} << 20;
constexpr std::uint64_t kLargest = std::uint64_t{4} << 50;

void CheckSize(const std::string& context, std::uint64_t provisioned) {
  if (provisioned % kSector != 0) throw ApiError(context, "Volume size must be a multiple of 512 bytes.");
  if (provisioned < kSmallest || provisioned > kLargest) {
    throw ApiError(context, "Volume size must be between 1M and 4P.");
  }
}

void CheckNameFree(Tx& tx, const std::string& name) {
  const VolumePtr other = tx.tables().volumes.ByName(name);
  if (!other) return;
  throw ApiError(name, other->destroyed ? "Volume already exists. It has been destroyed." : "Volume already exists.");
}

void CheckNotDestroyed(const VolumePtr& volume) {
  if (volume->destroyed) throw ApiError(volume->name, "Volume has been destroyed.");
}

Table<Pod>::Ptr NeedPod(Tx& tx, const std::string& name, const std::string& context) {
  const auto pod = tx.tables().pods.ByName(name);
  if (!pod) throw ApiError(context, "Pod does not exist.");
  if (pod->destroyed) throw ApiError(context, "Pod has been destroyed.");
  return pod;
}

Table<VolumeGroup>::Ptr NeedVolumeGroup(Tx& tx, const std::string& name, const std::string& context) {
  const auto vgroup = tx.tables().volume_groups.ByName(name);
  if (!vgroup) throw ApiError(context, "Volume group does not exist.");
  if (vgroup->destroyed) throw ApiError(context, "Volume group has been destroyed.");
  return vgroup;
}

void RenameSnapshotsOf(Tx& tx, const std::string& volume_id, const std::string& new_name) {
  for (const auto& row : tx.tables().snapshots.Where("source:" + volume_id)) {
    if (!row->group_snapshot_id.empty()) continue;  // group snapshots keep the name the volume had then
    Snapshot snapshot = *row;
    snapshot.name = new_name + "." + snapshot.suffix;
    tx.Put(snapshot);
  }
}

void CheckNotRatcheted(Tx& tx, const VolumePtr& volume) {
  for (const auto& group : tx.tables().groups.Where("volume:" + volume->id)) {
    if (group->retention_lock == "ratcheted" && !group->destroyed) {
      throw ApiError(
          volume->name,
          "Volume cannot be destroyed because it is a member of a protection group with ratcheted retention lock.");
    }
  }
}

void AddDefaultProtection(Tx& tx, const Volume& volume) {
  const auto pod = tx.tables().pods.Find(volume.pod_id);
  for (const std::string& id : pod ? pod->default_protection : tx.array().default_protection) {
    const auto row = tx.tables().groups.Find(id);
    if (!row || row->destroyed) continue;
    ProtectionGroup group = *row;
    group.volumes.push_back(volume.id);
    tx.Put(group);
  }
}

Volume Renamed(Tx& tx, const VolumePtr& row, const VolumeName& name) {
  Volume volume = *row;
  const std::string full = name.Full();
  if (Lower(full) != Lower(row->name)) CheckNameFree(tx, full);
  CheckPlainName("Volume", full, name.base);
  volume.name = full;
  PutVolume(tx, volume);
  RenameSnapshotsOf(tx, volume.id, full);
  return volume;
}

}  // namespace

void PutVolume(Tx& tx, Volume volume) {
  ++volume.meta_version;
  tx.Put(std::move(volume));
}

void CheckWritablePod(Tx& tx, const std::string& pod_id, const std::string& context) {
  const auto pod = tx.tables().pods.Find(pod_id);
  if (pod && pod->promotion_status != "promoted") throw ApiError(context, "Pod is not promoted.");
}

Source FindSource(Tx& tx, const std::string& name, const std::string& id) {
  VolumePtr volume = id.empty() ? tx.tables().volumes.ByName(name) : tx.tables().volumes.Find(id);
  if (volume) {
    CheckNotDestroyed(volume);
    Source source{volume->id, volume->name, volume->image, volume->provisioned, {}};
    for (const Tag& tag : volume->tags) {
      if (tag.copyable) source.tags.push_back(tag);
    }
    return source;
  }
  const SnapshotPtr snapshot = id.empty() ? tx.tables().snapshots.ByName(name) : tx.tables().snapshots.Find(id);
  if (!snapshot) throw ApiError(name.empty() ? id : name, "No such volume or snapshot.");
  if (snapshot->destroyed) throw ApiError(snapshot->name, "Volume snapshot has been destroyed.");
  if (!snapshot->complete) throw ApiError(snapshot->name, "Volume snapshot has not been fully replicated.");
  Source source{snapshot->id, snapshot->name, snapshot->image, snapshot->provisioned, {}};
  for (const Tag& tag : snapshot->tags) {
    if (tag.copyable) source.tags.push_back(tag);
  }
  return source;
}

Volume BlankVolume(Tx& tx, const std::string& name) {
  Volume volume;
  volume.id = NewUuid();
  volume.name = name;
  volume.serial = tx.NextSerial();
  volume.created = tx.now();
  volume.replica_uid = volume.id;
  return volume;
}

Volume CreateVolume(Tx& tx, const NewVolume& request) {
  CheckVolumeName(request.name);
  CheckNameFree(tx, request.name);
  const VolumeName name = ParseVolumeName(request.name);
  std::string pod_id, vgroup_id;
  if (!name.pod.empty()) {
    pod_id = NeedPod(tx, name.pod, request.name)->id;
    CheckWritablePod(tx, pod_id, request.name);
  }
  if (!name.vgroup.empty()) {
    const std::string full = (name.pod.empty() ? "" : name.pod + "::") + name.vgroup;
    vgroup_id = NeedVolumeGroup(tx, full, request.name)->id;
  }
  std::uint64_t provisioned = request.provisioned;
  if (provisioned == 0) provisioned = request.source ? request.source->provisioned : kSmallest;
  CheckSize(request.name, provisioned);
  if (request.source && provisioned < request.source->provisioned) {
    throw ApiError(request.name, "Volume size must not be smaller than its source.");
  }
  Volume volume = BlankVolume(tx, request.name);
  volume.pod_id = pod_id;
  volume.vgroup_id = vgroup_id;
  volume.provisioned = provisioned;
  volume.subtype = request.subtype;
  volume.bandwidth_limit = request.bandwidth_limit;
  volume.iops_limit = request.iops_limit;
  if (request.source) {
    volume.image = tx.images().Clone(request.source->image);
    volume.source_id = request.source->id;
    volume.source_name = request.source->name;
    volume.tags = request.source->tags;
  } else {
    volume.image = tx.images().Create();
  }
  PutVolume(tx, volume);
  if (request.default_protection) AddDefaultProtection(tx, volume);
  return volume;
}

Volume OverwriteVolume(Tx& tx, const VolumePtr& target, const Source& source) {
  CheckNotDestroyed(target);
  CheckWritablePod(tx, target->pod_id, target->name);
  Volume volume = *target;
  Snapshot undo;
  undo.id = NewUuid();
  undo.suffix = std::to_string(volume.next_suffix++);
  undo.name = volume.name + "." + undo.suffix;
  undo.serial = tx.NextSerial();
  undo.source_id = volume.id;
  undo.source_name = volume.name;
  undo.pod_id = volume.pod_id;
  undo.created = tx.now();
  undo.provisioned = volume.provisioned;
  undo.destroyed = true;
  undo.eradicate_at = tx.now() + tx.array().eradication_delay;
  undo.image = volume.image;
  tx.Put(undo);
  volume.image = tx.images().Clone(source.image);
  volume.provisioned = source.provisioned;
  volume.source_id = source.id;
  volume.source_name = source.name;
  PutVolume(tx, volume);
  return volume;
}

Volume RenameVolume(Tx& tx, const VolumePtr& volume, const std::string& new_name) {
  CheckNotDestroyed(volume);
  const VolumeName old_name = ParseVolumeName(volume->name);
  VolumeName name = ParseVolumeName(new_name);
  if (name.pod.empty() && name.vgroup.empty()) {
    name.pod = old_name.pod;
    name.vgroup = old_name.vgroup;
  }
  if (Lower(name.Prefix()) != Lower(old_name.Prefix())) {
    throw ApiError(volume->name, "Volume cannot be moved to another container by renaming it.");
  }
  return Renamed(tx, volume, name);
}

Volume MoveToPod(Tx& tx, const VolumePtr& volume, const std::string& pod_name) {
  CheckNotDestroyed(volume);
  const VolumeName name{pod_name, "", ParseVolumeName(volume->name).base};
  Volume changed = *volume;
  CheckWritablePod(tx, volume->pod_id, volume->name);
  for (const std::string& pod_id : {volume->pod_id, pod_name.empty() ? "" : NeedPod(tx, pod_name, pod_name)->id}) {
    const auto pod = tx.tables().pods.Find(pod_id);
    if (!pod) continue;
    if (pod->arrays.size() > 1) throw ApiError(volume->name, "Volume cannot be moved into or out of a stretched pod.");
    CheckWritablePod(tx, pod_id, volume->name);
  }
  if (tx.tables().groups.CountWhere("volume:" + volume->id) != 0) {
    throw ApiError(volume->name, "Volume cannot be moved because it is in a protection group of another container.");
  }
  changed = Renamed(tx, volume, name);
  changed.pod_id = pod_name.empty() ? "" : NeedPod(tx, pod_name, pod_name)->id;
  changed.vgroup_id.clear();
  PutVolume(tx, changed);
  for (const auto& row : tx.tables().snapshots.Where("source:" + volume->id)) {
    Snapshot snapshot = *row;
    snapshot.pod_id = changed.pod_id;
    tx.Put(snapshot);
  }
  return changed;
}

Volume MoveToVolumeGroup(Tx& tx, const VolumePtr& volume, const std::string& vgroup_name) {
  CheckNotDestroyed(volume);
  const VolumeName old_name = ParseVolumeName(volume->name);
  std::string base = vgroup_name;
  std::string vgroup_id;
  if (!vgroup_name.empty()) {
    const auto vgroup = NeedVolumeGroup(tx, vgroup_name, vgroup_name);
    if (vgroup->pod_id != volume->pod_id)
      throw ApiError(volume->name, "Volume and volume group are not in the same pod.");
    vgroup_id = vgroup->id;
    base = ParsePodName(vgroup->name).base;
  }
  Volume changed = Renamed(tx, volume, VolumeName{old_name.pod, base, old_name.base});
  changed.vgroup_id = vgroup_id;
  PutVolume(tx, changed);
  return changed;
}

Volume ResizeVolume(Tx& tx, const VolumePtr& volume, std::uint64_t provisioned, bool truncate) {
  CheckNotDestroyed(volume);
  CheckWritablePod(tx, volume->pod_id, volume->name);
  CheckSize(volume->name, provisioned);
  if (provisioned < volume->provisioned && !truncate) {
    throw ApiError(volume->name, "Volume size cannot be reduced without truncate.");
  }
  Volume changed = *volume;
  if (provisioned < volume->provisioned) {
    // The old content stays reachable as a destroyed undo snapshot, as after an overwrite.
    changed =
        OverwriteVolume(tx, volume, Source{volume->source_id, volume->source_name, volume->image, provisioned, {}});
    tx.images().TruncateBytes(changed.image, provisioned);
  }
  changed.provisioned = provisioned;
  PutVolume(tx, changed);
  return changed;
}

Volume DestroyVolume(Tx& tx, const VolumePtr& volume) {
  CheckNotDestroyed(volume);
  CheckWritablePod(tx, volume->pod_id, volume->name);
  if (tx.tables().connections.CountWhere("volume:" + volume->id) != 0) {
    throw ApiError(volume->name, "Volume cannot be deleted due to existing connections.");
  }
  CheckNotRatcheted(tx, volume);
  Volume changed = *volume;
  changed.destroyed = true;
  changed.eradicate_at = tx.now() + tx.array().eradication_delay;
  PutVolume(tx, changed);
  for (const auto& row : tx.tables().snapshots.Where("source:" + volume->id)) {
    if (row->destroyed || !row->group_snapshot_id.empty()) continue;
    Snapshot snapshot = *row;
    snapshot.destroyed = true;
    snapshot.eradicate_at = changed.eradicate_at;
    tx.Put(snapshot);
  }
  return changed;
}

Volume RecoverVolume(Tx& tx, const VolumePtr& volume) {
  if (!volume->destroyed) throw ApiError(volume->name, "Volume is not destroyed.");
  CheckWritablePod(tx, volume->pod_id, volume->name);
  Volume changed = *volume;
  changed.destroyed = false;
  changed.eradicate_at = 0;
  PutVolume(tx, changed);
  for (const auto& row : tx.tables().snapshots.Where("source:" + volume->id)) {
    // Only those that went with the volume come back with it.
    if (!row->destroyed || row->eradicate_at != volume->eradicate_at) continue;
    Snapshot snapshot = *row;
    snapshot.destroyed = false;
    snapshot.eradicate_at = 0;
    tx.Put(snapshot);
  }
  return changed;
}

void EradicateVolume(Tx& tx, const VolumePtr& volume) {
  if (!volume->destroyed) throw ApiError(volume->name, "Volume is not destroyed.");
  for (const auto& row : tx.tables().groups.Where("volume:" + volume->id)) {
    ProtectionGroup group = *row;
    std::erase(group.volumes, volume->id);
    tx.Put(group);
  }
  for (const auto& row : tx.tables().snapshots.Where("source:" + volume->id)) {
    if (row->group_snapshot_id.empty()) {
      tx.images().Drop(row->image);
      tx.Erase(*row);
    }
  }
  tx.images().Drop(volume->image);
  tx.Erase(*volume);
}

Snapshot CreateSnapshot(Tx& tx, const VolumePtr& volume, const std::string& suffix) {
  CheckNotDestroyed(volume);
  Volume parent = *volume;
  Snapshot snapshot;
  snapshot.suffix = suffix;
  if (suffix.empty()) {
    do {
      snapshot.suffix = std::to_string(parent.next_suffix++);
    } while (tx.tables().snapshots.ByName(volume->name + "." + snapshot.suffix));
    PutVolume(tx, parent);
  } else {
    CheckSuffix(volume->name, suffix);
  }
  snapshot.name = volume->name + "." + snapshot.suffix;
  if (tx.tables().snapshots.ByName(snapshot.name)) throw ApiError(snapshot.name, "Volume snapshot already exists.");
  snapshot.id = NewUuid();
  snapshot.serial = tx.NextSerial();
  snapshot.source_id = volume->id;
  snapshot.source_name = volume->name;
  snapshot.pod_id = volume->pod_id;
  snapshot.created = tx.now();
  snapshot.provisioned = volume->provisioned;
  snapshot.tags = volume->tags;
  snapshot.image = tx.images().Clone(volume->image);
  tx.Put(snapshot);
  return snapshot;
}

Snapshot RenameSnapshot(Tx& tx, const SnapshotPtr& row, const std::string& new_name) {
  Snapshot snapshot = *row;
  if (snapshot.destroyed) throw ApiError(row->name, "Volume snapshot has been destroyed.");
  if (!snapshot.group_snapshot_id.empty()) {
    throw ApiError(row->name, "Volume snapshot is part of a protection group snapshot and cannot be renamed.");
  }
  // The documentation says suffix, real clients send the full name: both are taken.
  const auto dot = new_name.rfind('.');
  const std::string suffix = dot == std::string::npos ? new_name : new_name.substr(dot + 1);
  CheckSuffix(row->name, suffix);
  const std::string base = row->name.substr(0, row->name.size() - row->suffix.size() - 1);
  if (dot != std::string::npos && Lower(new_name.substr(0, dot)) != Lower(base)) {
    throw ApiError(row->name, "Volume snapshot cannot be moved to another volume by renaming it.");
  }
  snapshot.suffix = suffix;
  snapshot.name = base + "." + suffix;
  const SnapshotPtr other = tx.tables().snapshots.ByName(snapshot.name);
  if (other && other->id != row->id) throw ApiError(snapshot.name, "Volume snapshot already exists.");
  tx.Put(snapshot);
  return snapshot;
}

Snapshot DestroySnapshot(Tx& tx, const SnapshotPtr& row) {
  if (row->destroyed) throw ApiError(row->name, "Volume snapshot has been destroyed.");
  if (!row->group_snapshot_id.empty() && row->remote_array_id.empty()) {
    throw ApiError(row->name, "Volume snapshot is part of a protection group snapshot and cannot be destroyed.");
  }
  Snapshot snapshot = *row;
  snapshot.destroyed = true;
  snapshot.eradicate_at = tx.now() + tx.array().eradication_delay;
  tx.Put(snapshot);
  return snapshot;
}

Snapshot RecoverSnapshot(Tx& tx, const SnapshotPtr& row) {
  if (!row->destroyed) throw ApiError(row->name, "Volume snapshot is not destroyed.");
  Snapshot snapshot = *row;
  snapshot.destroyed = false;
  snapshot.eradicate_at = 0;
  tx.Put(snapshot);
  return snapshot;
}

void EradicateSnapshot(Tx& tx, const SnapshotPtr& row) {
  if (!row->destroyed) throw ApiError(row->name, "Volume snapshot is not destroyed.");
  tx.images().Drop(row->image);
  tx.Erase(*row);
}

}  // namespace protector::fasim
