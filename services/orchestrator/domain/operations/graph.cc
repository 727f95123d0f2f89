#include "services/orchestrator/domain/operations/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace protector::orchestrator {
namespace {

constexpr size_t kSerialsATask = 50;

// Collects tasks; positions count from `offset`, the number of tasks that are there already.
class Builder {
 public:
  Builder(const op::Operation& operation, const groups::GroupDocument& document, int offset)
      : operation_(operation), document_(document), offset_(offset) {
    std::map<std::string, int> names;
    for (const groups::Member& member : document.members()) ++names[member.server().name()];
    for (const groups::Member& member : document.members()) {
      const std::string& name = member.server().name();
      const bool unique = names[name] == 1 && name.find('/') == std::string::npos && !name.empty();
      labels_.push_back(unique ? name : fmt::format("{}~{}", name, member.id().substr(0, 8)));
      positions_[member.id()] = static_cast<int>(labels_.size()) - 1;
    }
  }

  // Following tasks belong to this step, act on this site, and are pending work or not.
  void Step(const std::string& step, const std::string& site, bool deferred = false) {
    step_ = step;
    site_ = site;
    deferred_ = deferred;
  }

  int Group(const std::string& kind, const std::string& object, const std::vector<int>& after,
            const std::vector<int>& after_settled = {}, const std::string& id_object = "") {
    op::TaskRecord record;
    op::Task& task = *record.mutable_task();
    task.set_id(TaskId(step_, kind, id_object));
    task.set_step(step_);
    task.set_kind(kind);
    task.set_object(object);
    task.set_site(site_);
    task.set_state(op::PENDING);
    record.set_deferred(deferred_);
    for (int before : after) record.add_after(before);
    for (int before : after_settled) record.add_after_settled(before);
    tasks_.push_back(std::move(record));
    return offset_ + static_cast<int>(tasks_.size()) - 1;
  }

  int Member(const std::string& kind, int member, const std::vector<int>& after,
             const std::vector<int>& after_settled = {}, int index = -1, const std::string& what = "") {
    const std::string& label = labels_[static_cast<size_t>(member)];
    const std::string id_object = index < 0 ? label : fmt::format("{}.{}", label, index);
    const std::string object =
        index < 0 ? fmt::format("member {}", label) : fmt::format("member {} {} {}", label, what, index);
    const int position = Group(kind, object, after, after_settled, id_object);
    op::TaskRecord& record = Last();
    record.set_member_id(document_.members(member).id());
    record.set_member(member);
    record.set_label(label);
    record.set_index(std::max(index, 0));
    return position;
  }

  op::TaskRecord& Last() { return tasks_.back(); }
  std::vector<op::TaskRecord> Take() { return std::move(tasks_); }
  const groups::GroupDocument& document() const { return document_; }
  const op::Operation& operation() const { return operation_; }
  int PositionOf(const std::string& member_id) const {
    const auto found = positions_.find(member_id);
    return found == positions_.end() ? -1 : found->second;
  }

