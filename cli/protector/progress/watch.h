#pragma once
// Following an operation to its end: the stream of its orchestrator, joined again when it breaks, shown live.
//
// Threads: reads the stream on a thread of its own, which has ended when WatchToEnd returns. Failure: INTERRUPTED after
// Ctrl-C (the operation goes on), the orchestrator's error, or SERVICE_UNREACHABLE when it stays away.

#include <string>

#include "absl/status/statusor.h"
#include "cli/protector/commands/context.h"
#include "cli/protector/progress/frame.h"

namespace protector::cli {

struct WatchOptions {
  bool until_clean = false;    // also what is left to do after the operation has ended
  bool return_on_hold = true;  // an operation that the engine holds waits for a human: do not wait with it
  ProjectRef project = {};
};

absl::StatusOr<Operation> WatchToEnd(Context& context, Session& session, const SiteAddress& site, const std::string& id,
                                     const WatchOptions& options);

// A line about replication and cleanup that go on after the operation has completed.
void SayWhatIsLeft(Context& context, const Operation& operation);

// OK when the operation did what was asked; else what became of it and what to do.
absl::Status Verdict(const Operation& operation);

}  // namespace protector::cli
