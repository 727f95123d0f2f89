// /protection-group-snapshots, /transfer, /replica, /test, /protection-groups/space and performance
#include "simulators/flasharray/model/group_ops.h"
#include "simulators/flasharray/rest/dispatcher.h"
#include "simulators/flasharray/rest/items.h"
#include "simulators/flasharray/rest/pick.h"

namespace protector::fasim {
namespace {

const PickRules kSnapshots{"Protection group snapshot"};
const PickRules kSources{"Protection group", "source_names", "source_ids", true};

// names= may name a group here (all its snapshots) as well as a snapshot; real clients do both.
Table<GroupSnapshot>::Rows Listed(Tx& tx, const Call& call) {
  CheckExclusive(call, "names", "ids");
  Table<GroupSnapshot>::Rows rows;
  const auto add_group = [&](const GroupPtr& group) {
    for (const auto& row : tx.tables().group_snapshots.Where("group:" + group->id)) rows.push_back(row);
  };
  if (const auto groups = PickNamed(call, tx.tables().groups, kSources)) {
    for (const auto& group : *groups) add_group(group);
  } else if (call.Has("names")) {
    std::vector<ApiError::Item> missing;
    for (const std::string& name : call.List("names")) {
      if (const auto star = name.find('*'); star != std::string::npos) {
        for (const auto& row : tx.tables().group_snapshots.All(name.substr(0, star))) {
          if (GlobMatch(name, row->name)) rows.push_back(row);
        }
      } else if (const auto snapshot = tx.tables().group_snapshots.ByName(name)) {
        rows.push_back(snapshot);
      } else if (const auto group = tx.tables().groups.ByName(name)) {
        add_group(group);
      } else {
        missing.push_back({name, name.find('.') == std::string::npos ? "Protection group does not exist."
                                                                     : "Protection group snapshot does not exist."});
      }
    }
    if (!missing.empty()) throw ApiError(400, std::move(missing));
  } else {
    rows = Candidates(call, tx.tables().group_snapshots, kSnapshots);
  }
  NarrowDestroyed(call, &rows);
  return rows;
}

Answer List(Tx& tx, const Call& call) {
  return ListRows(call, ToRows<GroupSnapshot>(Listed(tx, call),
                                              [&tx](const GroupSnapshot& row) { return GroupSnapshotItem(tx, row); }));
}

Answer Create(Tx& tx, const Call& call) {
  const auto groups = PickNamed(call, tx.tables().groups, {"Protection group", "source_names", "source_ids", false});
  if (!groups) throw ApiError("One of the parameters source_names or source_ids is required.");
  SnapshotRequest request;
  request.suffix = call.BodyText("suffix").value_or("");
  request.replicate = call.Flag("replicate");
  request.replicate_now = call.Flag("replicate_now");
  request.apply_retention = call.Flag("apply_retention");
  request.for_replication = call.Flag("for_replication");
  Answer answer;
  for (const auto& group : *groups) answer.items.push_back(GroupSnapshotItem(tx, SnapshotGroup(tx, group, request)));
  return answer;
}

Answer Change(Tx& tx, const Call& call) {
  const auto rows = NeedNamed(call, tx.tables().group_snapshots, kSnapshots);
  CheckAnyAttribute(call);
  Answer answer;
  for (const auto& row : rows) {
    GroupSnapshot changed = *row;
    if (const auto destroyed = call.BodyBool("destroyed")) {
      changed = *destroyed ? DestroyGroupSnapshot(tx, row) : RecoverGroupSnapshot(tx, row);
    } else {
      throw ApiError(row->name, "No attribute specified.");
    }
    answer.items.push_back(GroupSnapshotItem(tx, changed));
  }
  return answer;
}

Answer Eradicate(Tx& tx, const Call& call) {
  for (const auto& row : NeedNamed(call, tx.tables().group_snapshots, kSnapshots)) EradicateGroupSnapshot(tx, row);
  Answer answer;
  answer.no_body = true;
  return answer;
}

Answer Transfers(Tx& tx, const Call& call) {
  std::vector<Row> rows;
  for (const auto& snapshot : Listed(tx, call)) {
    for (const auto& transfer : tx.tables().transfers.Where("group_snapshot:" + snapshot->id)) {
      rows.push_back(
          {Lower(snapshot->name) + "\n" + transfer->id, [&tx, transfer] { return TransferItem(tx, *transfer); }});
    }
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.key < b.key; });
  return ListRows(call, std::move(rows));
}

// Sends an existing local snapshot to a target.
Answer Replicate(Tx& tx, const Call& call) {
  const auto rows = NeedNamed(call, tx.tables().group_snapshots, kSnapshots);
  const auto target = tx.tables().array_connections.ByName(call.Text("on"));
  if (!target) throw ApiError(call.Text("on"), "Array connection does not exist.");
  Answer answer;
  for (const auto& row : rows) {
    if (row->remote) throw ApiError(row->name, "Protection group snapshot is not local to this array.");
    QueueTransfers(tx, *row, target->id, true);
    answer.items.push_back(GroupSnapshotItem(tx, *row));
  }
  return answer;
}

Answer GroupSpace(Tx& tx, const Call& call) {
  auto groups = Candidates(call, tx.tables().groups, {"Protection group"});
  NarrowDestroyed(call, &groups);
  return ListRows(call, ToRows<ProtectionGroup>(groups, [&tx](const ProtectionGroup& group) {
                    Json item = GroupItem(tx, group);
                    return Json{{"id", group.id}, {"name", group.name}, {"space", item["space"]}, {"time", tx.now()}};
                  }));
}

Answer GroupPerformance(Tx& tx, const Call& call) {
  auto groups = Candidates(call, tx.tables().groups, {"Protection group"});
  NarrowDestroyed(call, &groups);
  return ListRows(call, ToRows<ProtectionGroup>(groups, [&tx](const ProtectionGroup& group) {
                    return Json{{"id", group.id}, {"name", group.name}, {"bytes_per_sec", 0}, {"time", tx.now()}};
                  }));
}

}  // namespace

void AddGroupSnapshotRoutes(Dispatcher* dispatcher) {
  dispatcher->Route("GET", "/protection-group-snapshots", List);
  dispatcher->Route("POST", "/protection-group-snapshots", Create);
  dispatcher->Route("PATCH", "/protection-group-snapshots", Change);
  dispatcher->Route("DELETE", "/protection-group-snapshots", Eradicate);
  dispatcher->Route("GET", "/protection-group-snapshots/transfer", Transfers);
  dispatcher->Route("POST", "/protection-group-snapshots/replica", Replicate);
  dispatcher->Route("GET", "/protection-groups/space", GroupSpace);
  dispatcher->Route("GET", "/protection-groups/performance/replication", GroupPerformance);
}

}  // namespace protector::fasim
