// The receiving side of PodSync: staged points that are applied whole.
#include <algorithm>
#include <chrono>

#include "simulators/flasharray/model/pod_ops.h"
#include "simulators/flasharray/model/volume_ops.h"
#include "simulators/flasharray/replication/pod_sync.h"

namespace protector::fasim {
namespace {

constexpr auto kWaitForOwnCycle = std::chrono::seconds(2);

PeerReply Refuse(const std::string& error) {
  return {409, {{"error", error}}};
}
std::string StageKey(const std::string& link_id, const std::string& uid) {
  return "stage/" + link_id + "/" + uid;
}
std::string PendingPrefix(const std::string& link_id) {
  return "pending/" + link_id + "/";
}

void DropAll(Tx& tx, const std::string& prefix) {
  for (const auto& row : tx.tables().baselines.All(prefix)) {
    tx.images().Drop(row->image);
    tx.Erase(*row);
  }
}

Table<Volume>::Ptr InPod(Tx& tx, const std::string& pod_id, const std::string& replica_uid) {
  for (const auto& volume : tx.tables().volumes.Where("replica:" + replica_uid)) {
    if (volume->pod_id == pod_id) return volume;
  }
  return nullptr;
}

void EraseWithConnections(Tx& tx, const Table<Volume>::Ptr& volume) {
  for (const auto& connection : tx.tables().connections.Where("volume:" + volume->id)) tx.Erase(*connection);
  Volume gone = *volume;
  gone.destroyed = true;
  tx.Put(gone);
  EradicateVolume(tx, tx.tables().volumes.Find(volume->id));
}

void TakeDescription(Volume* volume, const std::string& pod_name, const Json& told) {
  volume->name = pod_name + "::" + told.at("name").get<std::string>();
  volume->provisioned = told.at("provisioned").get<std::uint64_t>();
  volume->destroyed = told.at("destroyed").get<bool>();
  volume->eradicate_at = told.at("eradicate_at").get<Millis>();
  volume->tags = told.at("tags").get<std::vector<Tag>>();
}

// A stretched pod's volume: what the peer changed since the last common point is written over what is here.
void MergeVolume(Tx& tx, const ReplicaLink& link, const Pod& pod, const Json& told, bool replace) {
  const std::string uid = told.at("replica_uid").get<std::string>();
  const auto stage = tx.tables().baselines.Find(StageKey(link.id, uid));
  const auto base = tx.tables().baselines.Find(BaseKey(link.id, uid));
  const auto row = InPod(tx, pod.id, uid);
  const Volume remote = told.at("volume").get<Volume>();
  if (!row) {
    Volume volume = remote;
    volume.pod_id = pod.id;
    volume.vgroup_id.clear();
    volume.image = stage ? tx.images().Clone(stage->image) : tx.images().Create();
    tx.Put(volume);
    return;
  }
  Volume volume = *row;
  if (remote.meta_version > volume.meta_version) {
    const ImageId image = volume.image;
    volume = remote;
    volume.image = image;
    volume.pod_id = pod.id;
  }
  if (replace) {
    // This side had stopped: whatever it wrote and never sent gives way.
    tx.images().Drop(volume.image);
    volume.image = tx.images().Clone(stage ? stage->image : base->image);
  } else if (stage) {
    char buffer[kBlockSize];
    for (const auto& block : tx.images().Diff(base ? base->image : 0, stage->image, 0, ~std::size_t{0})) {
      tx.images().ReadBlock(block.slot, buffer);
      tx.images().Write(volume.image, block.index * kBlockSize, buffer, kBlockSize);
    }
  }
  tx.Put(volume);
}

}  // namespace

void ApplyToPod(Tx& tx, ReplicaLink* link) {
  const auto pod = tx.tables().pods.Find(link->local_pod_id);
  if (!pod || link->volumes_json.empty()) return;
  std::vector<std::string> known;
  for (const Json& told : Json::parse(link->volumes_json)) {
    const std::string uid = told.at("replica_uid").get<std::string>();
    known.push_back(uid);
    const auto base = tx.tables().baselines.Find(BaseKey(link->id, uid));
    const auto row = InPod(tx, pod->id, uid);
    Volume volume = row ? *row : BlankVolume(tx, "");
    volume.replica_uid = uid;
    volume.pod_id = pod->id;
    TakeDescription(&volume, pod->name, told);
    const auto same_name = tx.tables().volumes.ByName(volume.name);
    if (same_name && same_name->id != volume.id && same_name->pod_id == pod->id) EraseWithConnections(tx, same_name);
    // Compared, not counted: most volumes of a point have not changed.
    const bool current = row && base && tx.images().Diff(base->image, row->image, 0, 1).empty();
    if (!current) {
      if (row) tx.images().Drop(row->image);
      volume.image = base ? tx.images().Clone(base->image) : tx.images().Create();
    }
    if (!row || !current || Json(volume) != Json(*row)) tx.Put(volume);
  }
  for (const auto& volume : tx.tables().volumes.Where("pod:" + pod->id)) {
    if (std::find(known.begin(), known.end(), volume->replica_uid) == known.end()) EraseWithConnections(tx, volume);
  }
  link->applied_uid = link->base_uid;
}

PeerReply PodSync::Probe(const Json& head) {
  Tx tx(context_.db);
  const auto link = tx.tables().links.Find(head.at("link_id").get<std::string>());
  if (!link) return Refuse("unknown-link");
  return {200, {{"base_uid", link->base_uid}}};
}

PeerReply PodSync::Begin(const Json& head) {
  const std::string link_id = head.at("link_id").get<std::string>();
  // Of a stretched pod both sides may want to send: the array with the lower id goes first, the other waits for its
  // turn.
  const auto own_cycle = LockOf(link_id);
  std::unique_lock<std::timed_mutex> own(*own_cycle, std::defer_lock);
  bool leader = false;
  {
    Tx tx(context_.db);
    const auto link = tx.tables().links.Find(link_id);
    if (!link) return Refuse("unknown-link");
    leader = tx.array().array_id < link->remote_id;
  }
  if (leader ? !own.try_lock() : !own.try_lock_for(kWaitForOwnCycle)) return Refuse("busy");

  Tx tx(context_.db);
  const auto row = tx.tables().links.Find(link_id);
  const auto pod = row ? tx.tables().pods.Find(row->local_pod_id) : nullptr;
  if (!pod) return Refuse("unknown-link");
  if (row->kind == "activedr" && row->outbound) return Refuse("wrong-direction");
  ReplicaLink link = *row;
  const std::string base_uid = head.at("base_uid").get<std::string>();
  if (!link.pending_uid.empty() && link.pending_uid == base_uid) {
    // The point that this side sent last and never heard of again did arrive.
    for (const auto& pending : tx.tables().baselines.All(PendingPrefix(link_id))) {
      const std::string key = BaseKey(link_id, pending->id.substr(PendingPrefix(link_id).size()));
      if (const auto old = tx.tables().baselines.Find(key)) tx.images().Drop(old->image);
      tx.Put(Baseline{key, base_uid, pending->image});
      tx.Erase(*pending);
    }
    link.base_uid = base_uid;
    link.pending_uid.clear();
  }
  if (!base_uid.empty() && base_uid != link.base_uid) return Refuse("base-mismatch");
  DropAll(tx, StageKey(link_id, ""));
  for (const Json& told : head.at("volumes")) {
    if (!told.at("changed").get<bool>()) continue;
    const std::string uid = told.at("replica_uid").get<std::string>();
    const auto base = tx.tables().baselines.Find(BaseKey(link_id, uid));
    const bool full = told.at("full").get<bool>() || !base;
    if (full && !told.at("full").get<bool>()) return Refuse("base-mismatch");
    tx.Put(Baseline{StageKey(link_id, uid), head.at("new_uid").get<std::string>(),
                    full ? tx.images().Create() : tx.images().Clone(base->image)});
  }
  tx.Put(link);
  tx.Commit();
  const std::lock_guard<std::mutex> lock(mutex_);
  incoming_[link_id] = {head.at("new_uid").get<std::string>(), head.at("time").get<Millis>(), head.at("volumes")};
  return {200, Json::object()};
}

PeerReply PodSync::Data(const Json& head, const std::string& bytes) {
  const std::string link_id = head.at("link_id").get<std::string>();
  Incoming incoming;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto it = incoming_.find(link_id);
    if (it == incoming_.end() || it->second.new_uid != head.at("new_uid").get<std::string>()) return Refuse("no-stage");
    incoming = it->second;
  }
  Tx tx(context_.db);
  const auto row = tx.tables().links.Find(link_id);
  if (!row) return Refuse("unknown-link");
  if (row->kind == "activedr" && row->outbound) return Refuse("wrong-direction");
  std::size_t at = 0;
  const std::string zeros(kBlockSize, '\0');
  for (const Json& part : head.at("parts")) {
    const auto stage = tx.tables().baselines.Find(StageKey(link_id, part.at("replica_uid").get<std::string>()));
    if (!stage || stage->uid != incoming.new_uid) return Refuse("no-stage");
    for (const Json& block : part.at("blocks")) {
      const bool present = block.at(1).get<int>() != 0;
      if (present && at + kBlockSize > bytes.size()) return Refuse("size");
      tx.images().Write(stage->image, block.at(0).get<std::uint64_t>() * kBlockSize,
                        present ? bytes.data() + at : zeros.data(), kBlockSize);
      at += present ? kBlockSize : 0;
    }
  }
  if (head.at("last").get<bool>()) CommitIncoming(tx, *row, incoming);
  tx.Commit();
  if (head.at("last").get<bool>()) {
    const std::lock_guard<std::mutex> lock(mutex_);
    incoming_.erase(link_id);
  }
  return {200, Json::object()};
}

