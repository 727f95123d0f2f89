#pragma once
// An operation as it is shown: steps and progress computed from the tasks.
//
// Threads: as Run. Ownership: values. Failure: none.

#include "services/orchestrator/domain/engine/director.h"

namespace protector::orchestrator {

op::Operation MakeView(const Run& run, const Director& director, bool with_tasks);

// Percent of an operation's whole that each step stands for, in the order in which an operation of this type has them.
int StepWeight(const std::string& step);

}  // namespace protector::orchestrator
