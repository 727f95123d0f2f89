#pragma once
// What the engine does not know: which kinds of task there are, and what an operation does when tasks end. Implemented
// by domain/operations.
//
// Threads: called by one thread at a time, under the engine's lock. Ownership: outlives the engine. Failure: none; what
// goes wrong is written into the run.

#include <string>
#include <vector>

#include "services/orchestrator/domain/engine/run.h"
#include "services/orchestrator/domain/engine/task_kind.h"

namespace protector::orchestrator {

class Director {
 public:
  virtual ~Director() = default;

  virtual const TaskKind& KindOf(const op::TaskRecord& task) const = 0;

  // A task is about to make its intent durable for the first time: the point of no return is noticed here.
  virtual void OnIntent(Run& run, int index) = 0;
  // A task has ended (its record has state and outputs). May append tasks and change the header.
  virtual void OnSettled(Run& run, int index) = 0;
  // Nothing runs and nothing is ready: decide how it goes on. Called once for each time this happens.
  virtual void OnIdle(Run& run, absl::Time now) = 0;
  // A human wants failed tasks tried again; they are pending already.
  virtual void OnRetry(Run& run) = 0;
  // Stops going forward and rolls back; only before the point of no return.
  virtual void BeginRollback(Run& run) = 0;
  // Fills in what people see besides steps and tasks: results by member.
  virtual void FillView(const Run& run, op::Operation& view) const = 0;
};

}  // namespace protector::orchestrator
