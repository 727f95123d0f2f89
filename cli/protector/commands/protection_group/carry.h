#pragma once
// Versions of a group's metadata carried from one site to the other by this machine, for sites that do not reach each
// other.
//
// Threads: from one thread. Failure: REMOTE_SITE_UNREACHABLE; LOWER_EPOCH and DIVERGED as the receiving site decides.

#include <string>

#include "cli/protector/client/metadata.h"
#include "cli/protector/commands/protection_group/group_calls.h"

namespace protector::cli {

// The number of versions that the other site took.
absl::StatusOr<int> CarryVersions(Session& session, const FoundGroup& found, const std::string& remote,
                                  const protector::metadata::v1::SyncStatus& before);

}  // namespace protector::cli
