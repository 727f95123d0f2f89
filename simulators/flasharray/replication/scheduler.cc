#include "simulators/flasharray/replication/scheduler.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "simulators/flasharray/model/group_ops.h"
#include "simulators/flasharray/model/pod_ops.h"
#include "simulators/flasharray/model/volume_ops.h"

namespace protector::fasim {
namespace {

constexpr Millis kShortest = 300000;
constexpr Millis kDay = 86400000;

bool InBlackout(const Schedule& schedule, Millis now) {
  if (!schedule.blackout_start || !schedule.blackout_end) return false;
  const Millis today = now % kDay;
  const Millis begin = *schedule.blackout_start, end = *schedule.blackout_end;
  return begin <= end ? today >= begin && today < end : today >= begin || today < end;
}

bool Due(const Schedule& schedule, const SimClock& clock, Millis last) {
  if (!schedule.enabled || schedule.frequency <= 0) return false;
  return last == 0 || clock.Now() - last >= clock.Scaled(std::max(schedule.frequency, kShortest));
}

}  // namespace

void Scheduler::Tick() {
  Tx tx(db_);
  RunSchedules(tx);
  Eradicate(tx);
  tx.Commit();
}

void Scheduler::RunSchedules(Tx& tx) {
  const SimClock& clock = db_->clock();
  for (const auto& row : tx.tables().groups.All()) {
    if (row->destroyed) continue;
    if (row->is_local && Due(row->snapshot_schedule, clock, row->last_snapshot)) {
      ProtectionGroup group = *row;
      group.last_snapshot = tx.now();
      tx.Put(group);
      SnapshotRequest request;
      request.apply_retention = true;
      SnapshotGroup(tx, tx.tables().groups.Find(row->id), request);
    }
    const auto now = tx.tables().groups.Find(row->id);
    const bool any_allowed =
        std::any_of(now->targets.begin(), now->targets.end(), [](const auto& t) { return t.allowed; });
    if (now->is_local && any_allowed && Due(now->replication_schedule, clock, now->last_replication) &&
        !InBlackout(now->replication_schedule, tx.now())) {
      // While a target is away the newest state waits, not one snapshot for each period.
      bool waiting = false;
      for (const auto& transfer : tx.tables().transfers.Where("group:" + now->id))
        waiting = waiting || transfer->state == "queued";
      if (!waiting) {
        ProtectionGroup group = *now;
        group.last_replication = tx.now();
        tx.Put(group);
        SnapshotRequest request;
        request.replicate = true;
        request.apply_retention = true;
        SnapshotGroup(tx, tx.tables().groups.Find(row->id), request);
      }
    }
    ApplyRetention(tx, tx.tables().groups.Find(row->id), clock.scale());
  }
}

void Scheduler::Eradicate(Tx& tx) {
  const Millis now = tx.now();
  for (const auto& row : tx.tables().group_snapshots.Where("destroyed:")) {
    if (row->eradicate_at <= now) EradicateGroupSnapshot(tx, row);
  }
  for (const auto& row : tx.tables().groups.Where("destroyed:")) {
    if (row->eradicate_at <= now && row->retention_lock != "ratcheted") EradicateGroup(tx, row);
  }
  for (const auto& row : tx.tables().snapshots.Where("destroyed:")) {
    if (row->eradicate_at <= now) EradicateSnapshot(tx, row);
  }
  for (const auto& row : tx.tables().volumes.Where("destroyed:")) {
    if (row->eradicate_at <= now) EradicateVolume(tx, row);
  }
  for (const auto& row : tx.tables().pods.All()) {
    if (row->destroyed && row->eradicate_at <= now) EradicatePod(tx, row, true);
  }
}

}  // namespace protector::fasim
