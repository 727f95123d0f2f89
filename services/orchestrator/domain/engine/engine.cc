// The engine's outside: start-up, and what humans ask for. Questions are in engine_questions.cc, turns in
// engine_turn.cc, verdicts in engine_judge.cc.
#include "services/orchestrator/domain/engine/engine.h"

#include <fmt/format.h>

#include <algorithm>

#include "libs/base/error.h"
#include "services/orchestrator/domain/engine/log_lines.h"
#include "services/orchestrator/domain/engine/view.h"
#include "services/orchestrator/domain/times.h"

namespace protector::orchestrator {
namespace {

absl::Status CannotSkip(const op::OperationActionRequest& request, const std::vector<std::string>& refused) {
  if (!refused.empty()) {
    return Error(absl::StatusCode::kFailedPrecondition, "CANNOT_SKIP",
                 fmt::format("{} cannot be left out: the operation rests on it", refused.front()))
        .Object("task " + refused.front())
        .Remedy(fmt::format(
            "Mend the cause and retry it; before the point of no return `protector operation cancel {}` goes back.",
            request.id()));
  }
  return Error(absl::StatusCode::kFailedPrecondition, "NOTHING_TO_SKIP",
               fmt::format("{} is neither failed nor pending work", request.task()))
      .Object("task " + request.task())
      .Remedy("Only failed tasks and the steps reprotect and cleanup_source can be left out.");
}

absl::Status WrongState(const op::Operation& operation, const std::string& verb) {
  return Error(absl::StatusCode::kFailedPrecondition, "WRONG_STATUS",
               fmt::format("operation {} cannot be {}: it has ended", operation.id(), verb))
      .Object("operation " + operation.id())
      .Remedy("Look at the operation; failed tasks of an ended operation can be retried or skipped.");
}

}  // namespace

Engine::Engine(const EngineOptions& options, store::Store& store, Clock& clock, Executor& executor, Director& director,
               log::Logger logger)
    : options_(options),
      clock_(clock),
      executor_(executor),
      director_(director),
      logger_(std::move(logger)),
      journal_(store),
      limits_(options.limits),
      archive_(journal_) {}

absl::Status Engine::Load() {
  std::lock_guard lock(state_mutex_);
  PROTECTOR_ASSIGN_OR_RETURN(std::vector<op::OperationRecord> headers, journal_.LoadHeaders());
  for (op::OperationRecord& header : headers) {
    const std::string id = header.operation().id();
    if (header.operation().projects().empty()) {  // of a version that did not note whose it is
      PROTECTOR_ASSIGN_OR_RETURN(const std::unique_ptr<Run> run, journal_.LoadRun(header));
      *header.mutable_operation()->mutable_projects() = run->plan()->document().projects();
    }
    if (!header.operation().request_id().empty()) by_request_[header.operation().request_id()] = id;
    if (header.settled()) {
      archive_.Add(header);
      continue;
    }
    PROTECTOR_ASSIGN_OR_RETURN(std::unique_ptr<Run> run, journal_.LoadRun(std::move(header)));
    logger_.Info("operation goes on after a restart", {{"operation", id}});
    Adopt(std::move(run));
  }
  return absl::OkStatus();
}

void Engine::Adopt(std::unique_ptr<Run> run) {
  const std::string id = run->id();
  Live& live = live_[id];
  live.run = std::move(run);
  live.run->changed = true;
  live.past_point_of_no_return = live.run->operation().past_point_of_no_return();
  live.rolling_back = live.run->header().rolling_back();
  if (live.run->header().rolling_back()) {
    const int size = live.run->size();
    director_.BeginRollback(*live.run);
    AfterDirector(live, size);
  }
  for (int i = 0; i < live.run->size(); ++i) {
    const op::TaskRecord& task = live.run->task(i);
    if (live.run->Settled(i) || task.held()) continue;
    if (task.phase() == op::WAITING) {
      StartWaiting(live, i);
    } else if (live.run->Ready(i)) {
      MakeReady(live, i);
    }
  }
}

absl::StatusOr<op::Operation> Engine::Start(op::OperationRecord header, op::PlanRecord plan,
                                            std::vector<op::TaskRecord> tasks) {
  std::lock_guard lock(state_mutex_);
  PROTECTOR_RETURN_IF_ERROR(store_status_);
  const std::string request_id = header.operation().request_id();
  if (const auto known = by_request_.find(request_id); !request_id.empty() && known != by_request_.end()) {
    if (Live* live = Find(known->second)) return Shown(*live, false);
    return Archived(archive_.cards().at(known->second));
  }
  const std::string group_id = header.operation().group_id();
  for (auto& [id, live] : live_) {
    if (live.run->operation().group_id() != group_id) continue;
    if (!Ended(live.run->operation().state())) {
      return Error(absl::StatusCode::kAborted, "GROUP_BUSY",
                   fmt::format("operation {} is running on protection group {}", id, header.operation().group_name()))
          .Object("operation " + id)
          .Remedy(fmt::format("Wait for it, or look at it with: protector operation show {}", id));
    }
    Supersede(live, Verdict::Superseded("a later operation has taken over: " + header.operation().id()));
  }
  PROTECTOR_RETURN_IF_ERROR(CheckRoom(header.operation()));
  header.set_tasks(static_cast<int>(tasks.size()));
  auto run =
      std::make_unique<Run>(std::move(header), std::make_shared<op::PlanRecord>(std::move(plan)), std::move(tasks));
  Journal::Turn turn;
  turn.Header(*run);
  turn.Plan(*run);
  for (int i = 0; i < run->size(); ++i) turn.Task(*run, i);
  PROTECTOR_RETURN_IF_ERROR(journal_.Write(turn));
  const std::string id = run->id();
  LogAccepted(logger_, *run);
  options_.decisions->Note("operation accepted", DescriptionOf(*run), "operation " + id, request_id);
  if (!request_id.empty()) by_request_[request_id] = id;
  Adopt(std::move(run));
  Wake();
  return Shown(live_[id], false);
}

// One tenant's operations do not take the slots of all the others'.
absl::Status Engine::CheckRoom(const op::Operation& operation) const {
  const auto project = operation.projects().find(operation.target_site());
  if (project == operation.projects().end()) return absl::OkStatus();
  const auto runs = std::count_if(live_.begin(), live_.end(), [&](const auto& entry) {
    const op::Operation& other = entry.second.run->operation();
    const auto owner = other.projects().find(operation.target_site());
    return !Ended(other.state()) && owner != other.projects().end() && owner->second == project->second;
  });
  if (runs < options_.most_of_one_project) return absl::OkStatus();
  return Error(absl::StatusCode::kResourceExhausted, "TOO_MANY_OPERATIONS",
               fmt::format("{} operations of this project are running", runs))
      .Object("project " + project->second)
      .Remedy("Wait until some of them have ended, or raise limits.operations_per_project.");
}

Engine::Live* Engine::Find(const std::string& operation_id) {
  const auto found = live_.find(operation_id);
  return found == live_.end() ? nullptr : &found->second;
}

absl::StatusOr<op::Operation> Engine::WithLive(const op::OperationActionRequest& request, const Viewer& viewer,
                                               const std::function<absl::Status(Live&)>& change) {
  std::lock_guard lock(state_mutex_);
  PROTECTOR_RETURN_IF_ERROR(store_status_);
  PROTECTOR_ASSIGN_OR_RETURN(const std::string id, Resolve(request.id(), viewer));
  Live* live = Find(id);
  if (live == nullptr) return WrongState(archive_.cards().at(id), "changed");
  const auto& seen = live->run->header().seen_requests();
  if (!request.request_id().empty() && std::find(seen.begin(), seen.end(), request.request_id()) != seen.end()) {
    return Shown(*live, false);
  }
  const int size = live->run->size();
  PROTECTOR_RETURN_IF_ERROR(change(*live));
  if (!request.request_id().empty()) {
    op::OperationRecord& header = live->run->mutable_header();
    if (header.seen_requests_size() >= 32) header.mutable_seen_requests()->erase(header.seen_requests().begin());
    header.add_seen_requests(request.request_id());
  }
  live->run->header_changed = live->run->changed = true;
  AfterDirector(*live, size);
  // Durable before it is answered; what follows from it goes out with the next turn.
  if (!Commit()) return store_status_;
  Wake();
  return Shown(*live, false);
}

absl::StatusOr<op::Operation> Engine::Cancel(const op::OperationActionRequest& request, const Viewer& viewer) {
  return WithLive(request, viewer, [&](Live& live) -> absl::Status {
    Run& run = *live.run;
    if (run.operation().past_point_of_no_return()) {
      return Error(absl::StatusCode::kFailedPrecondition, "PAST_POINT_OF_NO_RETURN",
                   fmt::format("operation {} is past its point of no return: the group belongs to {} now", run.id(),
                               run.operation().target_site()))
          .Object("operation " + run.id())
          .Remedy("Retry or skip what failed; move the group back with another operation afterwards.");
    }
    if (Ended(run.operation().state()) && run.unsettled_main() == 0) return WrongState(run.operation(), "cancelled");
    run.mutable_header().set_cancel_requested(true);
    run.mutable_operation().set_state(op::CANCELLING);
    run.mutable_operation().clear_hold_reason();
    live.held_back.clear();
    if (!run.header().rolling_back()) director_.BeginRollback(run);
    return absl::OkStatus();
  });
}

absl::StatusOr<op::Operation> Engine::Pause(const op::OperationActionRequest& request, const Viewer& viewer) {
  return WithLive(request, viewer, [&](Live& live) -> absl::Status {
    Run& run = *live.run;
    if (run.operation().state() == op::PAUSED) return absl::OkStatus();
    if (Ended(run.operation().state()) || run.operation().state() == op::CANCELLING) {
      return WrongState(run.operation(), "paused");
    }
    run.mutable_header().set_pause_requested(true);
    run.mutable_operation().set_state(op::PAUSED);
    return absl::OkStatus();
  });
}

absl::StatusOr<op::Operation> Engine::Resume(const op::OperationActionRequest& request, const Viewer& viewer) {
  bool retry = false;
  absl::StatusOr<op::Operation> resumed = WithLive(request, viewer, [&](Live& live) -> absl::Status {
    Run& run = *live.run;
    if (Ended(run.operation().state())) {
      retry = true;
      return absl::OkStatus();
    }
    if (run.operation().state() != op::PAUSED) return absl::OkStatus();
    run.mutable_header().set_pause_requested(false);
    run.mutable_operation().set_state(run.header().cancel_requested() ? op::CANCELLING : op::RUNNING);
    run.mutable_operation().clear_hold_reason();
    for (int i = 0; i < run.size(); ++i) {
      if (!run.task(i).held()) continue;
      run.mutable_task(i).set_held(false);
      run.mutable_task(i).mutable_task()->set_state(op::RUNNING);
      Touch(live, i);
      run.task(i).phase() == op::WAITING ? StartWaiting(live, i) : MakeReady(live, i);
    }
    const std::set<int> held_back = std::move(live.held_back);
    live.held_back.clear();
    for (int index : held_back) MakeReady(live, index);
    return absl::OkStatus();
  });
  if (!retry) return resumed;
  op::OperationActionRequest again = request;
  again.clear_request_id();
  return Retry(again);
}

void Engine::ResetTask(Live& live, int index) {
  op::TaskRecord& task = live.run->mutable_task(index);
  task.mutable_task()->set_state(op::PENDING);
  task.mutable_task()->clear_end_time();
  task.mutable_task()->clear_progress();
  task.set_tries(0);
  if (task.phase() == op::WAITING) task.set_phase(op::TASK_PHASE_UNSPECIFIED);
  Touch(live, index);
}

// An operation that had ended has work again.
void Engine::GoOn(Live& live) {
  Run& run = *live.run;
  if (!Ended(run.operation().state()) || run.unsettled_main() == 0) return;
  const bool cancelling = run.header().rolling_back() && run.header().cancel_requested();
  run.mutable_operation().set_state(cancelling ? op::CANCELLING : op::RUNNING);
  run.mutable_operation().clear_end_time();
}

absl::StatusOr<op::Operation> Engine::Retry(const op::OperationActionRequest& request, const Viewer& viewer) {
  return WithLive(request, viewer, [&](Live& live) -> absl::Status {
    Run& run = *live.run;
    bool any = false;
    for (int i = 0; i < run.size(); ++i) {
      const op::Task& task = run.task(i).task();
      const bool named = request.task().empty() || request.task() == task.id() || request.task() == task.step();
      if (!named || task.state() != op::FAILED) continue;
      ResetTask(live, i);
      any = true;
    }
    if (!any && run.unsettled_deferred() == 0) {
      return Error(absl::StatusCode::kFailedPrecondition, "NOTHING_TO_RETRY",
                   fmt::format("operation {} has nothing that could be tried again", run.id()))
          .Object(request.task().empty() ? "operation " + run.id() : "task " + request.task())
          .Remedy("Look at its tasks with: protector operation show --tasks");
    }
    run.Rebuild();
    if (any) director_.OnRetry(run);
    run.Rebuild();
    run.rewrite_all = any;
    GoOn(live);
    MakeAllReady(live);
    for (auto& [group, looking] : live.looks) looking.due = absl::ZeroDuration();
    for (auto it = timers_.begin(); it != timers_.end();) {
      if (it->second.operation_id != run.id()) {
        ++it;
        continue;
      }
      MakeReady(live, it->second.index);
      it = timers_.erase(it);
    }
    return absl::OkStatus();
  });
}

Engine::LeavingOut Engine::ToLeaveOut(const Run& run, const std::string& task_or_step) const {
  const auto leave_out = [&](int i) { return LeaveOutOf(director_.KindOf(run.task(i)).TraitsOf(run, run.task(i))); };
  LeavingOut leaving;
  for (int i = 0; i < run.size(); ++i) {
    const op::Task& task = run.task(i).task();
    const bool pending = run.task(i).deferred() && !run.Settled(i);
    const bool open = task.state() == op::FAILED || run.Blocked(i) || pending;
    const bool named = task_or_step == task.step() || task_or_step == task.id();
    if (!named || !open || run.working.count(i) > 0) continue;
    leave_out(i) == LeaveOut::kNever ? leaving.refused.push_back(task.id()) : leaving.named.push_back(i);
  }
  std::set<int> all(leaving.named.begin(), leaving.named.end());
  std::vector<int> front;
  for (int i : leaving.named) {
    if (leave_out(i) == LeaveOut::kWithDependents) front.push_back(i);
  }
  while (!front.empty()) {
    const int at = front.back();
    front.pop_back();
    for (int next : run.NeededBy(at)) {
      const bool other_member =
          !run.task(at).member_id().empty() && run.task(next).member_id() != run.task(at).member_id();
      const op::State state = run.task(next).task().state();
      const bool over = state == op::COMPLETED || state == op::SKIPPED || run.working.count(next) > 0;
      if (over || other_member || leave_out(next) == LeaveOut::kNever || !all.insert(next).second) continue;
      leaving.with_them.push_back(next);
      front.push_back(next);
    }
  }
  return leaving;
}

void Engine::SkipTask(Live& live, int index, const std::string& why) {
  StopWaiting(live, index);
  op::TaskRecord& record = live.run->mutable_task(index);
  record.mutable_task()->set_state(op::SKIPPED);
  record.mutable_task()->set_detail("left out: " + why);
  *record.mutable_task()->mutable_end_time() = ToProto(clock_.Now());
}

absl::StatusOr<op::Operation> Engine::Skip(const op::OperationActionRequest& request, const Viewer& viewer) {
  if (request.task().empty() || request.reason().empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT",
                 "a task or step and a reason are needed to skip")
        .Object("operation " + request.id())
        .Remedy("Name the task, and say why it can be left out: the reason is kept with the operation.");
  }
  return WithLive(request, viewer, [&](Live& live) -> absl::Status {
    Run& run = *live.run;
    const LeavingOut leaving = ToLeaveOut(run, request.task());
    if (leaving.named.empty()) return CannotSkip(request, leaving.refused);
    for (int i : leaving.named) {
      SkipTask(live, i, request.reason());
      AddProblem(live, run.task(i),
                 Error(absl::StatusCode::kCancelled, "SKIPPED", "left out by a human: " + request.reason())
                     .Object(run.task(i).task().object()));
    }
    for (int i : leaving.with_them) SkipTask(live, i, "it needs what was left out: " + request.reason());
    run.Rebuild();
    director_.OnRetry(run);
    run.Rebuild();
    run.rewrite_all = true;
    GoOn(live);
    MakeAllReady(live);
    return absl::OkStatus();
  });
}

absl::StatusOr<int64_t> Engine::Watch(const op::WatchOperationRequest& request, Watchers::Callback callback,
                                      const Viewer& viewer) {
  std::lock_guard lock(state_mutex_);
  PROTECTOR_ASSIGN_OR_RETURN(const std::string id, Resolve(request.id(), viewer));
  Live* live = Find(id);
  if (live == nullptr) {
    PROTECTOR_ASSIGN_OR_RETURN(const op::Operation operation, Archived(archive_.cards().at(id)));
    callback(operation, true);
    return 0;
  }
  const int64_t watcher = watchers_.Add(id, request.with_tasks(), request.until_clean(), std::move(callback));
  live->run->changed = true;
  live->published = -absl::InfiniteDuration();
  Wake();
  return watcher;
}

void Engine::Poke() {
  std::lock_guard lock(state_mutex_);
  for (auto& [id, live] : live_) {
    if (!Ended(live.run->operation().state())) continue;
    for (auto& [group, looking] : live.looks) looking.due = absl::ZeroDuration();
  }
  Wake();
}

}  // namespace protector::orchestrator
