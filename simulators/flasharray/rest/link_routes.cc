// /pod-replica-links, /pod-replica-links/lag, /pod-replica-links/performance/replication
#include "simulators/flasharray/model/pod_ops.h"
#include "simulators/flasharray/replication/peer_client.h"
#include "simulators/flasharray/replication/peer_links.h"
#include "simulators/flasharray/replication/pod_replicator.h"
#include "simulators/flasharray/rest/dispatcher.h"
#include "simulators/flasharray/rest/items.h"
#include "simulators/flasharray/rest/pick.h"

namespace protector::fasim {
namespace {

bool In(const std::vector<std::string>& list, const std::string& value) {
  return list.empty() || std::find_if(list.begin(), list.end(),
                                      [&](const std::string& one) { return Lower(one) == Lower(value); }) != list.end();
}

// A link has no name; it is found by its pods and arrays. Pods that do not exist are refused, links that do not match
// are just not there.
Table<ReplicaLink>::Rows Select(Tx& tx, const Call& call) {
  const auto pods = PickNamed(call, tx.tables().pods, {"Pod", "local_pod_names", "local_pod_ids", true});
  Table<ReplicaLink>::Rows rows;
  std::vector<ApiError::Item> missing;
  for (const std::string& id : call.List("ids")) {
    const auto link = tx.tables().links.Find(id);
    if (!link || link->kind != "activedr") missing.push_back({id, "Pod replica link does not exist."});
  }
  if (!missing.empty()) throw ApiError(400, std::move(missing));
  for (const auto& link : tx.tables().links.All()) {
    if (link->kind != "activedr" || !In(call.List("ids"), link->id)) continue;
    if (pods &&
        std::none_of(pods->begin(), pods->end(), [&](const auto& pod) { return pod->id == link->local_pod_id; }))
      continue;
    if (!In(call.List("remote_pod_names"), link->remote_pod_name) ||
        !In(call.List("remote_pod_ids"), link->remote_pod_id) || !In(call.List("remote_names"), link->remote_name) ||
        !In(call.List("remote_ids"), link->remote_id)) {
      continue;
    }
    rows.push_back(link);
  }
  return rows;
}

Answer List(Tx& tx, const Call& call) {
  return ListRows(call,
                  ToRows<ReplicaLink>(Select(tx, call), [&tx](const ReplicaLink& link) { return LinkItem(tx, link); }));
}

Answer Lag(Tx& tx, const Call& call) {
  return ListRows(call, ToRows<ReplicaLink>(Select(tx, call), [&tx](const ReplicaLink& link) {
                    Json item = LinkItem(tx, link);
                    item["lag"] = {{"avg", item["lag"]}, {"max", item["lag"]}};
                    item["time"] = tx.now();
                    return item;
                  }));
}

Answer Performance(Tx& tx, const Call& call) {
  return ListRows(call, ToRows<ReplicaLink>(Select(tx, call), [&tx](const ReplicaLink& link) {
                    Json item = LinkItem(tx, link);
                    item["bytes_per_sec_from_remote"] = 0;
                    item["bytes_per_sec_to_remote"] = 0;
                    item["bytes_per_sec_total"] = 0;
                    item["time"] = tx.now();
                    return item;
                  }));
}

void Prepare(const Context& context, Call* call) {
  Json head;
  std::string peer_name, pod_name;
  {
    Tx tx(context.db);
    const auto pods = PickNamed(*call, tx.tables().pods, {"Pod", "local_pod_names", "local_pod_ids", false});
    const std::string remote_pod = call->Text("remote_pod_names");
    if (!pods || pods->size() != 1 || remote_pod.empty())
      throw ApiError("local_pod_names and remote_pod_names are required.");
    const PodPtr pod = pods->front();
    pod_name = pod->name;
    if (pod->destroyed) throw ApiError(pod_name, "Pod has been destroyed.");
    if (pod->promotion_status != "promoted") throw ApiError(pod_name, "Pod is not promoted.");
    if (pod->arrays.size() > 1) throw ApiError(pod_name, "A stretched pod cannot have a replica link.");
    if (tx.tables().links.CountWhere("pod:" + pod->id) != 0)
      throw ApiError(pod_name, "Pod replica link already exists.");
    auto peer = call->Has("remote_ids") ? tx.tables().array_connections.Find(call->Text("remote_ids"))
                                        : tx.tables().array_connections.ByName(call->Text("remote_names"));
    const auto all = tx.tables().array_connections.All();
    if (!call->Has("remote_ids") && !call->Has("remote_names") && all.size() == 1) peer = all.front();
    if (!peer) throw ApiError(call->Text("remote_names"), "Array connection does not exist.");
    peer_name = peer->name;
    head = {{"link_id", NewUuid()},
            {"pod_id", pod->id},
            {"pod_name", pod->name},
            {"remote_pod_name", remote_pod},
            {"array_id", tx.array().array_id},
            {"remote_id", peer->id},
            {"remote_name", peer->name}};
  }
  if (!context.peers->MayTalk(peer_name)) throw ApiError(peer_name, "Array is not connected.");
  try {
    const PeerReply reply =
        PeerClient(context.peers->AddressOf(peer_name), context.options->name).Send("link/create", head);
    if (reply.status != 200)
      throw ApiError(call->Text("remote_pod_names"), reply.body.value("message", "The other array refused."));
    head["remote_pod_id"] = reply.body.at("pod_id");
  } catch (const Unreachable&) {
    throw ApiError(peer_name, "Array is not connected.");
  }
  call->prepared = head;
}

Answer Create(Tx& tx, const Call& call) {
  const Json& made = call.prepared;
  ReplicaLink link;
  link.id = made.at("link_id").get<std::string>();
  link.local_pod_id = made.at("pod_id").get<std::string>();
  link.local_pod_name = made.at("pod_name").get<std::string>();
  link.remote_pod_id = made.at("remote_pod_id").get<std::string>();
  link.remote_pod_name = made.at("remote_pod_name").get<std::string>();
  link.remote_id = made.at("remote_id").get<std::string>();
  link.remote_name = made.at("remote_name").get<std::string>();
  tx.Put(link);
  Answer answer;
  answer.items.push_back(LinkItem(tx, link));
  return answer;
}

Table<ReplicaLink>::Rows NeedSelected(Tx& tx, const Call& call) {
  if (!call.Has("ids") && !call.Has("local_pod_names") && !call.Has("local_pod_ids") && !call.Has("remote_pod_names") &&
      !call.Has("remote_pod_ids")) {
    throw ApiError("The link must be named by its pods.");
  }
  auto rows = Select(tx, call);
  if (rows.empty()) throw ApiError(call.Text("local_pod_names"), "Pod replica link does not exist.");
  return rows;
}

Answer Change(Tx& tx, const Call& call) {
  const auto paused = call.BodyBool("paused");
  if (!paused) throw ApiError("No attribute specified.");
  Answer answer;
  for (const auto& row : NeedSelected(tx, call)) {
    if (!row->outbound) throw ApiError(row->local_pod_name, "Pod replica link is paused at its source.");
    ReplicaLink link = *row;
    link.paused = *paused;
    if (link.paused) link.status = "paused";
    if (!link.paused && link.status == "paused") link.status = link.base_uid.empty() ? "baselining" : "replicating";
    tx.Put(link);
    answer.items.push_back(LinkItem(tx, link));
  }
  return answer;
}

Answer Delete(const Context& context, Tx& tx, const Call& call) {
  const auto rows = NeedSelected(tx, call);
  for (const auto& row : rows) EraseLink(tx, *row);
  Answer answer;
  answer.no_body = true;
  answer.after = [context, rows] {
    for (const auto& row : rows) {
      try {
        if (!context.peers->MayTalk(row->remote_name)) continue;
        PeerClient(context.peers->AddressOf(row->remote_name), context.options->name)
            .Send("link/delete", {{"link_id", row->id}});
      } catch (const Unreachable&) {
        // Its half stays there as an unhealthy link and can be deleted there.
      }
    }
  };
  return answer;
}

}  // namespace

void AddLinkRoutes(Dispatcher* dispatcher) {
  const Context context = dispatcher->context();
  dispatcher->Route("GET", "/pod-replica-links", List);
  dispatcher->Before("POST", "/pod-replica-links", [context](Call* call) { Prepare(context, call); });
  dispatcher->Route("POST", "/pod-replica-links", Create);
  dispatcher->Route("PATCH", "/pod-replica-links", Change);
  dispatcher->Route("DELETE", "/pod-replica-links",
                    [context](Tx& tx, const Call& call) { return Delete(context, tx, call); });
  dispatcher->Route("GET", "/pod-replica-links/lag", Lag);
  dispatcher->Route("GET", "/pod-replica-links/performance/replication", Performance);
}

}  // namespace protector::fasim
