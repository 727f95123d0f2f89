// What follows from a verdict on one task.
#include <fmt/format.h>

#include <algorithm>

#include "libs/base/error.h"
#include "services/orchestrator/domain/engine/engine.h"
#include "services/orchestrator/domain/engine/log_lines.h"
#include "services/orchestrator/domain/times.h"

namespace protector::orchestrator {
namespace {

constexpr int kMaxProblems = 200;
constexpr int kMaxFailedLooks = 40;
constexpr int kPatience = 4;  // as after so many tries

op::Problem ProblemOf(const op::TaskRecord& record, const absl::Status& status, absl::Time now) {
  const ErrorDetail detail = DetailOf(status);
  op::Problem problem;
  problem.set_step(record.task().step());
  problem.set_task(record.task().id());
  problem.set_cause(MessageOf(status));
  problem.set_object(detail.object.empty() ? record.task().object() : detail.object);
  problem.set_remedy(detail.remedy);
  problem.set_reason(detail.reason);
  problem.set_site(detail.site.empty() ? record.task().site() : detail.site);
  *problem.mutable_time() = ToProto(now);
  return problem;
}

}  // namespace

void Engine::Touch(Live& live, int index) {
  touched_[live.run->id()].insert(index);
  live.run->changed = true;
}

bool Engine::Forward(const Live& live, int index) const {
  return live.run->task(index).task().step() != "rollback";
}

void Engine::Judge(Live& live, int index, const Verdict& verdict, From from) {
  Run& run = *live.run;
  if (run.Settled(index) && !run.Blocked(index)) return;  // given up meanwhile
  op::TaskRecord& record = run.mutable_task(index);
  for (const auto& [key, value] : verdict.outputs) (*record.mutable_outputs())[key] = value;
  for (const std::string& warning : verdict.warnings) {
    run.mutable_operation().add_warnings(warning);
    run.header_changed = true;
  }
  if (verdict.plan != nullptr) {
    run.set_plan(verdict.plan);
    plans_touched_.insert(run.id());
  }
  if (!verdict.detail.empty()) record.mutable_task()->set_detail(verdict.detail);
  if (verdict.progress >= 0) record.mutable_task()->set_progress(verdict.progress);
  if (run.header().rolling_back() && Forward(live, index) && verdict.kind != Verdict::Kind::kDone) {
    // Whatever it was doing, the rollback looks at the objects themselves.
    StopWaiting(live, index);
    record.mutable_task()->set_detail("given up: the operation is rolled back");
    Settled(live, index, op::SKIPPED);
    return;
  }
  switch (verdict.kind) {
    case Verdict::Kind::kDone:
      StopWaiting(live, index);
      record.mutable_task()->set_outcome(op::DONE);
      record.mutable_task()->clear_problem();
      Settled(live, index, op::COMPLETED);
      return;
    case Verdict::Kind::kAccepted:
      record.set_phase(op::WAITING);
      *record.mutable_waiting_since() = ToProto(clock_.Now());
      record.set_tries(0);
      Touch(live, index);
      StartWaiting(live, index);
      return;
    case Verdict::Kind::kWaiting: {
      if (from == From::kProbe) {  // it may happen yet: look again before anything is done
        timers_.emplace(clock_.Monotonic() + Backoff(kPatience), ReadyTask{run.id(), index});
        Touch(live, index);
        return;
      }
      record.set_tries(0);
      run.changed = true;
      const absl::Duration limit = director_.KindOf(record).TraitsOf(run, record).wait_limit;
      if (record.has_waiting_since() && clock_.Now() - FromProto(record.waiting_since()) > limit) {
        GiveUp(live, index,
               Verdict::Failed(
                   Error(absl::StatusCode::kDeadlineExceeded, "TOOK_TOO_LONG",
                         fmt::format("{} was not done after {}", record.task().object(), absl::FormatDuration(limit)))
                       .Remedy("Find out what holds it up on that site, then retry the task.")));
      }
      return;
    }
    case Verdict::Kind::kAgain:
      StopWaiting(live, index);
      record.set_phase(op::TASK_PHASE_UNSPECIFIED);
      record.set_variant(verdict.variant);
      Touch(live, index);
      MakeReady(live, index);
      return;
    case Verdict::Kind::kNotDone:
      NotDone(live, index, verdict, from);
      return;
    case Verdict::Kind::kUnknown:
      record.mutable_task()->set_outcome(op::UNKNOWN);
      TryLater(live, index, verdict);
      return;
    case Verdict::Kind::kFailed:
      GiveUp(live, index, verdict);
      return;
    case Verdict::Kind::kContradiction:
      // Pending work of an operation that is over has nothing to hold: a later operation owns the group now.
      if (record.deferred() && Ended(run.operation().state())) {
        Supersede(live, verdict);
      } else {
        Hold(live, index, verdict);
      }
      return;
    case Verdict::Kind::kSuperseded:
      Supersede(live, verdict);
      return;
  }
}

void Engine::NotDone(Live& live, int index, const Verdict& verdict, From from) {
  op::TaskRecord& record = live.run->mutable_task(index);
  if (from == From::kLook) {  // the look itself failed; what is waited for goes on meanwhile
    record.set_tries(record.tries() + 1);
    const bool patient = director_.KindOf(record).TraitsOf(*live.run, record).patient;
    if (record.tries() > kMaxFailedLooks && !patient) GiveUp(live, index, verdict);
    return;
  }
  if (from == From::kProbe && !verdict.status.ok()) {  // the probe found nothing out
    TryLater(live, index, verdict);
    return;
  }
  record.mutable_task()->set_outcome(op::NOT_DONE);
  record.set_phase(op::TASK_PHASE_UNSPECIFIED);
  if (from == From::kProbe) {  // no trace of it: act, at once
    Touch(live, index);
    MakeReady(live, index);
    return;
  }
  if (!IsTransient(verdict.status)) {
    GiveUp(live, index, verdict);
    return;
  }
  TryLater(live, index, verdict);
}

void Engine::TryLater(Live& live, int index, const Verdict& verdict) {
  op::TaskRecord& record = live.run->mutable_task(index);
  const Traits traits = director_.KindOf(record).TraitsOf(*live.run, record);
  record.set_tries(record.tries() + 1);
  *record.mutable_task()->mutable_problem() = ProblemOf(record, verdict.status, clock_.Now());
  LogRetry(logger_, *live.run, record, verdict.status);
  Touch(live, index);
  const int most = IsThrottled(verdict.status) ? 2 * traits.max_tries : traits.max_tries;
  if (!traits.patient && record.tries() >= most) {
    GiveUp(live, index, verdict);
    return;
  }
  timers_.emplace(clock_.Monotonic() + Backoff(record.tries()), ReadyTask{live.run->id(), index});
}

absl::Duration Engine::Backoff(int tries) {
  absl::Duration wait = options_.backoff_min;
  for (int i = 1; i < tries && wait < options_.backoff_max; ++i) wait *= 2;
  return std::min(wait, options_.backoff_max);
}

void Engine::GiveUp(Live& live, int index, const Verdict& verdict) {
  StopWaiting(live, index);
  op::TaskRecord& record = live.run->mutable_task(index);
  // An attempt whose outcome is unknown stays in phase ACTING: a retry by a human begins with a probe.
  if (record.task().outcome() != op::UNKNOWN) {
    if (verdict.kind == Verdict::Kind::kFailed && record.phase() != op::WAITING) {
      record.mutable_task()->set_outcome(op::NOT_DONE);
    }
    record.set_phase(op::TASK_PHASE_UNSPECIFIED);
  }
  AddProblem(live, record, verdict.status);
  *record.mutable_task()->mutable_problem() = ProblemOf(record, verdict.status, clock_.Now());
  logger_.Warning("task failed", verdict.status, log::Field::Of(PurposeOf(*live.run, record)));
  Settled(live, index, op::FAILED);
}

void Engine::AddProblem(Live& live, const op::TaskRecord& record, const absl::Status& status) {
  op::Operation& operation = live.run->mutable_operation();
  live.run->header_changed = true;
  if (director_.KindOf(record).TraitsOf(*live.run, record).on_failure == OnFailure::kTolerated) {
    operation.add_warnings(fmt::format("{}: {}", record.task().object(), MessageOf(status)));
    return;
  }
  if (operation.problems_size() < kMaxProblems) *operation.add_problems() = ProblemOf(record, status, clock_.Now());
}

void Engine::Settled(Live& live, int index, op::State state) {
  Run& run = *live.run;
  op::TaskRecord& record = run.mutable_task(index);
  if (record.again() && state != op::SKIPPED) {
    record.clear_again();
    ResetTask(live, index);
    run.Rebuild();
    MakeAllReady(live);
    return;
  }
  *record.mutable_task()->mutable_end_time() = ToProto(clock_.Now());
  if (state == op::COMPLETED) {
    record.mutable_task()->set_progress(1);
    record.set_phase(op::TASK_PHASE_UNSPECIFIED);
  }
  Touch(live, index);
  for (int ready : run.Settle(index, state)) MakeReady(live, ready);
  LogSettled(logger_, run, record);
  const int size = run.size();
  director_.OnSettled(run, index);
  AfterDirector(live, size);
}

void Engine::Hold(Live& live, int index, const Verdict& verdict) {
  StopWaiting(live, index);
  Run& run = *live.run;
  op::TaskRecord& record = run.mutable_task(index);
  record.set_held(true);
  record.mutable_task()->set_state(op::PAUSED);
  *record.mutable_task()->mutable_problem() = ProblemOf(record, verdict.status, clock_.Now());
  Touch(live, index);
  AddProblem(live, record, verdict.status);
  run.mutable_operation().set_state(op::PAUSED);
  run.mutable_operation().set_hold_reason(MessageOf(verdict.status));
  run.header_changed = true;
  logger_.Error("operation is held", verdict.status, log::Field::Of(PurposeOf(run, record)));
}

void Engine::Supersede(Live& live, const Verdict& verdict) {
  Run& run = *live.run;
  for (int i = 0; i < run.size(); ++i) {
    const op::State state = run.task(i).task().state();
    if (state == op::COMPLETED || state == op::SKIPPED || state == op::FAILED) continue;
    StopWaiting(live, i);
    run.mutable_task(i).mutable_task()->set_state(op::SKIPPED);
    run.mutable_task(i).mutable_task()->set_detail(MessageOf(verdict.status));
    Touch(live, i);
  }
  run.Rebuild();
  if (!Ended(run.operation().state())) {
    run.mutable_operation().set_state(op::FAILED);
    *run.mutable_operation().mutable_end_time() = ToProto(clock_.Now());
  }
  run.mutable_operation().add_warnings(MessageOf(verdict.status));
  run.mutable_header().set_settled(true);
  run.header_changed = run.changed = true;
}

void Engine::StartWaiting(Live& live, int index) {
  Run& run = *live.run;
  const op::TaskRecord& task = run.task(index);
  const Traits traits = director_.KindOf(task).TraitsOf(run, task);
  Looking& looking = live.looks[traits.look_group];
  if (!looking.indices.insert(index).second) return;
  run.Account(clock_.Monotonic());
  run.Spend(SpenderOf(traits.api), 1);
  // A newcomer is looked at soon; it may be quicker than those that were there before.
  looking.interval = options_.look_min > absl::ZeroDuration() ? options_.look_min : traits.look_min;
  const absl::Duration due = clock_.Monotonic() + looking.interval;
  looking.due = looking.indices.size() == 1 ? due : std::min(looking.due, due);
}

void Engine::StopWaiting(Live& live, int index) {
  Run& run = *live.run;
  const op::TaskRecord& task = run.task(index);
  const Traits traits = director_.KindOf(task).TraitsOf(run, task);
  const auto looking = live.looks.find(traits.look_group);
  if (looking == live.looks.end() || looking->second.indices.erase(index) == 0) return;
  run.Account(clock_.Monotonic());
  run.Spend(SpenderOf(traits.api), -1);
}

}  // namespace protector::orchestrator