 private:
  const op::Operation& operation_;
  const groups::GroupDocument& document_;
  const int offset_;
  std::vector<std::string> labels_;
  std::map<std::string, int> positions_;
  std::string step_;
  std::string site_;
  bool deferred_ = false;
  std::vector<op::TaskRecord> tasks_;
};

// Takes what STALE placements of a site name out of its cloud: server, then owned ports and volumes. Returns all tasks.
std::vector<int> AddCleaning(Builder& builder, int member, const groups::Placement& placement,
                             const std::vector<int>& after) {
  std::vector<int> all;
  std::vector<int> gone = after;
  if (!placement.server_id().empty()) {
    all.push_back(builder.Member("delete-server", member, after));
    builder.Last().set_target_id(placement.server_id());
    gone = {all.back()};
  }
  for (int p = 0; p < placement.port_ids_size(); ++p) {
    const bool owned = p < placement.port_owned_size() && placement.port_owned(p);
    if (!owned || placement.port_ids(p).empty()) continue;
    all.push_back(builder.Member("delete-port", member, gone, {}, p, "port"));
    builder.Last().set_target_id(placement.port_ids(p));
  }
  for (const groups::VolumePlacement& volume : placement.volumes()) {
    if (volume.volume_id().empty()) continue;
    all.push_back(builder.Member("unmanage-volume", member, gone, {}, volume.index(), "volume"));
    builder.Last().set_target_id(volume.volume_id());
  }
  return all;
}

struct Restore {
  std::vector<int> servers;  // the create-server tasks, by member
  // What a result has to wait for: also the volumes and ports of a member whose server cannot be made any more. A
  // volume whose import is still on its way is about to be renamed, and would be missing in the document.
  std::vector<int> ends;
};

// storage_failover and recreate_vms: every member on its own, from its disks to ACTIVE.
Restore AddRestore(Builder& builder, const std::vector<int>& ready, const std::vector<int>& ready_settled) {
  const std::string& target = builder.operation().target_site();
  const groups::GroupDocument& document = builder.document();
  Restore restore;
  std::vector<int>& servers = restore.servers;
  servers.resize(static_cast<size_t>(document.members_size()));
  std::vector<std::vector<int>> needs(servers.size());
  for (int m = 0; m < document.members_size(); ++m) {
    const groups::ServerSpec& server = document.members(m).server();
    builder.Step("storage_failover", target);
    const int disks = builder.Member("materialize-volumes", m, ready, ready_settled);
    for (const groups::VolumeSpec& volume : server.volumes()) {
      const int import = builder.Member("import-volume", m, {disks}, {}, volume.index(), "volume");
      needs[static_cast<size_t>(m)].push_back(
          builder.Member("update-volume", m, {import}, {}, volume.index(), "volume"));
    }
    builder.Step("recreate_vms", target);
    for (int p = 0; p < server.ports_size(); ++p) {
      needs[static_cast<size_t>(m)].push_back(builder.Member("create-port", m, ready, ready_settled, p, "port"));
    }
  }
  for (const std::vector<int>& own : needs) restore.ends.insert(restore.ends.end(), own.begin(), own.end());
  // Boot order: a level begins when the one before has ended, however; a member that names others needs them ACTIVE.
  std::map<int, std::vector<int>> levels;
  for (int m = 0; m < document.members_size(); ++m) levels[document.members(m).boot_order()].push_back(m);
  std::vector<int> gate;
  for (const auto& [order, members] : levels) {
    std::vector<int> level;
    for (int m : members) {
      servers[static_cast<size_t>(m)] = builder.Member("create-server", m, needs[static_cast<size_t>(m)], gate);
      level.push_back(servers[static_cast<size_t>(m)]);
    }
    if (levels.size() > 1)
      gate = {
          builder.Group("boot-order-gate", fmt::format("boot order {}", order), {}, level, fmt::format("{}", order))};
  }
  restore.ends.insert(restore.ends.end(), servers.begin(), servers.end());
  return restore;
}

// What a member's depends_on adds: edges between create-server tasks, which all exist by now. A cycle, or a member that
// would have to wait for a later boot order, is left out: the group's rules refuse them when they are set.
void AddDependencies(const groups::GroupDocument& document, const std::map<std::string, int>& positions,
                     const std::vector<int>& servers, int offset, std::vector<op::TaskRecord>& tasks) {
  for (int m = 0; m < document.members_size(); ++m) {
    for (const std::string& other : document.members(m).depends_on()) {
      const auto found = positions.find(other);
      if (found == positions.end() || found->second == m) continue;
      const int before = found->second;
      if (document.members(before).boot_order() > document.members(m).boot_order()) continue;
      tasks[static_cast<size_t>(servers[static_cast<size_t>(m)] - offset)].add_after(
          servers[static_cast<size_t>(before)]);
    }
  }
}

bool HasCycle(const groups::GroupDocument& document, const std::map<std::string, int>& positions) {
  std::vector<int> mark(static_cast<size_t>(document.members_size()), 0);
  std::vector<std::pair<int, int>> stack;
  for (int start = 0; start < document.members_size(); ++start) {
    if (mark[static_cast<size_t>(start)] != 0) continue;
    stack.push_back({start, 0});
    mark[static_cast<size_t>(start)] = 1;
    while (!stack.empty()) {
      auto& [at, next] = stack.back();
      if (next == document.members(at).depends_on_size()) {
        mark[static_cast<size_t>(at)] = 2;
        stack.pop_back();
        continue;
      }
      const auto found = positions.find(document.members(at).depends_on(next++));
      if (found == positions.end()) continue;
      if (mark[static_cast<size_t>(found->second)] == 1) return true;
      if (mark[static_cast<size_t>(found->second)] == 0) {
        mark[static_cast<size_t>(found->second)] = 1;
        stack.push_back({found->second, 0});
      }
    }
  }
  return false;
}

bool NeedsFinish(const groups::Member& member) {
  return !member.server().running() || member.server().locked();
}

std::vector<int> AddFinish(Builder& builder, const Restore& restore) {
  std::vector<int> ends = restore.ends;
  builder.Step("recreate_vms", builder.operation().target_site());
  for (int m = 0; m < builder.document().members_size(); ++m) {
    if (NeedsFinish(builder.document().members(m))) {
      ends.push_back(builder.Member("finish-server", m, {restore.servers[static_cast<size_t>(m)]}));
    }
  }
  return ends;
}

// A member's old volumes on the source, once the member is up, cleaned away, and copied back in full.
int AddRetire(Builder& builder, int member, const groups::Placement& placement, const std::vector<int>& after) {
  const int position = builder.Member("retire-volumes", member, after);
  builder.Last().set_late(true);
  for (const groups::VolumePlacement& volume : placement.volumes()) {
    if (!volume.serial().empty()) builder.Last().add_serials(volume.serial());
  }
  return position;
}

// What earlier moves left on the target's array.
void AddRetireLeftover(Builder& builder, const std::vector<std::string>& serials, const std::vector<int>& after,
                       std::vector<int>& all) {
  for (size_t from = 0; from < serials.size(); from += kSerialsATask) {
    all.push_back(builder.Group("retire-volumes", "volumes that earlier moves left", after, {},
                                fmt::format("leftover.{}", from / kSerialsATask)));
    builder.Last().set_late(true);
    for (size_t i = from; i < std::min(serials.size(), from + kSerialsATask); ++i)
      builder.Last().add_serials(serials[i]);
  }
}

// reprotect and cleanup_source. `deferred`: they wait for the source to come back.
void AddAftermath(Builder& builder, const Run& run, int result, const std::vector<int>& servers,
                  const std::vector<int>& ends, bool deferred) {
  const std::string& source = builder.operation().source_site();
  const std::string& target = builder.operation().target_site();
  std::vector<int> begin = {result};
  std::vector<int> settled;
  builder.Step("reprotect", source, deferred);
  if (deferred) {
    begin = {builder.Group("await-peer", "site " + source, {result})};
    builder.Last().set_late(true);  // waiting is not doing: the step is pending meanwhile
    settled.push_back(builder.Group("fence-returned", "volumes on " + source, begin));
    settled.push_back(builder.Group("suspend-source", "replication from " + source, begin));
  }
  builder.Step("reprotect", target, deferred);
  const int ensure =
      builder.Group("ensure-reverse", fmt::format("replication {} to {}", target, source), begin, settled);
  builder.Step("reprotect", source, deferred);
  const int accept = builder.Group("accept-reverse", fmt::format("replication {} to {}", target, source), {ensure});
  settled.push_back(accept);
  // A pod's link can be made only when the pod on the other side is there.
  const bool pod = builder.document().replication_type() == groups::SYNC;
  int linked = accept;
  if (pod) {
    builder.Step("reprotect", target, deferred);
    linked =
        builder.Group("ensure-reverse", fmt::format("replica link {} to {}", target, source), {accept}, {}, "link");
    settled.push_back(linked);
  }

  builder.Step("cleanup_source", source, deferred);
  std::vector<int> cleaning = settled;
  std::vector<std::vector<int>> cleaned_of(servers.size());
  for (int m = 0; m < builder.document().members_size(); ++m) {
    const groups::Placement* placement = FindPlacement(builder.document().members(m), source);
    if (placement == nullptr) continue;
    std::vector<int> after = begin;
    after.push_back(servers[static_cast<size_t>(m)]);
    if (pod) after.push_back(accept);  // Cinder lets go of volumes in a promoted pod only, which accepting sees to
    std::vector<int>& cleaned = cleaned_of[static_cast<size_t>(m)];
    cleaned = AddCleaning(builder, m, *placement, after);
    cleaning.insert(cleaning.end(), cleaned.begin(), cleaned.end());
    cleaned.push_back(servers[static_cast<size_t>(m)]);
  }
  // A move does not wait for the old direction to be switched off; here it has to be, so that nothing is left sending.
  cleaning.push_back(builder.Group("confirm-suspended", "replication from " + source, begin, settled));
  cleaning.insert(cleaning.end(), ends.begin(), ends.end());
  builder.Step("cleanup_source", target, deferred);
  const int cleaned = builder.Group("commit-cleaned", "metadata of the group", {result}, cleaning);

  // Long after: the reverse direction has its first complete copy, so nothing old is needed any more.
  builder.Step("cleanup_source", target, true);
  const int baseline =
      builder.Group("wait-baseline", fmt::format("replication {} to {}", target, source), {cleaned, linked});
  builder.Last().set_late(true);
  std::vector<int> retired = {baseline};
  builder.Step("cleanup_source", source, true);
  for (int m = 0; m < builder.document().members_size(); ++m) {
    const groups::Placement* placement = FindPlacement(builder.document().members(m), source);
    if (placement == nullptr || placement->volumes().empty()) continue;
    std::vector<int> after = cleaned_of[static_cast<size_t>(m)];
    after.push_back(baseline);
    retired.push_back(AddRetire(builder, m, *placement, after));
  }
  builder.Step("cleanup_source", target, true);
  const auto& leftover = run.header().leftover_serials();
  AddRetireLeftover(builder, {leftover.begin(), leftover.end()}, {baseline}, retired);
  builder.Step("cleanup_source", target, true);
  builder.Group("commit-retired", "metadata of the group", {baseline, cleaned}, retired);
  builder.Last().set_late(true);
}

std::map<std::string, int> PositionsOf(const groups::GroupDocument& document) {
  std::map<std::string, int> positions;
  for (int m = 0; m < document.members_size(); ++m) positions[document.members(m).id()] = m;
  return positions;
}

std::vector<op::TaskRecord> Finish(Builder& builder, const std::vector<int>& servers, int offset) {
  std::vector<op::TaskRecord> tasks = builder.Take();
  const std::map<std::string, int> positions = PositionsOf(builder.document());
  if (!HasCycle(builder.document(), positions)) {
    AddDependencies(builder.document(), positions, servers, offset, tasks);
  }
  return tasks;
}

std::vector<op::TaskRecord> PlannedTasks(const Run& run) {
  const op::Operation& operation = run.operation();
  const op::OperationRecord& header = run.header();
  Builder builder(operation, run.document(), run.size());
  const std::string& source = operation.source_site();
  const std::string& target = operation.target_site();

  builder.Step("verify_replication", source);
  std::vector<int> ready;
  if (header.build_replication()) {
    ready = {builder.Group("ensure-protection", fmt::format("replication {} to {}", source, target), {})};
    builder.Step("verify_replication", target);
    ready = {builder.Group("accept-protection", fmt::format("replication {} to {}", source, target), ready)};
    if (run.document().replication_type() == groups::SYNC) {
      builder.Step("verify_replication", source);
      ready = {
          builder.Group("ensure-protection", fmt::format("replica link {} to {}", source, target), ready, {}, "link")};
    }
  }
  std::vector<int> snapshot;
  if (header.skip_snapshots()) {
    builder.Step("verify_replication", target);
    ready = {builder.Group("pick-recovery-point", "recovery points on " + target, ready)};
  } else {
    builder.Step("verify_replication", source);
    ready = {builder.Group("check-replication", fmt::format("replication {} to {}", source, target), ready)};
    builder.Step("presync_snapshot", source);
    ready = {builder.Group("presync", "recovery point of all volumes", ready)};
  }
  builder.Step("stop_vms", source);
  std::vector<int> stopped;
  for (int m = 0; m < run.document().members_size(); ++m) stopped.push_back(builder.Member("stop-server", m, ready));
  builder.Step("trigger_final_snapshot", source);
  stopped.insert(stopped.end(), ready.begin(), ready.end());
  snapshot = {builder.Group("confirm-stopped", "members on " + source, stopped, {}, "before")};
  if (!header.skip_snapshots()) {
    snapshot = {builder.Group("final-snapshot", "recovery point of all volumes", snapshot)};
    snapshot = {builder.Group("confirm-stopped", "members on " + source, snapshot, {}, "after")};
  }
  builder.Step("storage_failover", target);
  const int claim = builder.Group("claim-epoch", "metadata of the group", snapshot);
  builder.Step("storage_failover", source);
  const int fence = builder.Group("fence-source", "volumes on " + source, {claim});
  const int suspend = builder.Group("suspend-source", "replication from " + source, {fence});
  for (int m = 0; m < run.document().members_size(); ++m) builder.Member("lock-server", m, {claim});
  const Restore restore = AddRestore(builder, {fence}, {suspend});
  const std::vector<int> ends = AddFinish(builder, restore);
  builder.Step("update_pg_status", target);
  const int result = builder.Group("commit-result", "metadata of the group", {fence}, ends);
  AddAftermath(builder, run, result, restore.servers, ends, false);
  return Finish(builder, restore.servers, run.size());
}

std::vector<op::TaskRecord> UnplannedTasks(const Run& run) {
  const op::Operation& operation = run.operation();
  Builder builder(operation, run.document(), run.size());
  const std::string& source = operation.source_site();
  const std::string& target = operation.target_site();

  builder.Step("verify_replication", target);
  const int point = builder.Group("pick-recovery-point", "recovery points on " + target, {});
  builder.Step("fence_source", target);
  const int claim = builder.Group("claim-epoch", "metadata of the group", {point});
  std::vector<int> settled = {builder.Group("refuse-replication", "replication from " + source, {claim})};
  builder.Step("fence_source", source);
  // Its array may answer although its services do not, and the other way round; each is asked, none is waited for long.
  settled.push_back(builder.Group("fence-lost", "volumes on " + source, {claim}));
  if (run.header().source_answers()) {
    for (int m = 0; m < run.document().members_size(); ++m) {
      settled.push_back(builder.Member("isolate-server", m, {claim}));
    }
  }
  const Restore restore = AddRestore(builder, {claim}, settled);
  const std::vector<int> ends = AddFinish(builder, restore);
  builder.Step("update_pg_status", target);
  const int result = builder.Group("commit-result", "metadata of the group", {claim}, ends);
  AddAftermath(builder, run, result, restore.servers, ends, true);
  return Finish(builder, restore.servers, run.size());
}

}  // namespace

