#include "services/orchestrator/domain/engine/view.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace protector::orchestrator {
namespace {

struct Tally {
  int tasks = 0;
  int completed = 0;
  int skipped = 0;
  int failed = 0;
  int blocked = 0;
  int begun = 0;
  double progress = 0;
};

bool Before(const google::protobuf::Timestamp& a, const google::protobuf::Timestamp& b) {
  return a.seconds() != b.seconds() ? a.seconds() < b.seconds() : a.nanos() < b.nanos();
}

op::State StateOf(const Tally& tally, const op::Operation& operation, const op::Step& step) {
  const bool over = Ended(operation.state());
  if (tally.tasks == 0) {
    if (step.state() != op::PENDING && step.state() != op::STATE_UNSPECIFIED) return step.state();
    const bool undone = operation.state() == op::CANCELLED || operation.state() == op::ROLLED_BACK;
    return undone ? op::SKIPPED : op::PENDING;
  }
  const int settled = tally.completed + tally.skipped + tally.failed + tally.blocked;
  if (settled == tally.tasks) {
    if (tally.failed > 0) return op::FAILED;
    if (tally.skipped == tally.tasks) return op::SKIPPED;
    if (tally.blocked > 0) return tally.begun > 0 || tally.completed > 0 ? op::FAILED : op::PENDING;
    return op::COMPLETED;
  }
  if (tally.begun == 0 && tally.completed == 0) return op::PENDING;
  return over && tally.failed > 0 ? op::FAILED : op::RUNNING;
}

}  // namespace

int StepWeight(const std::string& step) {
  static const std::map<std::string, int> kWeights = {
      {"validate_sites", 4},   {"verify_replication", 4}, {"presync_snapshot", 12}, {"stop_vms", 12},
      {"fence_source", 6},     {"storage_failover", 24},  {"recreate_vms", 20},     {"trigger_final_snapshot", 10},
      {"update_pg_status", 4}, {"reprotect", 4},          {"cleanup_source", 6},    {"rollback", 0},
  };
  const auto found = kWeights.find(step);
  return found == kWeights.end() ? 1 : found->second;
}

op::Operation MakeView(const Run& run, const Director& director, bool with_tasks) {
  op::Operation view = run.operation();
  std::map<std::string, int> positions;
  for (int i = 0; i < view.steps_size(); ++i) positions[view.steps(i).name()] = i;
  std::vector<Tally> tallies(static_cast<size_t>(view.steps_size()));
  for (int i = 0; i < run.size(); ++i) {
    const op::TaskRecord& record = run.task(i);
    const op::Task& task = record.task();
    const auto found = positions.find(task.step());
    if (found == positions.end()) continue;
    op::Step& step = *view.mutable_steps(found->second);
    if (with_tasks) {
      op::Task& shown = *step.add_tasks();
      shown = task;
      for (int before : record.after()) shown.add_depends_on(run.task(before).task().id());
      for (int before : record.after_settled()) shown.add_depends_on(run.task(before).task().id());
    }
    if (record.late()) {
      if (!run.Settled(i) && task.state() != op::PENDING) step.set_detail(task.detail());
      continue;
    }
    Tally& tally = tallies[static_cast<size_t>(found->second)];
    ++tally.tasks;
    tally.completed += task.state() == op::COMPLETED;
    tally.skipped += task.state() == op::SKIPPED;
    // What was tolerated is a warning, not a failure of the step.
    const bool tolerated = director.KindOf(record).TraitsOf(run, record).on_failure == OnFailure::kTolerated;
    if (task.state() == op::FAILED) ++(tolerated ? tally.completed : tally.failed);
    tally.blocked += run.Blocked(i);
    tally.begun += task.state() == op::RUNNING || task.state() == op::PAUSED;
    tally.progress += run.Settled(i) && !run.Blocked(i) ? 1 : task.progress();
    if (task.has_start_time() && (!step.has_start_time() || Before(task.start_time(), step.start_time()))) {
      *step.mutable_start_time() = task.start_time();
    }
    if (task.has_end_time() && (!step.has_end_time() || Before(step.end_time(), task.end_time()))) {
      *step.mutable_end_time() = task.end_time();
    }
    if (task.state() == op::RUNNING && !task.detail().empty()) step.set_detail(task.detail());
  }
  double whole = 0;
  double done = 0;
  for (int i = 0; i < view.steps_size(); ++i) {
    op::Step& step = *view.mutable_steps(i);
    const Tally& tally = tallies[static_cast<size_t>(i)];
    step.set_state(StateOf(tally, view, step));
    if (tally.tasks > 0) step.set_progress(tally.progress / tally.tasks);
    if (step.state() == op::COMPLETED || step.state() == op::SKIPPED) step.set_progress(1);
    if (step.state() != op::COMPLETED && step.state() != op::FAILED && step.state() != op::SKIPPED) {
      step.clear_end_time();
    }
    whole += StepWeight(step.name());
    done += StepWeight(step.name()) * step.progress();
  }
  int percent = whole > 0 ? static_cast<int>(std::floor(100 * done / whole)) : 0;
  if (view.state() == op::COMPLETED) percent = 100;
  if (!Ended(view.state())) percent = std::min(percent, 99);
  view.set_progress(std::max(percent, run.operation().progress()));
  director.FillView(run, view);
  return view;
}

}  // namespace protector::orchestrator
