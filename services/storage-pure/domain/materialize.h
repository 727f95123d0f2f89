#pragma once
// Writable volumes on the target, from a protection group's recovery point. (Pods: pod_failover.h.)
//
// Threads: safe for all. Failure: NO_RECOVERY_POINT for the call; each disk has its own error. Dying in between:
// cloner.h.

#include "protector/storage/v1/storage.pb.h"
#include "services/storage-pure/domain/async_points.h"
#include "services/storage-pure/domain/cloner.h"

namespace protector::storage {

// The answer for disks in the order asked. When none of them is up, the first one's error instead.
absl::StatusOr<v1::MaterializeVolumesResponse> ToResponse(const v1::MaterializeVolumesRequest& request,
                                                          const std::vector<CloneResult>& results);

class AsyncMaterializer {
 public:
  AsyncMaterializer(AsyncPoints& points, Cloner& cloner) : points_(points), cloner_(cloner) {}
  absl::StatusOr<v1::MaterializeVolumesResponse> Run(const Scope& scope, const v1::MaterializeVolumesRequest& request);

 private:
  AsyncPoints& points_;
  Cloner& cloner_;
};

}  // namespace protector::storage
