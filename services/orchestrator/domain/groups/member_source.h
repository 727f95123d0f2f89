#pragma once
// Where a new member comes from: a server of this site's cloud and the array volumes behind it.
//
// Threads: safe for all. Failure: see operation.proto (SERVER_NOT_FOUND, VOLUME_NOT_REPLICATED, VOLUME_TYPE_MISMATCH,
// ...). Changes nothing.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "protector/group/v1/group.pb.h"
#include "services/orchestrator/ports/call.h"
#include "services/orchestrator/ports/contracts.h"

namespace protector::orchestrator {

class MemberSource {
 public:
  virtual ~MemberSource() = default;
  // Captures servers of the project, in the order of their names (placement on this site, no id), and checks that each
  // volume is of a volume type that is replicated in the group's way.
  virtual absl::StatusOr<std::vector<groups::Member>> Capture(const Call& call, const std::string& project_id,
                                                              const std::vector<std::string>& servers,
                                                              groups::ReplicationType replication_type) = 0;
};

}  // namespace protector::orchestrator
