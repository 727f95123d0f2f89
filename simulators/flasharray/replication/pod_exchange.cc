#include "simulators/flasharray/replication/pod_exchange.h"

#include "simulators/flasharray/model/pod_ops.h"
#include "simulators/flasharray/replication/pod_sync.h"

namespace protector::fasim {
namespace {

PodArray* ArrayIn(Pod& pod, const std::string& id) {
  for (PodArray& array : pod.arrays) {
    if (array.id == id) return &array;
  }
  return nullptr;
}

bool HasUnsent(Tx& tx, const ReplicaLink& link) {
  for (const auto& volume : tx.tables().volumes.Where("pod:" + link.local_pod_id)) {
    const auto base = tx.tables().baselines.Find(BaseKey(link.id, volume->replica_uid));
    if (!base || !tx.images().Diff(base->image, volume->image, 0, 1).empty()) return true;
  }
  return false;
}

// Everything the volumes hold beyond the common point is given up.
void ResetToBase(Tx& tx, const ReplicaLink& link, const std::string& pod_id) {
  for (const auto& row : tx.tables().volumes.Where("pod:" + pod_id)) {
    const auto base = tx.tables().baselines.Find(BaseKey(link.id, row->replica_uid));
    if (!base || tx.images().Diff(base->image, row->image, 0, 1).empty()) continue;
    Volume volume = *row;
    tx.images().Drop(volume.image);
    volume.image = tx.images().Clone(base->image);
    tx.Put(volume);
  }
}

void TakeActiveDr(Tx& tx, ReplicaLink link, const Json& told) {
  const ReplicaLink before = link;
  const auto pod = tx.tables().pods.Find(link.local_pod_id);
  link.remote_pod_id = told.at("pod_id").get<std::string>();
  link.remote_pod_name = told.at("pod_name").get<std::string>();
  link.remote_promotion = told.at("promotion").get<std::string>();
  if (pod && pod->promotion_status == "promoted" && link.remote_promotion == "demoted") link.outbound = true;
  if (pod && pod->promotion_status == "demoted" && link.remote_promotion == "promoted") link.outbound = false;
  if (!link.outbound && told.at("outbound").get<bool>()) {
    link.status = told.at("status").get<std::string>();
    link.paused = told.at("paused").get<bool>();
  }
  if (Json(link) != Json(before)) tx.Put(link);
}

void TakeStretch(Tx& tx, const ReplicaLink& link, const Json& told, const std::string& peer_id) {
  const auto row = tx.tables().pods.Find(link.local_pod_id);
  if (!row) return;
  Pod pod = *row;
  PodArray* self = ArrayIn(pod, tx.array().array_id);
  PodArray* peer = ArrayIn(pod, peer_id);
  if (self == nullptr || peer == nullptr) return;
  const std::string theirs = told.at("own_status").get<std::string>();
  const bool same_point = !link.base_uid.empty() && link.base_uid == told.at("base_uid").get<std::string>();
  if (self->status != "online" && theirs == "online") {
    self->status = "resyncing";
    self->progress = told.at("progress").get<double>();
    if (same_point && told.at("settled").get<bool>()) {
      ResetToBase(tx, link, pod.id);
      self->status = "online";
      self->progress = -1;
      self->frozen_at = 0;
    }
    peer->status = "online";
  } else if (self->status != "online" && theirs != "online" && self->pre_elected && !told.at("solo").get<bool>()) {
    self->status = "online";  // both were away: the one that made the pod begins
    self->frozen_at = 0;
  } else if (self->status == "online") {
    // Online again only when it says so itself; until then what it has is behind.
    peer->status = theirs == "online" ? (peer->status == "unknown" ? "resyncing" : "online") : "resyncing";
    if (peer->status == "resyncing" && theirs == "online" && same_point) peer->status = "online";
    peer->progress = peer->status == "resyncing" ? std::max(0.0, link.progress) : -1;
  }
  peer->mediator_status = "online";
  if (Json(pod) != Json(*row)) tx.Put(pod);
}

}  // namespace

Json PodMessage(Tx& tx, const std::string& peer_id) {
  Json links = Json::array();
  for (const auto& link : tx.tables().links.Where("remote:" + peer_id)) {
    const auto pod = tx.tables().pods.Find(link->local_pod_id);
    if (!pod) continue;
    Json told = {{"id", link->id},
                 {"pod_id", pod->id},
                 {"pod_name", pod->name},
                 {"promotion", pod->promotion_status},
                 {"outbound", link->outbound},
                 {"status", link->status},
                 {"paused", link->paused},
                 {"base_uid", link->base_uid},
                 {"progress", link->progress}};
    if (link->kind == "stretch") {
      std::string own = "online";
      bool solo = false;
      for (const PodArray& array : pod->arrays) {
        if (array.id == peer_id) {
          solo = array.status == "unknown";
        } else {
          own = array.status;
        }
      }
      told["own_status"] = own;
      told["solo"] = solo;
      told["settled"] = link->pending_uid.empty() && link->status == "replicating" && !HasUnsent(tx, *link);
    }
    links.push_back(std::move(told));
  }
  Json pods = Json::array();
  for (const auto& pod : tx.tables().pods.All()) {
    if (pod->destroyed) continue;
    Json arrays = Json::array();
    for (const PodArray& array : pod->arrays) arrays.push_back({{"id", array.id}, {"name", array.name}});
    pods.push_back({{"id", pod->id}, {"name", pod->name}, {"arrays", arrays}});
  }
  return {{"links", links}, {"pods", pods}};
}

void TakePodMessage(Tx& tx, const Json& message, const std::string& peer_id) {
  for (const Json& told : message.value("links", Json::array())) {
    const auto link = tx.tables().links.Find(told.at("id").get<std::string>());
    if (!link) continue;
    if (link->kind == "stretch") {
      TakeStretch(tx, *link, told, peer_id);
    } else {
      TakeActiveDr(tx, *link, told);
    }
  }
}

}  // namespace protector::fasim
