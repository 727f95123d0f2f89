#pragma once
// The service's logic as a whole: who may, which kind, then the part that does it. One method for each RPC.
//
// Threads: every method may be called from any thread; changes of one group wait for each other, MaterializeVolumes
// calls of a protection group run side by side. Ownership: the dependencies outlive it. Failure: the contract's reasons
// (proto/protector/storage/v1/storage.proto).

#include "services/storage-pure/domain/async_groups.h"
#include "services/storage-pure/domain/async_points.h"
#include "services/storage-pure/domain/authority.h"
#include "services/storage-pure/domain/cloner.h"
#include "services/storage-pure/domain/fencing.h"
#include "services/storage-pure/domain/materialize.h"
#include "services/storage-pure/domain/pod_failover.h"
#include "services/storage-pure/domain/pod_setup.h"
#include "services/storage-pure/domain/retire.h"

namespace protector::storage {

class Storage {
 public:
  explicit Storage(const Deps& deps);

  absl::StatusOr<v1::Array> GetArray(const Scope& scope, const v1::GetArrayRequest& request);
  absl::StatusOr<v1::ResolveVolumesResponse> ResolveVolumes(const Scope& scope,
                                                            const v1::ResolveVolumesRequest& request);
  absl::StatusOr<v1::Protection> EnsureProtection(const Scope& scope, const v1::EnsureProtectionRequest& request);
  absl::StatusOr<v1::Protection> AcceptProtection(const Scope& scope, const v1::AcceptProtectionRequest& request);
  absl::StatusOr<v1::Protection> GetProtection(const Scope& scope, const v1::GetProtectionRequest& request);
  absl::StatusOr<v1::Protection> SuspendProtection(const Scope& scope, const v1::SuspendProtectionRequest& request);
  absl::StatusOr<v1::RemoveProtectionResponse> RemoveProtection(const Scope& scope,
                                                                const v1::RemoveProtectionRequest& request);
  absl::StatusOr<v1::ListRecoveryPointsResponse> ListRecoveryPoints(const Scope& scope,
                                                                    const v1::ListRecoveryPointsRequest& request);
  absl::StatusOr<v1::RecoveryPoint> CreateRecoveryPoint(const Scope& scope,
                                                        const v1::CreateRecoveryPointRequest& request);
  absl::StatusOr<v1::RecoveryPoint> GetRecoveryPoint(const Scope& scope, const v1::GetRecoveryPointRequest& request);
  absl::StatusOr<v1::FenceVolumesResponse> FenceVolumes(const Scope& scope, const v1::FenceVolumesRequest& request);
  absl::StatusOr<v1::UnfenceVolumesResponse> UnfenceVolumes(const Scope& scope,
                                                            const v1::UnfenceVolumesRequest& request);
  absl::StatusOr<v1::Protection> RefuseReplication(const Scope& scope, const v1::RefuseReplicationRequest& request);
  absl::StatusOr<v1::MaterializeVolumesResponse> MaterializeVolumes(const Scope& scope,
                                                                    const v1::MaterializeVolumesRequest& request);
  absl::StatusOr<v1::DescribeVolumesResponse> DescribeVolumes(const Scope& scope,
                                                              const v1::DescribeVolumesRequest& request);
  absl::StatusOr<v1::RetireVolumesResponse> RetireVolumes(const Scope& scope, const v1::RetireVolumesRequest& request);
  absl::StatusOr<v1::ListOwnedObjectsResponse> ListOwnedObjects(const Scope& scope,
                                                                const v1::ListOwnedObjectsRequest& request);

 private:
  AuthorityGuard guard_;
  Inventory inventory_;
  AsyncGroups groups_;
  AsyncPoints points_;
  Cloner cloner_;
  Fencing fencing_;
  AsyncMaterializer materializer_;
  Pods pods_;
  PodSetup pod_setup_;
  PodFailover pod_failover_;
  Retirement retirement_;
};

}  // namespace protector::storage
