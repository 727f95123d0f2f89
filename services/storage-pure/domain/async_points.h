#pragma once
// Recovery points of protection groups: group snapshots that were sent to the target.
//
// Threads: safe for all. Failure: PROTECTION_NOT_FOUND, REPLICATION_NOT_ALLOWED, OUTCOME_UNKNOWN, the array's errors.

#include <mutex>
#include <set>

#include "protector/storage/v1/storage.pb.h"
#include "services/storage-pure/domain/inventory.h"

namespace protector::storage {

class AsyncPoints {
 public:
  AsyncPoints(const Deps& deps, Inventory& inventory) : deps_(deps), inventory_(inventory) {}

  absl::StatusOr<v1::ListRecoveryPointsResponse> List(const Scope& scope, const v1::ListRecoveryPointsRequest& request);
  absl::StatusOr<v1::RecoveryPoint> Create(const Scope& scope, const v1::CreateRecoveryPointRequest& request);
  absl::StatusOr<v1::RecoveryPoint> Get(const Scope& scope, const v1::GetRecoveryPointRequest& request);

  // NO_RECOVERY_POINT unless the transfer of this group snapshot ("src:pg.suffix") is complete.
  absl::Status NeedComplete(const Scope& scope, const std::string& point);

 private:
  absl::Status AwaitAllowed(const Scope& scope, const std::string& group);

  Deps deps_;
  Inventory& inventory_;
  std::mutex mutex_;
  std::set<std::string> complete_;  // seen complete: they stay it
};

}  // namespace protector::storage
