#pragma once
// How the two sites' metadata of a group stand to each other, when nothing is to be refused that will be right in a
// moment: a commit of pending work or of a fresh capture may be on its way between the sites just now.
//
// Threads: as the port; blocks its caller for two seconds at most. Failure: the port's.

#include <algorithm>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "services/orchestrator/ports/metadata_port.h"

namespace protector::orchestrator {

// OUT_OF_SYNC only of what has not been brought together meanwhile.
inline absl::StatusOr<metadata::SyncStatus> SettledSyncStatus(MetadataPort& port, const Call& call,
                                                              const std::string& group_id, Clock& clock) {
  constexpr absl::Duration kMoment = absl::Seconds(2);
  constexpr absl::Duration kPause = absl::Milliseconds(100);
  metadata::GetSyncStatusRequest request;
  request.set_group_id(group_id);
  const absl::Duration until = clock.Monotonic() + std::min(kMoment, call.timeout / 2);
  while (true) {
    auto status = port.GetSyncStatus(call, request);
    if (!status.ok() || status->state() != metadata::OUT_OF_SYNC || clock.Monotonic() >= until) return status;
    clock.SleepFor(kPause);
  }
}

}  // namespace protector::orchestrator
