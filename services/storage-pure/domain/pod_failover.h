#pragma once
// Moving a pod's service from one array to the other: recovery points, fence (demote), promote, lift.
//
// After a promotion the replica link is removed, because Cinder refuses to manage volumes of a linked pod; if the array
// does not remove it, and for stretched pods, the volumes are cloned out of the pod instead.
//
// Threads: safe for all; changes of one group are serialised by the caller. Failure: the contract's reasons,
// POD_DEGRADED above all. Dying in between: promoting and demoting say what the end state is; volumes are recorded as
// in cloner.h.

#include "services/storage-pure/domain/cloner.h"
#include "services/storage-pure/domain/fencing.h"
#include "services/storage-pure/domain/pods.h"

namespace protector::storage {

class PodFailover {
 public:
  PodFailover(const Deps& deps, Inventory& inventory, Pods& pods, Cloner& cloner, Fencing& fencing)
      : deps_(deps), inventory_(inventory), pods_(pods), cloner_(cloner), fencing_(fencing) {}

  absl::StatusOr<v1::ListRecoveryPointsResponse> ListPoints(const Scope& scope,
                                                            const v1::ListRecoveryPointsRequest& request);
  absl::StatusOr<v1::RecoveryPoint> CreatePoint(const Scope& scope, const v1::CreateRecoveryPointRequest& request);
  absl::StatusOr<v1::RecoveryPoint> GetPoint(const Scope& scope, const v1::GetRecoveryPointRequest& request);
  absl::StatusOr<v1::FenceVolumesResponse> Fence(const Scope& scope, const v1::FenceVolumesRequest& request);
  absl::Status Unfence(const Scope& scope, const v1::UnfenceVolumesRequest& request);
  absl::StatusOr<v1::MaterializeVolumesResponse> Materialize(const Scope& scope,
                                                             const v1::MaterializeVolumesRequest& request);

 private:
  // True once the pod is promoted; false: not yet.
  absl::StatusOr<bool> Promote(const Scope& scope, const Pod& pod);
  absl::StatusOr<v1::MaterializeVolumesResponse> CloneOut(const Scope& scope,
                                                          const v1::MaterializeVolumesRequest& request,
                                                          const std::string& pod);
  absl::StatusOr<v1::MaterializeVolumesResponse> InPlace(const Scope& scope,
                                                         const v1::MaterializeVolumesRequest& request,
                                                         const std::string& pod);
  // The pod's volume for each disk: by what is on record, by serial, by name.
  absl::StatusOr<std::vector<Volume>> Match(const Scope& scope, const v1::MaterializeVolumesRequest& request,
                                            const std::string& pod);

  Deps deps_;
  Inventory& inventory_;
  Pods& pods_;
  Cloner& cloner_;
  Fencing& fencing_;
};

}  // namespace protector::storage