void PodSync::CommitIncoming(Tx& tx, ReplicaLink link, const Incoming& incoming) {
  const auto pod = tx.tables().pods.Find(link.local_pod_id);
  std::vector<std::string> told_uids;
  bool stopped = false;
  for (const PodArray& array : pod->arrays) {
    if (array.id == tx.array().array_id) stopped = array.status != "online";
  }
  for (const Json& told : incoming.volumes) {
    const std::string uid = told.at("replica_uid").get<std::string>();
    told_uids.push_back(uid);
    if (link.kind == "stretch") MergeVolume(tx, link, *pod, told, stopped);
    const auto stage = tx.tables().baselines.Find(StageKey(link.id, uid));
    if (!stage) continue;
    const std::string key = BaseKey(link.id, uid);
    if (const auto old = tx.tables().baselines.Find(key)) tx.images().Drop(old->image);
    tx.Put(Baseline{key, incoming.new_uid, stage->image});
    tx.Erase(*stage);
  }
  // What both held and the sender no longer has was eradicated there.
  const std::string prefix = BaseKey(link.id, "");
  for (const auto& base : tx.tables().baselines.All(prefix)) {
    const std::string uid = base->id.substr(prefix.size());
    if (std::find(told_uids.begin(), told_uids.end(), uid) != told_uids.end()) continue;
    const auto volume = InPod(tx, pod->id, uid);
    if (volume && link.kind == "stretch") EraseWithConnections(tx, volume);
    tx.images().Drop(base->image);
    tx.Erase(*base);
  }
  link.base_uid = incoming.new_uid;
  link.recovery_point = incoming.time;
  link.volumes_json = incoming.volumes.dump();
  if (link.kind == "activedr" && pod->promotion_status == "demoted") ApplyToPod(tx, &link);
  tx.Put(link);
}

PeerReply PodSync::Point(const Json& head) {
  Tx tx(context_.db);
  const auto row = tx.tables().links.Find(head.at("link_id").get<std::string>());
  if (!row) return Refuse("unknown-link");
  if (row->outbound) return Refuse("wrong-direction");
  if (row->base_uid != head.at("base_uid").get<std::string>()) return Refuse("base-mismatch");
  ReplicaLink link = *row;
  link.recovery_point = head.at("time").get<Millis>();
  const auto pod = tx.tables().pods.Find(link.local_pod_id);
  if (pod && pod->promotion_status == "demoted" && link.applied_uid != link.base_uid) ApplyToPod(tx, &link);
  tx.Put(link);
  tx.Commit();
  return {200, Json::object()};
}

}  // namespace protector::fasim
