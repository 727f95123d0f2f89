// /volume-snapshots and /volume-snapshots/transfer
#include "simulators/flasharray/model/group_ops.h"
#include "simulators/flasharray/model/volume_ops.h"
#include "simulators/flasharray/rest/dispatcher.h"
#include "simulators/flasharray/rest/items.h"
#include "simulators/flasharray/rest/pick.h"
#include "simulators/flasharray/rest/tags.h"

namespace protector::fasim {
namespace {

const PickRules kSnapshots{"Volume snapshot"};
const PickRules kSources{"Volume", "source_names", "source_ids", true};

// names=, ids=, or everything of some volumes.
Table<Snapshot>::Rows Listed(Tx& tx, const Call& call) {
  auto sources = PickNamed(call, tx.tables().volumes, kSources);
  if (!sources) {
    auto rows = Candidates(call, tx.tables().snapshots, kSnapshots);
    NarrowDestroyed(call, &rows);
    return rows;
  }
  Table<Snapshot>::Rows rows;
  for (const auto& volume : *sources) {
    for (const auto& row : tx.tables().snapshots.Where("source:" + volume->id)) rows.push_back(row);
  }
  NarrowDestroyed(call, &rows);
  return rows;
}

Answer List(Tx& tx, const Call& call) {
  return ListRows(call,
                  ToRows<Snapshot>(Listed(tx, call), [&tx](const Snapshot& row) { return SnapshotItem(tx, row); }));
}

Answer Create(Tx& tx, const Call& call) {
  const auto sources = PickNamed(call, tx.tables().volumes, {"Volume", "source_names", "source_ids", false});
  if (!sources) throw ApiError("One of the parameters source_names or source_ids is required.");
  if (call.Has("on")) throw ApiError("Replication of single snapshots is not supported by this array.");
  Answer answer;
  for (const auto& volume : *sources) {
    answer.items.push_back(SnapshotItem(tx, CreateSnapshot(tx, volume, call.BodyText("suffix").value_or(""))));
  }
  return answer;
}

Answer Change(Tx& tx, const Call& call) {
  const auto rows = NeedNamed(call, tx.tables().snapshots, kSnapshots);
  CheckAnyAttribute(call);
  if (call.body.size() > 1) throw ApiError("Invalid combination of parameters specified.");
  Answer answer;
  for (const auto& row : rows) {
    Snapshot changed = *row;
    if (const auto destroyed = call.BodyBool("destroyed")) {
      changed = *destroyed ? DestroySnapshot(tx, row) : RecoverSnapshot(tx, row);
    } else if (const auto name = call.BodyText("name")) {
      changed = RenameSnapshot(tx, row, *name);
    }
    answer.items.push_back(SnapshotItem(tx, changed));
  }
  return answer;
}

Answer Eradicate(Tx& tx, const Call& call) {
  for (const auto& row : NeedNamed(call, tx.tables().snapshots, kSnapshots)) EradicateSnapshot(tx, row);
  Answer answer;
  answer.no_body = true;
  return answer;
}

// One volume's share of its group snapshot's transfer.
Answer Transfers(Tx& tx, const Call& call) {
  std::vector<Row> rows;
  for (const auto& snapshot : Listed(tx, call)) {
    for (const auto& transfer : tx.tables().transfers.Where("group_snapshot:" + snapshot->group_snapshot_id)) {
      if (snapshot->group_snapshot_id.empty()) continue;
      rows.push_back({Lower(snapshot->name) + "\n" + transfer->id, [&tx, snapshot, transfer] {
                        Json item = TransferItem(tx, *transfer);
                        item["id"] = snapshot->id;
                        item["name"] = snapshot->name;
                        item["destroyed"] = snapshot->destroyed;
                        item["data_transferred"] = tx.images().AllocatedBytes(snapshot->image);
                        return item;
                      }});
    }
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.key < b.key; });
  return ListRows(call, std::move(rows));
}

}  // namespace

void AddSnapshotRoutes(Dispatcher* dispatcher) {
  dispatcher->Route("GET", "/volume-snapshots", List);
  dispatcher->Route("POST", "/volume-snapshots", Create);
  dispatcher->Route("PATCH", "/volume-snapshots", Change);
  dispatcher->Route("DELETE", "/volume-snapshots", Eradicate);
  dispatcher->Route("GET", "/volume-snapshots/transfer", Transfers);
  AddTagRoutes(dispatcher);
}

}  // namespace protector::fasim
