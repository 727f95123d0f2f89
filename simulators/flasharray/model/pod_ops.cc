#include "simulators/flasharray/model/pod_ops.h"

#include "simulators/flasharray/model/group_ops.h"
#include "simulators/flasharray/model/naming.h"
#include "simulators/flasharray/model/volume_ops.h"

namespace protector::fasim {
namespace {

std::string InPod(const std::string& pod, const std::string& full) {
  VolumeName name = ParseVolumeName(full);
  name.pod = pod;
  return name.Full();
}

// Copies every live volume of `from` into `to`; the copies of an undo pod are as destroyed as the pod.
void CopyVolumes(Tx& tx, const PodPtr& from, const Pod& to) {
  for (const auto& row : tx.tables().volumes.Where("pod:" + from->id)) {
    if (row->destroyed) continue;
    Volume copy = BlankVolume(tx, InPod(to.name, row->name));
    copy.pod_id = to.id;
    copy.provisioned = row->provisioned;
    copy.tags = row->tags;
    copy.source_id = row->id;
    copy.source_name = row->name;
    copy.image = tx.images().Clone(row->image);
    copy.destroyed = to.destroyed;
    copy.eradicate_at = to.eradicate_at;
    PutVolume(tx, copy);
  }
}

void RenameMembers(Tx& tx, const std::string& pod_id, const std::string& new_name) {
  for (const auto& row : tx.tables().volumes.Where("pod:" + pod_id)) {
    Volume volume = *row;
    volume.name = InPod(new_name, row->name);
    PutVolume(tx, volume);
  }
  for (const auto& row : tx.tables().groups.Where("pod:" + pod_id)) {
    ProtectionGroup group = *row;
    group.name = new_name + "::" + ParsePodName(row->name).base;
    tx.Put(group);
  }
  for (const auto& row : tx.tables().snapshots.Where("pod:" + pod_id)) {
    Snapshot snapshot = *row;
    snapshot.name = InPod(new_name, row->name);
    tx.Put(snapshot);
  }
}

bool HasOutboundLink(Tx& tx, const Pod& pod) {
  for (const auto& link : tx.tables().links.Where("pod:" + pod.id)) {
    if (link->outbound && link->kind == "activedr") return true;
  }
  return false;
}

void CheckUsable(const PodPtr& pod) {
  if (pod->destroyed) throw ApiError(pod->name, "Pod has been destroyed.");
}

void SetDestroyed(Tx& tx, const Pod& pod, bool destroyed) {
  for (const auto& row : tx.tables().volumes.Where("pod:" + pod.id)) {
    if (row->destroyed == destroyed) continue;
    Volume volume = *row;
    volume.destroyed = destroyed;
    volume.eradicate_at = destroyed ? pod.eradicate_at : 0;
    PutVolume(tx, volume);
  }
  for (const auto& row : tx.tables().groups.Where("pod:" + pod.id)) {
    if (row->destroyed == destroyed) continue;
    ProtectionGroup group = *row;
    group.destroyed = destroyed;
    group.eradicate_at = destroyed ? pod.eradicate_at : 0;
    tx.Put(group);
  }
}

// The connection count matters: a guest must not lose its disk because a container goes.
void CheckNoConnections(Tx& tx, const Pod& pod) {
  for (const auto& row : tx.tables().volumes.Where("pod:" + pod.id)) {
    if (tx.tables().connections.CountWhere("volume:" + row->id) != 0) {
      throw ApiError(row->name, "Volume cannot be deleted due to existing connections.");
    }
  }
}

}  // namespace

std::string UndoName(const std::string& pod_name) {
  return pod_name + ".undo-demote";
}
std::string LinkScope(const std::string& link_id) {
  return "link/" + link_id;
}

Pod CreatePod(Tx& tx, const std::string& name) {
  CheckPlainName("Pod", name, name);
  if (const auto other = tx.tables().pods.ByName(name)) {
    throw ApiError(name, other->destroyed ? "Pod already exists. It has been destroyed." : "Pod already exists.");
  }
  Pod pod;
  pod.id = NewUuid();
  pod.name = name;
  PodArray self;
  self.id = tx.array().array_id;
  self.name = tx.array().name;
  pod.arrays = {self};
  pod.stretch_uid = pod.id;
  tx.Put(pod);
  return pod;
}

Pod ClonePod(Tx& tx, const std::string& name, const PodPtr& source) {
  CheckUsable(source);
  Pod pod = CreatePod(tx, name);
  pod.source_id = source->id;
  pod.source_name = source->name;
  tx.Put(pod);
  CopyVolumes(tx, source, pod);
  return pod;
}

Pod RenamePod(Tx& tx, const PodPtr& row, const std::string& new_name) {
  CheckUsable(row);
  CheckPlainName("Pod", new_name, new_name);
  const auto other = tx.tables().pods.ByName(new_name);
  if (other && other->id != row->id) throw ApiError(new_name, "Pod already exists.");
  if (row->arrays.size() > 1) throw ApiError(row->name, "A stretched pod cannot be renamed.");
  Pod pod = *row;
  pod.name = new_name;
  tx.Put(pod);
  RenameMembers(tx, pod.id, new_name);
  return pod;
}

Pod DestroyPod(Tx& tx, const PodPtr& row, bool with_contents) {
  CheckUsable(row);
  if (row->arrays.size() > 1) throw ApiError(row->name, "Pod is stretched to more than one array.");
  if (tx.tables().links.CountWhere("pod:" + row->id) != 0) throw ApiError(row->name, "Pod has a replica link.");
  std::size_t contents = 0;
  for (const auto& volume : tx.tables().volumes.Where("pod:" + row->id)) contents += volume->destroyed ? 0 : 1;
  for (const auto& group : tx.tables().groups.Where("pod:" + row->id)) contents += group->destroyed ? 0 : 1;
  if (contents != 0 && !with_contents) throw ApiError(row->name, "Pod is not empty.");
  CheckNoConnections(tx, *row);
  Pod pod = *row;
  pod.destroyed = true;
  pod.eradicate_at = tx.now() + tx.array().eradication_delay;
  tx.Put(pod);
  SetDestroyed(tx, pod, true);
  return pod;
}

Pod RecoverPod(Tx& tx, const PodPtr& row) {
  if (!row->destroyed) throw ApiError(row->name, "Pod is not destroyed.");
  Pod pod = *row;
  pod.destroyed = false;
  pod.eradicate_at = 0;
  tx.Put(pod);
  SetDestroyed(tx, pod, false);
  return pod;
}

void EradicatePod(Tx& tx, const PodPtr& pod, bool with_contents) {
  if (!pod->destroyed) throw ApiError(pod->name, "Pod is not destroyed.");
  const auto volumes = tx.tables().volumes.Where("pod:" + pod->id);
  const auto groups = tx.tables().groups.Where("pod:" + pod->id);
  if ((!volumes.empty() || !groups.empty()) && !with_contents)
    throw ApiError(pod->name, "Cannot eradicate pod with contents.");
  for (const auto& group : groups) EradicateGroup(tx, group);
  for (const auto& volume : volumes) EradicateVolume(tx, volume);
  tx.Erase(*pod);
}

Pod FinishDemote(Tx& tx, const PodPtr& row) {
  // A newer undo copy takes the place of an older one.
  if (const auto old = tx.tables().pods.ByName(UndoName(row->name))) EradicatePod(tx, old, true);
  Pod undo = *row;
  undo.id = NewUuid();
  undo.stretch_uid = undo.id;
  undo.name = UndoName(row->name);
  undo.undo_of = row->id;
  undo.source_id = row->id;
  undo.source_name = row->name;
  undo.destroyed = true;
  undo.eradicate_at = tx.now() + tx.array().eradication_delay;
  undo.promotion_status = "promoted";
  undo.requested_promotion_state = "promoted";
  undo.quiescing = false;
  tx.Put(undo);
  CopyVolumes(tx, row, undo);
  Pod pod = *row;
  pod.promotion_status = "demoted";
  pod.requested_promotion_state = "demoted";
  pod.quiescing = false;
  tx.Put(pod);
  // Back to what both sides hold: writes that were never sent live on in the undo copy only.
  for (const auto& link : tx.tables().links.Where("pod:" + pod.id)) {
    for (const auto& volume_row : tx.tables().volumes.Where("pod:" + pod.id)) {
      const auto base = tx.tables().baselines.Find(LinkScope(link->id) + "/" + volume_row->replica_uid);
      if (!base) continue;
      Volume volume = *volume_row;
      tx.images().Drop(volume.image);
      volume.image = tx.images().Clone(base->image);
      tx.Put(volume);
    }
  }
  return pod;
}

Pod RequestDemote(Tx& tx, const PodPtr& row, const DemoteRequest& request) {
  CheckUsable(row);
  if (request.quiesce && request.skip_quiesce) throw ApiError("Invalid combination of parameters specified.");
  if (row->arrays.size() > 1) throw ApiError(row->name, "A stretched pod cannot be demoted.");
  if (row->promotion_status == "demoted") return *row;
  const bool outbound = HasOutboundLink(tx, *row);
  if (outbound && !request.quiesce && !request.skip_quiesce) {
    throw ApiError(row->name, "Pod has a replica link: demote it with quiesce or skip_quiesce.");
  }
  if (!outbound || request.skip_quiesce) return FinishDemote(tx, row);
  Pod pod = *row;
  pod.promotion_status = "demoting";
  pod.requested_promotion_state = "demoted";
  pod.quiescing = true;
  tx.Put(pod);
  return pod;
}

Pod RequestPromote(Tx& tx, const PodPtr& row, const std::string& promote_from, bool abort_quiesce) {
  CheckUsable(row);
  Pod pod = *row;
  if (pod.quiescing) {
    if (!abort_quiesce) throw ApiError(row->name, "Pod is quiescing: promote it with abort_quiesce.");
    pod.quiescing = false;
    pod.promotion_status = "promoted";
    pod.requested_promotion_state = "promoted";
    tx.Put(pod);
    return pod;
  }
  if (pod.promotion_status != "demoted") return pod;
  for (const auto& link : tx.tables().links.Where("pod:" + pod.id)) {
    if (!link->outbound && link->base_uid.empty())
      throw ApiError(row->name, "Pod cannot be promoted while it is baselining.");
  }
  if (!promote_from.empty()) {
    const auto undo = tx.tables().pods.ByName(promote_from);
    if (!undo || undo->undo_of != pod.id) throw ApiError(promote_from, "Pod does not exist.");
    for (const auto& saved : tx.tables().volumes.Where("pod:" + undo->id)) {
      const auto volume = tx.tables().volumes.ByName(InPod(pod.name, saved->name));
      if (!volume) continue;
      Volume restored = *volume;
      tx.images().Drop(volume->image);
      restored.image = tx.images().Clone(saved->image);
      restored.provisioned = saved->provisioned;
      PutVolume(tx, restored);
    }
  }
  pod.requested_promotion_state = "promoted";
  pod.promotion_status = "promoting";
  tx.Put(pod);
  return pod;
}

Pod FinishPromote(Tx& tx, const PodPtr& row) {
  Pod pod = *row;
  pod.promotion_status = "promoted";
  tx.Put(pod);
  return pod;
}

}  // namespace protector::fasim
