#include "services/orchestrator/domain/engine/task_kind.h"

namespace protector::orchestrator {

LeaveOut LeaveOutOf(const Traits& traits) {
  if (traits.leave_out.has_value()) return *traits.leave_out;
  if (traits.on_failure == OnFailure::kOperation) return LeaveOut::kNever;
  return traits.on_failure == OnFailure::kTolerated ? LeaveOut::kAlone : LeaveOut::kWithDependents;
}

void TaskKind::FillIntent(const Run&, const op::TaskRecord&, op::Intent&) const {}

TaskKind::Work TaskKind::Probe(const Run&, const op::TaskRecord&) const {
  return [] { return Verdict::NotDone(); };
}

TaskKind::Looks TaskKind::Look(const Run&, const std::vector<const op::TaskRecord*>& tasks) const {
  return [n = tasks.size()] { return std::vector<Verdict>(n, Verdict::Done()); };
}

}  // namespace protector::orchestrator
