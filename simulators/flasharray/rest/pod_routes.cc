// /pods, /pods/arrays, /pods/space, /pods/performance, /pods/performance/replication
#include "simulators/flasharray/model/naming.h"
#include "simulators/flasharray/model/pod_ops.h"
#include "simulators/flasharray/replication/peer_client.h"
#include "simulators/flasharray/replication/peer_links.h"
#include "simulators/flasharray/replication/pod_replicator.h"
#include "simulators/flasharray/rest/dispatcher.h"
#include "simulators/flasharray/rest/items.h"
#include "simulators/flasharray/rest/performance.h"
#include "simulators/flasharray/rest/pick.h"

namespace protector::fasim {
namespace {

const PickRules kPods{"Pod"};

Table<Pod>::Rows Listed(Tx& tx, const Call& call) {
  auto rows = Candidates(call, tx.tables().pods, kPods);
  NarrowDestroyed(call, &rows);
  return rows;
}

Answer List(Tx& tx, const Call& call) {
  return ListRows(call, ToRows<Pod>(Listed(tx, call), [&tx](const Pod& pod) { return PodItem(tx, pod); }));
}

void ReadPreferences(const Call& call, Pod* pod) {
  if (!call.body.is_object() || !call.body.contains("failover_preferences") ||
      !call.body["failover_preferences"].is_array())
    return;
  pod->failover_preferences.clear();
  for (const Json& one : call.body["failover_preferences"]) {
    std::string name = TextAt(one, "name").value_or("");
    for (const PodArray& array : pod->arrays) {
      if (name.empty() && TextAt(one, "id") == array.id) name = array.name;
    }
    pod->failover_preferences.push_back(name);
  }
}

Answer Create(Tx& tx, const Call& call) {
  Answer answer;
  for (const std::string& name : NewNames(call)) {
    PodPtr source;
    if (call.BodyHas("source")) {
      const auto source_name = TextAt(call.body["source"], "name").value_or("");
      const auto source_id = TextAt(call.body["source"], "id").value_or("");
      source = source_id.empty() ? tx.tables().pods.ByName(source_name) : tx.tables().pods.Find(source_id);
      if (!source) throw ApiError(source_name.empty() ? source_id : source_name, "Pod does not exist.");
    }
    Pod pod = source ? ClonePod(tx, name, source) : CreatePod(tx, name);
    ReadPreferences(call, &pod);
    pod.quota_limit = call.BodyInteger("quota_limit");
    tx.Put(pod);
    answer.items.push_back(PodItem(tx, pod));
  }
  return answer;
}

void ChangeOne(Tx& tx, const Call& call, const std::string& id) {
  const auto now = [&] { return tx.tables().pods.Find(id); };
  if (const auto destroyed = call.BodyBool("destroyed")) {
    if (call.body.size() > 1) throw ApiError("Invalid combination of parameters specified.");
    *destroyed ? DestroyPod(tx, now(), call.Flag("destroy_contents")) : RecoverPod(tx, now());
    return;
  }
  if (now()->destroyed) throw ApiError(now()->name, "Pod has been destroyed.");
  if (const auto name = call.BodyText("name")) RenamePod(tx, now(), *name);
  if (const auto state = call.BodyText("requested_promotion_state")) {
    if (*state == "demoted") {
      RequestDemote(tx, now(), {call.Flag("quiesce"), call.Flag("skip_quiesce")});
    } else if (*state == "promoted") {
      RequestPromote(tx, now(), call.Text("promote_from"), call.Flag("abort_quiesce"));
    } else {
      throw ApiError(now()->name, "Invalid value for property requested_promotion_state.");
    }
  }
  Pod pod = *now();
  ReadPreferences(call, &pod);
  pod.mediator = call.BodyText("mediator").value_or(pod.mediator);
  if (call.body.contains("quota_limit")) pod.quota_limit = call.BodyInteger("quota_limit");
  if (Json(pod) != Json(*now())) tx.Put(pod);
}

Answer Change(Tx& tx, const Call& call) {
  const auto rows = NeedNamed(call, tx.tables().pods, kPods);
  CheckAnyAttribute(call);
  Answer answer;
  for (const auto& row : rows) {
    ChangeOne(tx, call, row->id);
    answer.items.push_back(PodItem(tx, *tx.tables().pods.Find(row->id)));
  }
  return answer;
}

Answer Eradicate(Tx& tx, const Call& call) {
  for (const auto& row : NeedNamed(call, tx.tables().pods, kPods))
    EradicatePod(tx, row, call.Flag("eradicate_contents"));
  Answer answer;
  answer.no_body = true;
  return answer;
}

const PickRules kGroupPods{"Pod", "group_names", "group_ids", true};

Json MemberItem(const Pod& pod, const std::string& id, const std::string& name) {
  return {{"group", Reference(pod.id, pod.name)}, {"member", Reference(id, name)}};
}

Answer ListArrays(Tx& tx, const Call& call) {
  std::vector<Row> rows;
  const auto names = call.List("member_names");
  for (const auto& pod : PickNamed(call, tx.tables().pods, kGroupPods).value_or(tx.tables().pods.All())) {
    for (const PodArray& array : pod->arrays) {
      if (!names.empty() && std::find(names.begin(), names.end(), array.name) == names.end()) continue;
      rows.push_back(
          {Lower(pod->name) + "\n" + array.name, [pod, array] { return MemberItem(*pod, array.id, array.name); }});
    }
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.key < b.key; });
  return ListRows(call, std::move(rows));
}

struct StretchPair {
  PodPtr pod;
  Table<ArrayConnection>::Ptr peer;  // null: this array itself
};

StretchPair ReadPair(Tx& tx, const Call& call) {
  const auto pods = PickNamed(call, tx.tables().pods, {"Pod", "group_names", "group_ids", false});
  if (!pods || pods->size() != 1) throw ApiError("One pod and one array are required.");
  const std::string name = call.Text("member_names");
  const std::string id = call.Text("member_ids");
  if (name == tx.array().name || id == tx.array().array_id) return {pods->front(), nullptr};
  const auto peer = id.empty() ? tx.tables().array_connections.ByName(name) : tx.tables().array_connections.Find(id);
  if (!peer) throw ApiError(name.empty() ? id : name, "Array connection does not exist.");
  return {pods->front(), peer};
}

// The other array makes its half first; only then is there something to replicate to.
void PrepareStretch(const Context& context, Call* call) {
  Json head;
  std::string peer_name;
  {
    Tx tx(context.db);
    const StretchPair pair = ReadPair(tx, *call);
    if (!pair.peer || pair.pod->arrays.size() > 1) throw ApiError(pair.pod->name, "Pod already includes the array.");
    if (pair.peer->type != "sync-replication") {
      throw ApiError(pair.peer->name, "Array connection does not support synchronous replication.");
    }
    if (tx.tables().links.CountWhere("pod:" + pair.pod->id) != 0)
      throw ApiError(pair.pod->name, "Pod has a replica link.");
    if (pair.pod->promotion_status != "promoted" || pair.pod->destroyed)
      throw ApiError(pair.pod->name, "Pod is not promoted.");
    peer_name = pair.peer->name;
    head = {{"link_id", NewUuid()},
            {"pod_id", pair.pod->id},
            {"pod_name", pair.pod->name},
            {"failover_preferences", pair.pod->failover_preferences},
            {"array_id", tx.array().array_id}};
  }
  if (!context.peers->MayTalk(peer_name)) throw ApiError(peer_name, "Array is not connected.");
  try {
    const PeerReply reply =
        PeerClient(context.peers->AddressOf(peer_name), context.options->name).Send("stretch/create", head);
    if (reply.status != 200)
      throw ApiError(call->Text("group_names"), reply.body.value("message", "The other array refused."));
  } catch (const Unreachable&) {
    throw ApiError(peer_name, "Array is not connected.");
  }
  call->prepared = head;
}

Answer Stretch(Tx& tx, const Call& call) {
  const StretchPair pair = ReadPair(tx, call);
  Pod pod = *pair.pod;
  for (PodArray& array : pod.arrays) array.pre_elected = true;
  PodArray other;
  other.id = pair.peer->id;
  other.name = pair.peer->name;
  other.status = "resyncing";
  other.progress = 0;
  pod.arrays.push_back(other);
  tx.Put(pod);
  ReplicaLink link;
  link.id = call.prepared.at("link_id").get<std::string>();
  link.kind = "stretch";
  link.local_pod_id = pod.id;
  link.local_pod_name = pod.name;
  link.remote_pod_id = pod.id;
  link.remote_pod_name = pod.name;
  link.remote_id = other.id;
  link.remote_name = other.name;
  tx.Put(link);
  Answer answer;
  answer.items.push_back(MemberItem(pod, other.id, other.name));
  return answer;
}

Answer Unstretch(const Context& context, Tx& tx, const Call& call) {
  const StretchPair pair = ReadPair(tx, call);
  const auto links = tx.tables().links.Where("pod:" + pair.pod->id);
  if (links.empty() || links.front()->kind != "stretch")
    throw ApiError(pair.pod->name, "Pod is not stretched to the array.");
  const ReplicaLink link = *links.front();
  const bool reachable = context.peers->Online(link.remote_name);
  if (!reachable && !call.Flag("with_unknown")) {
    throw ApiError(pair.pod->name,
                   "Pod status on the other array is unknown: use with_unknown to unstretch it anyway.");
  }
  const bool keep = pair.peer != nullptr;
  EndStretch(tx, link, keep);
  Answer answer;
  answer.no_body = true;
  answer.after = [context, link, keep] {
    try {
      if (!context.peers->MayTalk(link.remote_name)) return;
      PeerClient(context.peers->AddressOf(link.remote_name), context.options->name)
          .Send("stretch/remove", {{"link_id", link.id}, {"keep", !keep}});
    } catch (const Unreachable&) {
      // Given up with with_unknown: the other array finds a stretch that nobody answers.
    }
  };
  return answer;
}

Answer Space(Tx& tx, const Call& call) {
  return ListRows(
      call, ToRows<Pod>(Listed(tx, call), [&tx](const Pod& pod) {
        return Json{{"id", pod.id}, {"name", pod.name}, {"space", PodItem(tx, pod)["space"]}, {"time", tx.now()}};
      }));
}

Answer Performance(Tx& tx, const Call& call) {
  return ListRows(call, ToRows<Pod>(Listed(tx, call), [&tx](const Pod& pod) {
                    Json item = QuietPerformance(tx.now());
                    item["id"] = pod.id;
                    item["name"] = pod.name;
                    return item;
                  }));
}

Answer ReplicationPerformance(Tx& tx, const Call& call) {
  return ListRows(call, ToRows<Pod>(Listed(tx, call), [&tx](const Pod& pod) {
                    const Json none = {
                        {"from_remote_bytes_per_sec", 0}, {"to_remote_bytes_per_sec", 0}, {"total_bytes_per_sec", 0}};
                    return Json{{"continuous_bytes_per_sec", none},
                                {"periodic_bytes_per_sec", none},
                                {"resync_bytes_per_sec", none},
                                {"sync_bytes_per_sec", none},
                                {"total_bytes_per_sec", 0},
                                {"pod", Reference(pod.id, pod.name)},
                                {"time", tx.now()}};
                  }));
}

}  // namespace

void AddPodRoutes(Dispatcher* dispatcher) {
  const Context context = dispatcher->context();
  dispatcher->Route("GET", "/pods", List);
  dispatcher->Route("POST", "/pods", Create);
  dispatcher->Route("PATCH", "/pods", Change);
  dispatcher->Route("DELETE", "/pods", Eradicate);
  dispatcher->Route("GET", "/pods/arrays", ListArrays);
  dispatcher->Before("POST", "/pods/arrays", [context](Call* call) { PrepareStretch(context, call); });
  dispatcher->Route("POST", "/pods/arrays", Stretch);
  dispatcher->Route("DELETE", "/pods/arrays",
                    [context](Tx& tx, const Call& call) { return Unstretch(context, tx, call); });
  dispatcher->Route("GET", "/pods/space", Space);
  dispatcher->Route("GET", "/pods/performance", Performance);
  dispatcher->Route("GET", "/pods/performance/replication", ReplicationPerformance);
}

}  // namespace protector::fasim
