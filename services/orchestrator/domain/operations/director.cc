#include "services/orchestrator/domain/operations/director.h"

#include <fmt/format.h>

#include <set>

#include "services/orchestrator/domain/operations/documents.h"
#include "services/orchestrator/domain/operations/graph.h"
#include "services/orchestrator/domain/times.h"

namespace protector::orchestrator {
namespace {

const std::set<std::string>& RestoreKinds() {
  static const std::set<std::string> kKinds = {"materialize-volumes", "import-volume", "update-volume",
                                               "create-port",         "create-server", "finish-server"};
  return kKinds;
}

void Again(op::TaskRecord& task) {
  task.mutable_task()->set_state(op::PENDING);
  task.mutable_task()->clear_end_time();
  task.mutable_task()->clear_progress();
  task.set_phase(op::TASK_PHASE_UNSPECIFIED);
  task.set_tries(0);
}

std::string OutputOf(const op::TaskRecord& task, const std::string& key) {
  const auto found = task.outputs().find(key);
  return found == task.outputs().end() ? "" : found->second;
}

}  // namespace

OnFailure OperationsDirector::FailureOf(const Run& run, int index) const {
  return KindOf(run.task(index)).TraitsOf(run, run.task(index)).on_failure;
}

void OperationsDirector::OnIntent(Run& run, int index) {
  // From this durable moment on the target may own the group, so there is no way back.
  if (run.task(index).task().kind() != "claim-epoch" || run.operation().past_point_of_no_return()) return;
  run.mutable_operation().set_past_point_of_no_return(true);
  run.header_changed = true;
}

void OperationsDirector::OnSettled(Run& run, int index) {
  // A copy: what follows may append tasks.
  const op::TaskRecord task = run.task(index);
  if (task.task().state() == op::COMPLETED) Completed(run, task);
  if (task.task().state() == op::FAILED && FailureOf(run, index) == OnFailure::kOperation) Failed(run, task);
}

void OperationsDirector::Completed(Run& run, const op::TaskRecord& task) {
  const std::string& kind = task.task().kind();
  op::Operation& operation = run.mutable_operation();
  if (kind == "check-source") {
    run.mutable_header().set_source_answers(OutputOf(task, "source_answers") == "1");
    run.header_changed = true;
  }
  if (kind == "pick-recovery-point" || kind == "final-snapshot") {
    operation.set_recovery_point(OutputOf(task, "recovery_point"));
    int64_t millis = 0;
    const std::string time = OutputOf(task, "recovery_point_time");
    if (!time.empty()) millis = std::stoll(time);
    if (millis > 0) *operation.mutable_recovery_point_time() = ToProto(absl::FromUnixMillis(millis));
    run.header_changed = true;
  }
  const bool unplanned = operation.type() == op::UNPLANNED_FAILOVER;
  const bool validated = kind == (unplanned ? "check-target" : "begin-operation");
  if (kind == "begin-operation") operation.set_metadata_version(std::stoll("0" + OutputOf(task, "version")));
  if (validated && !run.header().expanded() && !run.header().rolling_back()) {
    run.mutable_header().set_expanded(true);
    run.Append(FurtherTasks(run));
  }
}

void OperationsDirector::Failed(Run& run, const op::TaskRecord& task) {
  run.header_changed = true;
  if (!run.header().rolling_back()) *run.mutable_header().mutable_cause() = task.task().problem();
  // A claim that was certainly not made leaves the group where it was.
  if (task.task().kind() == "claim-epoch" && task.task().outcome() == op::NOT_DONE) {
    run.mutable_operation().set_past_point_of_no_return(false);
  }
  if (!run.operation().past_point_of_no_return() && !run.header().rolling_back()) BeginRollback(run);
}

void OperationsDirector::BeginRollback(Run& run) {
  run.mutable_header().set_rolling_back(true);
  for (int i = 0; i < run.size(); ++i) {
    op::TaskRecord& task = run.mutable_task(i);
    const op::State state = task.task().state();
    if (task.task().step() == "rollback" || run.working.count(i) > 0) continue;
    if (state == op::COMPLETED || state == op::SKIPPED || state == op::FAILED) continue;
    task.set_held(false);
    task.mutable_task()->set_state(op::SKIPPED);
    task.mutable_task()->set_detail("the operation is rolled back");
  }
  run.Rebuild();
  run.header_changed = run.changed = run.rewrite_all = true;
}

void OperationsDirector::OnIdle(Run& run, absl::Time now) {
  if (run.header().settled()) return;
  if (!Ended(run.operation().state())) {
    run.header().rolling_back() ? ConcludeRollback(run, now) : Conclude(run, now);
  }
  if (!Ended(run.operation().state()) || run.unsettled_deferred() > 0 || run.unsettled_main() > 0) return;
  for (int i = 0; i < run.size(); ++i) {
    const bool failed = run.task(i).task().state() == op::FAILED && FailureOf(run, i) != OnFailure::kTolerated;
    // What failed before a rollback is over; anything else can still be retried.
    const bool over = run.header().rolling_back() && run.task(i).task().step() != "rollback";
    if ((failed || run.Blocked(i)) && !over) return;
  }
  run.mutable_header().set_settled(true);
  run.header_changed = true;
}

void OperationsDirector::ConcludeRollback(Run& run, absl::Time now) {
  op::Operation& operation = run.mutable_operation();
  if (!run.header().rollback_made()) {
    run.mutable_header().set_rollback_made(true);
    run.header_changed = true;
    std::vector<op::TaskRecord> tasks = RollbackTasks(run);
    if (!tasks.empty()) {
      operation.add_steps()->set_name("rollback");
      run.Append(std::move(tasks));
      return;
    }
  }
  bool failed = false;
  bool begun = false;
  for (int i = 0; i < run.size(); ++i) {
    if (run.task(i).task().step() != "rollback") continue;
    begun = true;
    failed = failed || run.task(i).task().state() == op::FAILED || run.Blocked(i);
  }
  operation.set_state(failed                            ? op::FAILED
                      : run.header().cancel_requested() ? op::CANCELLED
                      : begun                           ? op::ROLLED_BACK
                                                        : op::FAILED);
  *operation.mutable_end_time() = ToProto(now);
  run.header_changed = run.changed = true;
}

void OperationsDirector::Conclude(Run& run, absl::Time now) {
  op::Operation& operation = run.mutable_operation();
  bool critical = false;
  bool partly = false;
  for (int i = 0; i < run.size(); ++i) {
    if (run.task(i).deferred()) continue;
    const bool failed = run.task(i).task().state() == op::FAILED;
    const OnFailure meaning = FailureOf(run, i);
    critical = critical || (failed && meaning == OnFailure::kOperation);
    const bool left_out = run.task(i).task().kind() == "create-server" && run.task(i).task().state() == op::SKIPPED;
    partly = partly || left_out || run.Blocked(i) || (failed && meaning != OnFailure::kTolerated);
  }
  const bool nobody = run.header().expanded() && ServedMembers(run) == 0 && partly;
  if (critical && !run.header().failure_told()) {
    run.mutable_header().set_failure_told(true);
    run.Append(FailureTasks(run));
    return;
  }
  operation.set_state(critical || nobody ? op::FAILED : partly ? op::COMPLETED_WITH_ERRORS : op::COMPLETED);
  const int result = run.Find(TaskId("update_pg_status", "commit-result"));
  const bool moved = result >= 0 && run.task(result).task().state() == op::COMPLETED;
  *operation.mutable_end_time() = moved ? run.task(result).task().end_time() : ToProto(now);
  run.mutable_header().set_deferred(run.unsettled_deferred() > 0);
  run.header_changed = run.changed = true;
}

void OperationsDirector::OnRetry(Run& run) {
  run.mutable_header().set_failure_told(false);
  bool restoring = false;
  bool changed = false;
  for (int i = 0; i < run.size(); ++i) {
    const op::TaskRecord& task = run.task(i);
    const bool open = task.task().state() == op::PENDING || task.task().state() == op::SKIPPED;
    restoring = restoring || (open && RestoreKinds().count(task.task().kind()) > 0);
    changed = changed || (open && (task.task().step() == "cleanup_source" || task.task().step() == "reprotect"));
  }
  // What tells of the others is told again.
  for (int i = 0; i < run.size(); ++i) {
    op::TaskRecord& task = run.mutable_task(i);
    const std::string& kind = task.task().kind();
    const bool over = task.task().state() == op::COMPLETED || task.task().state() == op::FAILED;
    const bool after_restore = kind == "commit-result" || kind == "ensure-reverse" || kind == "accept-reverse";
    const bool after_any = kind == "commit-cleaned" || kind == "commit-retired";
    if (!(restoring && after_restore) && !((restoring || changed) && after_any)) continue;
    if (over) Again(task);
    if (task.task().state() == op::RUNNING) task.set_again(true);  // what it is telling now is old already
  }
}

void OperationsDirector::FillView(const Run& run, op::Operation& view) const {
  view.clear_members();
  bool serving = run.header().expanded();
  const bool planned = view.type() != op::UNPLANNED_FAILOVER;
  for (int i = 0; i < run.size(); ++i) {
    const op::TaskRecord& record = run.task(i);
    if (record.task().kind() != "create-server") continue;
    const groups::ServerSpec& server = run.document().members(record.member()).server();
    op::MemberResult& member = *view.add_members();
    member.set_member_id(record.member_id());
    member.set_name(server.name());
    member.set_server_id(OutputOf(record, "server_id"));
    member.set_status(OutputOf(record, "status"));
    if (record.task().state() == op::RUNNING && !member.server_id().empty()) member.set_status("BUILD");
    const std::string addresses = OutputOf(record, "addresses");
    for (size_t from = 0; from < addresses.size();) {
      const size_t comma = std::min(addresses.find(',', from), addresses.size());
      member.add_addresses(addresses.substr(from, comma - from));
      from = comma + 1;
    }
    if (record.task().state() == op::COMPLETED) {
      absl::Time down = FromProto(view.start_time());
      const int stop = run.Find(TaskId("stop_vms", "stop-server", record.label()));
      if (planned && stop >= 0) down = FromProto(run.task(stop).task().start_time());
      if (server.running()) {
        member.set_downtime_ms(
            std::max<int64_t>(1, absl::ToInt64Milliseconds(FromProto(record.task().end_time()) - down)));
      }
      if (!server.running()) member.set_status("SHUTOFF");
    } else {
      serving = false;
      if (record.task().state() == op::FAILED) member.set_problem(record.task().problem().cause());
      if (record.task().state() == op::SKIPPED) member.set_problem(record.task().detail());
      if (run.Blocked(i)) {
        for (int before : record.after()) {
          if (run.task(before).task().state() != op::FAILED && !run.Blocked(before)) continue;
          member.set_problem(
              fmt::format("{} failed: {}", run.task(before).task().id(), run.task(before).task().problem().cause()));
          break;
        }
      }
    }
  }
  groups::Conditions& conditions = *view.mutable_conditions();
  conditions.set_serving(serving);
  conditions.set_protected_(run.StateOf(TaskId("cleanup_source", "wait-baseline")) == op::COMPLETED);
  conditions.set_clean(run.StateOf(TaskId("cleanup_source", "commit-retired")) == op::COMPLETED);
}

}  // namespace protector::orchestrator
