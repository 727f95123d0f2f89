// /remote-pods, /remote-protection-groups, /remote-protection-group-snapshots, /remote-volume-snapshots: what of ours
// is elsewhere.
#include "simulators/flasharray/replication/peer_links.h"
#include "simulators/flasharray/rest/dispatcher.h"
#include "simulators/flasharray/rest/items.h"
#include "simulators/flasharray/rest/pick.h"

namespace protector::fasim {
namespace {

// Names of remote objects are matched here, because they are in no table of this array.
Answer ListNamed(const Call& call, const std::string& kind, std::vector<Json> items) {
  std::vector<Row> rows;
  std::vector<ApiError::Item> missing;
  const auto names = call.List("names");
  std::set<std::string> found;
  for (Json& item : items) {
    const std::string name = item["name"].get<std::string>();
    bool wanted = !call.Has("names");
    for (const std::string& one : names) {
      if (!GlobMatch(one, name)) continue;
      wanted = true;
      found.insert(one);
    }
    if (call.Has("on") && !call.Text("on").empty() && item.contains("remote") &&
        item["remote"]["name"] != call.Text("on"))
      continue;
    if (call.Has("destroyed") && item.value("destroyed", false) != call.Flag("destroyed")) continue;
    if (wanted) rows.push_back({Lower(name) + item.value("id", ""), [item] { return item; }});
  }
  for (const std::string& one : names) {
    if (found.count(one) == 0 && one.find('*') == std::string::npos)
      missing.push_back({one, kind + " does not exist."});
  }
  if (!missing.empty()) throw ApiError(400, std::move(missing));
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.key < b.key; });
  return ListRows(call, std::move(rows));
}

Answer Pods(const Context& context, Tx& tx, const Call& call) {
  std::vector<Json> items;
  for (const auto& peer : tx.tables().array_connections.All()) {
    for (const Json& pod : context.peers->PodsOf(peer->name)) items.push_back(pod);
  }
  return ListNamed(call, "Remote pod", std::move(items));
}

Answer Groups(Tx& tx, const Call& call) {
  std::vector<Json> items;
  for (const auto& group : tx.tables().groups.All()) {
    for (const GroupTarget& target : group->targets) {
      if (!group->is_local) continue;
      Json item = GroupItem(tx, *group);
      item["remote"] = Reference(target.array_id, target.array_name);
      items.push_back(std::move(item));
    }
  }
  return ListNamed(call, "Remote protection group", std::move(items));
}

// Each outbound transfer that is complete stands for a snapshot on its target.
std::vector<std::pair<Table<GroupSnapshot>::Ptr, Table<Transfer>::Ptr>> Sent(Tx& tx, bool complete) {
  std::vector<std::pair<Table<GroupSnapshot>::Ptr, Table<Transfer>::Ptr>> out;
  for (const auto& transfer : tx.tables().transfers.All()) {
    const auto snapshot = tx.tables().group_snapshots.Find(transfer->group_snapshot_id);
    if (!transfer->outbound || !snapshot || (complete && transfer->state != "completed")) continue;
    out.emplace_back(snapshot, transfer);
  }
  return out;
}

Answer GroupSnapshots(Tx& tx, const Call& call) {
  std::vector<Json> items;
  for (const auto& [snapshot, transfer] : Sent(tx, true)) {
    Json item = GroupSnapshotItem(tx, *snapshot);
    item["remote"] = Reference(transfer->target_id, transfer->target_name);
    item["is_local"] = true;
    items.push_back(std::move(item));
  }
  return ListNamed(call, "Remote protection group snapshot", std::move(items));
}

Answer GroupTransfers(Tx& tx, const Call& call) {
  std::vector<Json> items;
  for (const auto& [snapshot, transfer] : Sent(tx, false)) {
    Json item = TransferItem(tx, *transfer);
    item["source"] = Reference(transfer->group_id, snapshot->source_name);
    item["remote"] = Reference(transfer->target_id, transfer->target_name);
    items.push_back(std::move(item));
  }
  return ListNamed(call, "Remote protection group snapshot", std::move(items));
}

Answer VolumeSnapshots(Tx& tx, const Call& call, bool transfers) {
  std::vector<Json> items;
  for (const auto& [snapshot, transfer] : Sent(tx, !transfers)) {
    for (const auto& member : tx.tables().snapshots.Where("group_snapshot:" + snapshot->id)) {
      Json item = transfers ? TransferItem(tx, *transfer) : SnapshotItem(tx, *member);
      item["id"] = member->id;
      item["name"] = member->name;
      item["remote"] = Reference(transfer->target_id, transfer->target_name);
      items.push_back(std::move(item));
    }
  }
  return ListNamed(call, "Remote volume snapshot", std::move(items));
}

}  // namespace

void AddRemoteRoutes(Dispatcher* dispatcher) {
  const Context context = dispatcher->context();
  dispatcher->Route("GET", "/remote-pods", [context](Tx& tx, const Call& call) { return Pods(context, tx, call); });
  dispatcher->Route("GET", "/remote-protection-groups", Groups);
  dispatcher->Route("GET", "/remote-protection-group-snapshots", GroupSnapshots);
  dispatcher->Route("GET", "/remote-protection-group-snapshots/transfer", GroupTransfers);
  dispatcher->Route("GET", "/remote-volume-snapshots",
                    [](Tx& tx, const Call& call) { return VolumeSnapshots(tx, call, false); });
  dispatcher->Route("GET", "/remote-volume-snapshots/transfer",
                    [](Tx& tx, const Call& call) { return VolumeSnapshots(tx, call, true); });
}

}  // namespace protector::fasim
