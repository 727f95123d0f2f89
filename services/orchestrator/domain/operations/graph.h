#pragma once
// The tasks of operations, and what waits for what. docs/states-and-steps.md shows the graphs.
//
// Threads: pure functions over a run. Ownership: values. Failure: none.

#include <string>
#include <vector>

#include "services/orchestrator/domain/operations/context.h"

namespace protector::orchestrator {

// Names of the steps that an operation reports, in order.
std::vector<std::string> StepsOf(op::OperationType type);

// Tasks of validate_sites: they end with the group being held (planned) or the source's state being known (unplanned).
std::vector<op::TaskRecord> FirstTasks(const op::OperationRecord& header, const groups::GroupDocument& document);

// Everything after validate_sites; appended when it has been done.
std::vector<op::TaskRecord> FurtherTasks(const Run& run);

// Starts what was stopped, gives the group back.
std::vector<op::TaskRecord> RollbackTasks(const Run& run);

// The group's status becomes ERROR: the operation failed past its point of no return.
std::vector<op::TaskRecord> FailureTasks(const Run& run);

// Serials on the target's array that the document knows and that no placement there uses.
std::vector<std::string> LeftoverSerials(const groups::GroupDocument& document, const std::string& target);

}  // namespace protector::orchestrator
