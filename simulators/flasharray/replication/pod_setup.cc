// What arrives from a peer about links and stretches: making, ending, mediation, and the data itself.
#include "simulators/flasharray/model/pod_ops.h"
#include "simulators/flasharray/model/volume_ops.h"
#include "simulators/flasharray/replication/pod_replicator.h"

namespace protector::fasim {
namespace {

PeerReply Refuse(const std::string& message) {
  return {400, {{"message", message}}};
}

void DropAll(Tx& tx, const std::string& prefix) {
  for (const auto& row : tx.tables().baselines.All(prefix)) {
    tx.images().Drop(row->image);
    tx.Erase(*row);
  }
}

}  // namespace

void EraseLink(Tx& tx, const ReplicaLink& link) {
  for (const std::string& scope : {BaseKey(link.id, ""), "pending/" + link.id + "/", "stage/" + link.id + "/"})
    DropAll(tx, scope);
  tx.Erase(link);
}

void EndStretch(Tx& tx, const ReplicaLink& link, bool keep) {
  const auto row = tx.tables().pods.Find(link.local_pod_id);
  EraseLink(tx, link);
  if (!row) return;
  Pod pod = *row;
  std::erase_if(pod.arrays, [&](const PodArray& array) { return array.id == link.remote_id; });
  for (PodArray& array : pod.arrays) array.status = "online";
  if (keep) {
    tx.Put(pod);
    return;
  }
  const std::string copy_name = pod.name + ".restretch";
  if (const auto old = tx.tables().pods.ByName(copy_name)) EradicatePod(tx, old, true);
  for (const auto& volume : tx.tables().volumes.Where("pod:" + pod.id)) {
    for (const auto& connection : tx.tables().connections.Where("volume:" + volume->id)) tx.Erase(*connection);
    Volume changed = *volume;
    changed.name = copy_name + volume->name.substr(volume->name.find("::"));
    changed.destroyed = true;
    changed.eradicate_at = tx.now() + tx.array().eradication_delay;
    tx.Put(changed);
  }
  pod.name = copy_name;
  pod.destroyed = true;
  pod.eradicate_at = tx.now() + tx.array().eradication_delay;
  tx.Put(pod);
}

PeerReply PodReplicator::CreateLink(const Json& head) {
  Tx tx(context_.db);
  const std::string name = head.at("remote_pod_name").get<std::string>();
  const auto pod = tx.tables().pods.ByName(name);
  if (!pod || pod->destroyed) return Refuse("Remote pod does not exist.");
  if (pod->promotion_status != "demoted") return Refuse("Remote pod must be demoted.");
  if (pod->arrays.size() > 1) return Refuse("Remote pod is stretched.");
  if (tx.tables().links.CountWhere("pod:" + pod->id) != 0) return Refuse("Remote pod already has a replica link.");
  for (const auto& volume : tx.tables().volumes.Where("pod:" + pod->id)) {
    if (!volume->destroyed) return Refuse("Remote pod is not empty.");
  }
  const auto peer = tx.tables().array_connections.Find(head.at("array_id").get<std::string>());
  if (!peer) return Refuse("Array connection does not exist.");
  ReplicaLink link;
  link.id = head.at("link_id").get<std::string>();
  link.local_pod_id = pod->id;
  link.local_pod_name = pod->name;
  link.remote_pod_id = head.at("pod_id").get<std::string>();
  link.remote_pod_name = head.at("pod_name").get<std::string>();
  link.remote_id = peer->id;
  link.remote_name = peer->name;
  link.outbound = false;
  tx.Put(link);
  tx.Commit();
  return {200, {{"pod_id", pod->id}, {"pod_name", pod->name}}};
}

PeerReply PodReplicator::DeleteLink(const Json& head) {
  Tx tx(context_.db);
  if (const auto link = tx.tables().links.Find(head.at("link_id").get<std::string>())) EraseLink(tx, *link);
  tx.Commit();
  return {200, Json::object()};
}

PeerReply PodReplicator::CreateStretch(const Json& head) {
  Tx tx(context_.db);
  const std::string name = head.at("pod_name").get<std::string>();
  if (tx.tables().pods.ByName(name)) return Refuse("Pod already exists on the other array.");
  const auto peer = tx.tables().array_connections.Find(head.at("array_id").get<std::string>());
  if (!peer) return Refuse("Array connection does not exist.");
  if (peer->type != "sync-replication") return Refuse("Array connection does not support synchronous replication.");
  // A copy that an earlier unstretch left keeps the pod's id: it makes way under its own name.
  if (const auto left = tx.tables().pods.Find(head.at("pod_id").get<std::string>())) EradicatePod(tx, left, true);
  Pod pod;
  pod.id = head.at("pod_id").get<std::string>();
  pod.name = name;
  pod.failover_preferences = head.at("failover_preferences").get<std::vector<std::string>>();
  PodArray other;
  other.id = peer->id;
  other.name = peer->name;
  other.pre_elected = true;
  PodArray self;
  self.id = tx.array().array_id;
  self.name = tx.array().name;
  self.status = "resyncing";
  self.progress = 0;
  pod.arrays = {other, self};
  pod.stretch_uid = pod.id;
  tx.Put(pod);
  ReplicaLink link;
  link.id = head.at("link_id").get<std::string>();
  link.kind = "stretch";
  link.local_pod_id = pod.id;
  link.local_pod_name = pod.name;
  link.remote_pod_id = pod.id;
  link.remote_pod_name = pod.name;
  link.remote_id = peer->id;
  link.remote_name = peer->name;
  tx.Put(link);
  tx.Commit();
  return {200, Json::object()};
}

PeerReply PodReplicator::RemoveStretch(const Json& head) {
  Tx tx(context_.db);
  if (const auto link = tx.tables().links.Find(head.at("link_id").get<std::string>())) {
    EndStretch(tx, *link, head.at("keep").get<bool>());
  }
  tx.Commit();
  return {200, Json::object()};
}

PeerReply PodReplicator::Serve(const std::string& what, const Json& head, const std::string& bytes) {
  if (what == "link/create") return CreateLink(head);
  if (what == "link/delete") return DeleteLink(head);
  if (what == "stretch/create") return CreateStretch(head);
  if (what == "stretch/remove") return RemoveStretch(head);
  if (what == "link/probe") return sync_.Probe(head);
  if (what == "link/begin") return sync_.Begin(head);
  if (what == "link/data") return sync_.Data(head, bytes);
  if (what == "link/point") return sync_.Point(head);
  if (what != "mediator") return {404, {{"error", "not-found"}}};
  Tx tx(context_.db);
  const auto link = tx.tables().links.Find(head.at("link_id").get<std::string>());
  const auto pod = link ? tx.tables().pods.Find(link->local_pod_id) : nullptr;
  bool solo = false;
  for (const PodArray& array : pod ? pod->arrays : std::vector<PodArray>{}) {
    if (array.id == link->remote_id) solo = array.status == "unknown";
  }
  return {200, {{"solo", solo}}};
}

}  // namespace protector::fasim