std::vector<std::string> StepsOf(op::OperationType type) {
  if (type == op::UNPLANNED_FAILOVER) {
    return {"validate_sites", "verify_replication", "fence_source", "storage_failover",
            "recreate_vms",   "update_pg_status",   "reprotect",    "cleanup_source"};
  }
  return {"validate_sites",   "verify_replication", "presync_snapshot", "stop_vms",  "trigger_final_snapshot",
          "storage_failover", "recreate_vms",       "update_pg_status", "reprotect", "cleanup_source"};
}

std::vector<op::TaskRecord> FirstTasks(const op::OperationRecord& header, const groups::GroupDocument& document) {
  const op::Operation& operation = header.operation();
  const bool unplanned = operation.type() == op::UNPLANNED_FAILOVER;
  Builder builder(operation, document, 0);
  builder.Step("validate_sites", operation.source_site());
  const int sites = builder.Group(unplanned ? "check-source" : "check-sites", "site " + operation.source_site(), {});
  builder.Step("validate_sites", operation.target_site());
  std::vector<int> cleaned;
  for (int m = 0; m < document.members_size(); ++m) {
    const groups::Placement* stale = FindPlacement(document.members(m), operation.target_site());
    if (stale == nullptr || stale->state() != groups::Placement::STALE) continue;
    for (int task : AddCleaning(builder, m, *stale, {sites})) cleaned.push_back(task);
  }
  std::vector<int> captured = {sites};
  if (!unplanned) {
    builder.Step("validate_sites", operation.source_site());
    captured = {builder.Group("capture-members", "members on " + operation.source_site(), {sites})};
  }
  builder.Step("validate_sites", operation.target_site());
  std::vector<int> checked = captured;
  if (!unplanned) checked.insert(checked.end(), cleaned.begin(), cleaned.end());
  const int check = builder.Group("check-target", "cloud of " + operation.target_site(), checked,
                                  unplanned ? cleaned : std::vector<int>());
  if (!unplanned) {
    builder.Step("validate_sites", operation.source_site());
    builder.Group("begin-operation", "metadata of the group", {check});
  }
  return builder.Take();
}

