#pragma once
// The course of an operation: when its graph grows, what a failure means, when it rolls back, when it is over.
//
// Threads: as Director. Ownership: the context outlives it. Failure: none.

#include "services/orchestrator/domain/engine/director.h"
#include "services/orchestrator/domain/operations/kinds.h"

namespace protector::orchestrator {

class OperationsDirector final : public Director {
 public:
  explicit OperationsDirector(const OperationContext& context) : kinds_(context) {}

  const TaskKind& KindOf(const op::TaskRecord& task) const override { return kinds_.Get(task.task().kind()); }
  void OnIntent(Run& run, int index) override;
  void OnSettled(Run& run, int index) override;
  void OnIdle(Run& run, absl::Time now) override;
  void OnRetry(Run& run) override;
  void BeginRollback(Run& run) override;
  void FillView(const Run& run, op::Operation& view) const override;

 private:
  void Completed(Run& run, const op::TaskRecord& task);
  void Failed(Run& run, const op::TaskRecord& task);
  void Conclude(Run& run, absl::Time now);
  void ConcludeRollback(Run& run, absl::Time now);
  OnFailure FailureOf(const Run& run, int index) const;

  Kinds kinds_;
};

}  // namespace protector::orchestrator
