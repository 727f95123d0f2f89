#pragma once
// How a group's document changes during an operation. Pure functions over a copy of the present head; each may be
// applied again to its own result without a further effect, so that a commit whose answer was lost can be repeated.
//
// Threads: pure. Ownership: values. Failure: Standing says when the head is not the one that the operation expects.

#include <string>

#include "services/orchestrator/domain/operations/context.h"

namespace protector::orchestrator {

// How a head stands to an operation.
enum class Standing {
  kBefore,      // as the operation found it: not begun, or rolled back
  kHeld,        // begun by this operation, epoch not claimed yet
  kClaimed,     // the operation's epoch, held by it
  kResult,      // the operation's epoch, at rest
  kSuperseded,  // a later epoch, or held by another operation
};
Standing StandingOf(const groups::GroupDocument& head, const op::Operation& operation);

// Begin: status failing_over/failing_back, held by the operation, captures refreshed; pending work is taken over. The
// move is on record from here on (Claim: at the latest), also when it is aborted.
void Begin(groups::GroupDocument& head, const op::Operation& operation, const groups::GroupDocument& refreshed);
// Claim: epoch + 1, the target is the primary site, what is on the source is STALE.
void Claim(groups::GroupDocument& head, const op::Operation& operation);
// Result: placements on the target, pairs, status, counts. `deferred`: reprotect and cleanup come later on their own.
void Result(groups::GroupDocument& head, const Run& run, bool deferred, absl::Time now);
// Cleaned: placements that were cleaned up are gone, what remains is pending; the group is free.
void Cleaned(groups::GroupDocument& head, const Run& run);
// Retired: nothing is left of the operation.
void Retired(groups::GroupDocument& head, const Run& run);
// Aborted: as before the operation.
void Abort(groups::GroupDocument& head, const op::Operation& operation);
// The operation has failed past its point of no return.
void Fail(groups::GroupDocument& head, const op::Operation& operation, const std::string& why);

// Members of the run that are ACTIVE on the target (or left stopped, as they were captured).
int ServedMembers(const Run& run);

}  // namespace protector::orchestrator
