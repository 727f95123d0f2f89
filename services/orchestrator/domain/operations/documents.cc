#include "services/orchestrator/domain/operations/documents.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "services/orchestrator/domain/times.h"

namespace protector::orchestrator {
namespace {

void DropPending(groups::GroupDocument& head, const std::string& operation_id) {
  auto& pending = *head.mutable_pending();
  pending.erase(std::remove_if(pending.begin(), pending.end(),
                               [&](const groups::PendingWork& work) { return work.operation_id() == operation_id; }),
                pending.end());
}

void SetPending(groups::GroupDocument& head, const op::Operation& operation, const std::vector<std::string>& steps) {
  DropPending(head, operation.id());
  if (steps.empty()) return;
  groups::PendingWork& work = *head.add_pending();
  work.set_operation_id(operation.id());
  work.set_site(operation.source_site());
  for (const std::string& step : steps) work.add_steps(step);
}

groups::VolumePair& PairOf(groups::GroupDocument& head, const std::string& member_id, int index) {
  for (groups::VolumePair& pair : *head.mutable_volume_pairs()) {
    if (pair.member_id() == member_id && pair.index() == index) return pair;
  }
  groups::VolumePair& pair = *head.add_volume_pairs();
  pair.set_member_id(member_id);
  pair.set_index(index);
  return pair;
}

void DropPlacement(groups::Member& member, const std::string& site) {
  auto& placements = *member.mutable_placements();
  placements.erase(std::remove_if(placements.begin(), placements.end(),
                                  [&](const groups::Placement& placement) { return placement.site() == site; }),
                   placements.end());
}

// Labels of a run's members, by position in its document.
std::vector<std::string> LabelsOf(const Run& run) {
  std::vector<std::string> labels(static_cast<size_t>(run.document().members_size()));
  for (int i = 0; i < run.size(); ++i) {
    const op::TaskRecord& task = run.task(i);
    if (!task.member_id().empty()) labels[static_cast<size_t>(task.member())] = task.label();
  }
  return labels;
}

std::vector<std::string> StepsLeft(const Run& run) {
  bool reprotect = false;
  bool cleanup = false;
  for (int i = 0; i < run.size(); ++i) {
    const op::TaskRecord& task = run.task(i);
    const op::State state = task.task().state();
    if (state == op::COMPLETED || state == op::SKIPPED || task.task().kind() == "commit-cleaned" ||
        task.task().kind() == "commit-retired") {
      continue;
    }
    reprotect = reprotect || task.task().step() == "reprotect";
    cleanup = cleanup || task.task().step() == "cleanup_source";
  }
  std::vector<std::string> left;
  if (reprotect) left.push_back("reprotect");
  if (cleanup) left.push_back("cleanup_source");
  return left;
}

// A repeat of the request that comes to the other site later has to find this move, and not begin the opposite one.
void Remember(groups::GroupDocument& head, const op::Operation& operation) {
  constexpr int kMoves = 16;
  for (const groups::Move& move : head.moves()) {
    if (move.operation_id() == operation.id()) return;
  }
  groups::Move& move = *head.add_moves();
  move.set_operation_id(operation.id());
  move.set_request_id(operation.request_id());
  move.set_site(operation.target_site());
  if (head.moves_size() > kMoves) head.mutable_moves()->DeleteSubrange(0, head.moves_size() - kMoves);
}

void SetReason(groups::Conditions& conditions) {
  if (conditions.serving() && conditions.protected_() && conditions.clean()) conditions.clear_reason();
}

}  // namespace

Standing StandingOf(const groups::GroupDocument& head, const op::Operation& operation) {
  const bool ours = head.active_operation_id() == operation.id();
  if (head.epoch() == operation.epoch()) {
    if (ours) return Standing::kHeld;
    return head.active_operation_id().empty() ? Standing::kBefore : Standing::kSuperseded;
  }
  if (head.epoch() == operation.epoch() + 1 && head.primary_site() == operation.target_site()) {
    const bool moving = head.status() == groups::FAILING_OVER || head.status() == groups::FAILING_BACK ||
                        head.status() == groups::ERROR;
    if (ours) return moving ? Standing::kClaimed : Standing::kResult;
    if (head.active_operation_id().empty()) return Standing::kResult;
  }
  return Standing::kSuperseded;
}

void Begin(groups::GroupDocument& head, const op::Operation& operation, const groups::GroupDocument& refreshed) {
  head.set_status(operation.type() == op::FAILBACK ? groups::FAILING_BACK : groups::FAILING_OVER);
  head.set_active_operation_id(operation.id());
  Remember(head, operation);
  *head.mutable_members() = refreshed.members();
  for (groups::Member& member : *head.mutable_members()) {
    // What an earlier move left on the target has been cleaned by now; its pending work is this operation's.
    const groups::Placement* stale = FindPlacement(member, operation.target_site());
    if (stale != nullptr && stale->state() == groups::Placement::STALE) DropPlacement(member, operation.target_site());
    const groups::Placement* source = FindPlacement(member, operation.source_site());
    if (source == nullptr) continue;
    for (const groups::VolumePlacement& volume : source->volumes()) {
      if (volume.serial().empty()) continue;
      (*PairOf(head, member.id(), volume.index()).mutable_serials())[operation.source_site()] = volume.serial();
    }
  }
  head.clear_pending();
}

void Claim(groups::GroupDocument& head, const op::Operation& operation) {
  head.set_epoch(operation.epoch() + 1);
  head.set_primary_site(operation.target_site());
  head.set_active_operation_id(operation.id());
  head.set_status(operation.type() == op::FAILBACK ? groups::FAILING_BACK : groups::FAILING_OVER);
  Remember(head, operation);
  head.clear_pending();
  for (groups::Member& member : *head.mutable_members()) {
    const groups::Placement* stale = FindPlacement(member, operation.target_site());
    if (stale != nullptr && stale->state() == groups::Placement::STALE) DropPlacement(member, operation.target_site());
    groups::Placement* source = FindPlacement(member, operation.source_site());
    if (source == nullptr) continue;
    source->set_state(groups::Placement::STALE);
    source->set_operation_id(operation.id());
  }
}

int ServedMembers(const Run& run) {
  int served = 0;
  for (int i = 0; i < run.size(); ++i) {
    const op::Task& task = run.task(i).task();
    if (task.kind() == "create-server" && task.state() == op::COMPLETED) ++served;
  }
  return served;
}

namespace {

// What a member is called by on the site it has moved to: the next move starts from these names, and may have to do so
// with this site gone, when nothing can be captured anew.
void Translate(groups::ServerSpec& server, const op::MemberPlan& plan) {
  const auto put = [](const std::string& value, std::string& field) {
    if (!value.empty()) field = value;
  };
  put(plan.flavor_id(), *server.mutable_flavor_id());
  put(plan.flavor_name(), *server.mutable_flavor_name());
  put(plan.key_name(), *server.mutable_key_name());
  server.set_availability_zone(plan.availability_zone());
  for (int p = 0; p < server.ports_size() && p < plan.ports_size(); ++p) {
    groups::PortSpec& port = *server.mutable_ports(p);
    const op::PortPlan& planned = plan.ports(p);
    put(planned.network_id(), *port.mutable_network_id());
    put(planned.network_name(), *port.mutable_network_name());
    if (planned.fixed_ips_size() > 0) *port.mutable_fixed_ips() = planned.fixed_ips();
    if (planned.security_groups_size() == port.security_groups_size())
      *port.mutable_security_groups() = planned.security_groups();
    port.clear_floating_ip();
  }
  for (int v = 0; v < server.volumes_size() && v < plan.volume_types_size(); ++v) {
    put(plan.volume_types(v), *server.mutable_volumes(v)->mutable_volume_type());
  }
}

// What Cinder's driver calls a volume that it has taken over, in the pod that it is in; the array itself is asked as
// well.
std::string NameAfterImport(const std::string& materialized, const std::string& volume_id) {
  if (volume_id.empty()) return materialized;
  const size_t pod = materialized.find("::");
  const std::string prefix = pod == std::string::npos ? "" : materialized.substr(0, pod + 2);
  return fmt::format("{}volume-{}-cinder", prefix, volume_id);
}

}  // namespace

void Result(groups::GroupDocument& head, const Run& run, bool deferred, absl::Time now) {
  const op::Operation& operation = run.operation();
  const std::string& target = operation.target_site();
  const std::vector<std::string> labels = LabelsOf(run);
  bool every_member = true;
  int done = 0;
  for (int m = 0; m < run.document().members_size() && m < head.members_size(); ++m) {
    groups::Member& member = *head.mutable_members(m);
    const std::string& label = labels[static_cast<size_t>(m)];
    const std::string server_task = TaskId("recreate_vms", "create-server", label);
    const op::State state = run.StateOf(server_task);
    every_member = every_member && (state == op::COMPLETED || state == op::SKIPPED);
    done += state == op::COMPLETED;
    if (m < run.plan()->members_size()) Translate(*member.mutable_server(), run.plan()->members(m));
    DropPlacement(member, target);
    groups::Placement& placement = *member.add_placements();
    placement.set_site(target);
    placement.set_state(groups::Placement::SERVING);
    placement.set_operation_id(operation.id());
    placement.set_server_id(run.Output(server_task, "server_id"));
    for (int p = 0; p < member.server().ports_size(); ++p) {
      const std::string port =
          run.Output(TaskId("recreate_vms", "create-port", fmt::format("{}.{}", label, p)), "port_id");
      placement.add_port_ids(port);
      placement.add_port_owned(!port.empty());
    }
    for (const groups::VolumeSpec& spec : member.server().volumes()) {
      const std::string object = fmt::format("{}.{}", label, spec.index());
      const std::string materialize = TaskId("storage_failover", "materialize-volumes", label);
      const std::string suffix = fmt::format(".{}", spec.index());
      groups::VolumePlacement& volume = *placement.add_volumes();
      volume.set_index(spec.index());
      volume.set_volume_id(run.Output(TaskId("storage_failover", "import-volume", object), "volume_id"));
      volume.set_array_volume(NameAfterImport(run.Output(materialize, "name" + suffix), volume.volume_id()));
      volume.set_array_volume_id(run.Output(materialize, "id" + suffix));
      volume.set_serial(run.Output(materialize, "serial" + suffix));
      if (!volume.serial().empty())
        (*PairOf(head, member.id(), spec.index()).mutable_serials())[target] = volume.serial();
    }
  }
  const bool first =
      head.status() == groups::FAILING_OVER || head.status() == groups::FAILING_BACK || head.status() == groups::ERROR;
  groups::Conditions& conditions = *head.mutable_conditions();
  conditions.set_serving(every_member && done > 0);
  if (done == 0 && head.members_size() > 0 && !every_member) {
    Fail(head, operation, "no member could be started on " + target);
    return;
  }
  head.set_status(every_member ? RestingStatus(head, target) : groups::FAILED_OVER_PARTIAL);
  if (first) {
    if (operation.type() == op::FAILBACK) {
      head.set_failback_count(head.failback_count() + 1);
      *head.mutable_last_failback_at() = ToProto(now);
    } else {
      if (target != head.home_site()) head.set_failover_count(head.failover_count() + 1);
      *head.mutable_last_failover_at() = ToProto(now);
    }
    conditions.set_protected_(false);
    conditions.set_clean(false);
  }
  conditions.set_reason(!conditions.serving() ? "not every member is ACTIVE on " + target
                        : deferred            ? operation.source_site() + " has not been cleaned up and protected yet"
                                              : "replication to " + operation.source_site() + " is being set up");
  if (deferred) head.clear_active_operation_id();
  SetPending(head, operation, StepsLeft(run));
}

void Cleaned(groups::GroupDocument& head, const Run& run) {
  const op::Operation& operation = run.operation();
  const std::vector<std::string> labels = LabelsOf(run);
  std::vector<bool> dirty(static_cast<size_t>(head.members_size()), false);
  for (int i = 0; i < run.size(); ++i) {
    const op::TaskRecord& task = run.task(i);
    if (task.task().step() != "cleanup_source" || task.member_id().empty() || task.late()) continue;
    if (task.task().state() != op::COMPLETED && static_cast<size_t>(task.member()) < dirty.size()) {
      dirty[static_cast<size_t>(task.member())] = true;
    }
  }
  for (int m = 0; m < head.members_size(); ++m) {
    const groups::Placement* source = FindPlacement(head.members(m), operation.source_site());
    if (source == nullptr || source->state() != groups::Placement::STALE) continue;
    if (!dirty[static_cast<size_t>(m)] && !labels[static_cast<size_t>(m)].empty()) {
      DropPlacement(*head.mutable_members(m), operation.source_site());
    }
  }
  if (head.active_operation_id() == operation.id() && head.status() != groups::ERROR) head.clear_active_operation_id();
  SetPending(head, operation, StepsLeft(run));
  groups::Conditions& conditions = *head.mutable_conditions();
  conditions.set_clean(head.pending_size() == 0);
  if (conditions.serving()) {
    conditions.set_reason("the first transfer to " + operation.source_site() +
                          " has not ended; until then old volumes are kept there");
  }
  SetReason(conditions);
}

void Retired(groups::GroupDocument& head, const Run& run) {
  const op::Operation& operation = run.operation();
  std::set<std::string> retired;
  for (int i = 0; i < run.size(); ++i) {
    const op::TaskRecord& task = run.task(i);
    if (task.task().kind() != "retire-volumes" || task.task().state() != op::COMPLETED) continue;
    if (task.task().site() == operation.source_site()) retired.insert(task.serials().begin(), task.serials().end());
  }
  for (groups::VolumePair& pair : *head.mutable_volume_pairs()) {
    const auto serial = pair.serials().find(operation.source_site());
    if (serial == pair.serials().end() || retired.count(serial->second) == 0) continue;
    (*pair.mutable_serials())[operation.source_site()] = "";
  }
  SetPending(head, operation, StepsLeft(run));
  groups::Conditions& conditions = *head.mutable_conditions();
  const bool copied = run.StateOf(TaskId("cleanup_source", "wait-baseline")) == op::COMPLETED;  // else it was left out
  conditions.set_protected_(copied);
  conditions.set_clean(head.pending_size() == 0);
  if (!copied && conditions.serving()) conditions.set_reason("not protected: replication back was left out");
  SetReason(conditions);
}

void Abort(groups::GroupDocument& head, const op::Operation& operation) {
  head.set_status(RestingStatus(head, head.primary_site()));
  if (head.active_operation_id() == operation.id()) head.clear_active_operation_id();
}

void Fail(groups::GroupDocument& head, const op::Operation& operation, const std::string& why) {
  head.set_status(groups::ERROR);
  head.set_active_operation_id(operation.id());
  head.mutable_conditions()->set_serving(false);
  head.mutable_conditions()->set_reason(why);
}

}  // namespace protector::orchestrator