std::vector<op::TaskRecord> FurtherTasks(const Run& run) {
  return run.operation().type() == op::UNPLANNED_FAILOVER ? UnplannedTasks(run) : PlannedTasks(run);
}

std::vector<op::TaskRecord> RollbackTasks(const Run& run) {
  Builder builder(run.operation(), run.document(), run.size());
  builder.Step("rollback", run.operation().source_site());
  std::vector<int> started;
  bool begun = false;
  for (int i = 0; i < run.size(); ++i) {
    const op::TaskRecord& task = run.task(i);
    if (task.task().attempts() == 0) continue;
    begun = begun || task.task().kind() == "begin-operation";
    if (task.task().kind() != "stop-server") continue;
    if (!run.document().members(task.member()).server().running()) continue;
    started.push_back(builder.Member("start-server", task.member(), {}));
  }
  if (begun) builder.Group("abort-operation", "metadata of the group", started);
  return builder.Take();
}

std::vector<op::TaskRecord> FailureTasks(const Run& run) {
  Builder builder(run.operation(), run.document(), run.size());
  builder.Step("update_pg_status", run.operation().target_site());
  builder.Group("commit-error", "metadata of the group", {}, {}, fmt::format("{}", run.size()));
  return builder.Take();
}

std::vector<std::string> LeftoverSerials(const groups::GroupDocument& document, const std::string& target) {
  std::set<std::string> used;
  for (const groups::Member& member : document.members()) {
    const groups::Placement* placement = FindPlacement(member, target);
    if (placement == nullptr || placement->state() == groups::Placement::STALE) continue;
    for (const groups::VolumePlacement& volume : placement->volumes()) used.insert(volume.serial());
  }
  std::vector<std::string> leftover;
  for (const groups::VolumePair& pair : document.volume_pairs()) {
    const auto serial = pair.serials().find(target);
    if (serial == pair.serials().end() || serial->second.empty() || used.count(serial->second) > 0) continue;
    leftover.push_back(serial->second);
  }
  return leftover;
}

}  // namespace protector::orchestrator
