#include "services/storage-pure/domain/storage.h"

#include "libs/base/error.h"

namespace protector::storage {
namespace {

using Mode = AuthorityGuard::Mode;

template <typename Request>
bool IsPod(const Request& request) {
  return request.replication_type() == protector::group::v1::SYNC;
}

}  // namespace

Storage::Storage(const Deps& deps)
    : guard_(deps.state, deps.clock),
      inventory_(deps),
      groups_(deps, inventory_),
      points_(deps, inventory_),
      cloner_(deps, inventory_),
      fencing_(deps, inventory_),
      materializer_(points_, cloner_),
      pods_(deps, inventory_),
      pod_setup_(deps, inventory_, pods_),
      pod_failover_(deps, inventory_, pods_, cloner_, fencing_),
      retirement_(deps, inventory_, pods_) {}

absl::StatusOr<v1::Array> Storage::GetArray(const Scope& scope, const v1::GetArrayRequest&) {
  return inventory_.GetArray(scope);
}

absl::StatusOr<v1::ResolveVolumesResponse> Storage::ResolveVolumes(const Scope& scope,
                                                                   const v1::ResolveVolumesRequest& request) {
  return inventory_.Resolve(scope, request);
}

absl::StatusOr<v1::Protection> Storage::EnsureProtection(const Scope& scope,
                                                         const v1::EnsureProtectionRequest& request) {
  PROTECTOR_ASSIGN_OR_RETURN(const auto held, guard_.Admit(scope, request.authority(), Mode::kExclusive));
  if (IsPod(request)) return pod_setup_.Ensure(scope, request);
  // Where an operation protects what it made is the last that it asks of this array: anything late has come by now.
  std::vector<DiskKey> disks;
  for (const v1::Disk& disk : request.disks()) {
    disks.push_back({request.authority().group_id(), disk.member_id(), disk.index()});
  }
  PROTECTOR_RETURN_IF_ERROR(cloner_.DestroyStrays(scope, request.authority().operation_id(), disks));
  return groups_.Ensure(scope, request);
}

absl::StatusOr<v1::Protection> Storage::AcceptProtection(const Scope& scope,
                                                         const v1::AcceptProtectionRequest& request) {
  PROTECTOR_ASSIGN_OR_RETURN(const auto held, guard_.Admit(scope, request.authority(), Mode::kExclusive));
  return IsPod(request) ? pod_setup_.Accept(scope, request) : groups_.Accept(scope, request);
}

absl::StatusOr<v1::Protection> Storage::GetProtection(const Scope& scope, const v1::GetProtectionRequest& request) {
  return IsPod(request) ? pods_.Get(scope, request.name(), request.source_array())
                        : groups_.Get(scope, request.name(), request.source_array());
}

absl::StatusOr<v1::Protection> Storage::SuspendProtection(const Scope& scope,
                                                          const v1::SuspendProtectionRequest& request) {
  PROTECTOR_ASSIGN_OR_RETURN(const auto held, guard_.Admit(scope, request.authority(), Mode::kExclusive));
  return IsPod(request) ? pod_setup_.Suspend(scope, request) : groups_.Suspend(scope, request);
}

absl::StatusOr<v1::RemoveProtectionResponse> Storage::RemoveProtection(const Scope& scope,
                                                                       const v1::RemoveProtectionRequest& request) {
  PROTECTOR_ASSIGN_OR_RETURN(const auto held, guard_.Admit(scope, request.authority(), Mode::kExclusive));
  PROTECTOR_RETURN_IF_ERROR(IsPod(request) ? pod_setup_.Remove(scope, request) : groups_.Remove(scope, request));
  return v1::RemoveProtectionResponse();
}

absl::StatusOr<v1::ListRecoveryPointsResponse> Storage::ListRecoveryPoints(
    const Scope& scope, const v1::ListRecoveryPointsRequest& request) {
  return IsPod(request) ? pod_failover_.ListPoints(scope, request) : points_.List(scope, request);
}

absl::StatusOr<v1::RecoveryPoint> Storage::CreateRecoveryPoint(const Scope& scope,
                                                               const v1::CreateRecoveryPointRequest& request) {
  PROTECTOR_ASSIGN_OR_RETURN(const auto held, guard_.Admit(scope, request.authority(), Mode::kExclusive));
  return IsPod(request) ? pod_failover_.CreatePoint(scope, request) : points_.Create(scope, request);
}

absl::StatusOr<v1::RecoveryPoint> Storage::GetRecoveryPoint(const Scope& scope,
                                                            const v1::GetRecoveryPointRequest& request) {
  return IsPod(request) ? pod_failover_.GetPoint(scope, request) : points_.Get(scope, request);
}

absl::StatusOr<v1::FenceVolumesResponse> Storage::FenceVolumes(const Scope& scope,
                                                               const v1::FenceVolumesRequest& request) {
  PROTECTOR_ASSIGN_OR_RETURN(const auto held, guard_.Admit(scope, request.authority(), Mode::kExclusive));
  return IsPod(request) ? pod_failover_.Fence(scope, request)
                        : fencing_.Fence(scope, request.authority().group_id(), request.disks());
}

absl::StatusOr<v1::UnfenceVolumesResponse> Storage::UnfenceVolumes(const Scope& scope,
                                                                   const v1::UnfenceVolumesRequest& request) {
  PROTECTOR_ASSIGN_OR_RETURN(const auto held, guard_.Admit(scope, request.authority(), Mode::kExclusive));
  PROTECTOR_RETURN_IF_ERROR(IsPod(request) ? pod_failover_.Unfence(scope, request)
                                           : fencing_.Unfence(request.authority().group_id(), request.disks()));
  return v1::UnfenceVolumesResponse();
}

absl::StatusOr<v1::Protection> Storage::RefuseReplication(const Scope& scope,
                                                          const v1::RefuseReplicationRequest& request) {
  PROTECTOR_ASSIGN_OR_RETURN(const auto held, guard_.Admit(scope, request.authority(), Mode::kExclusive));
  // A pod needs nothing: what comes in over a link is not applied to a promoted pod.
  return IsPod(request) ? pods_.Get(scope, request.name(), request.source_array()) : groups_.Refuse(scope, request);
}

absl::StatusOr<v1::MaterializeVolumesResponse> Storage::MaterializeVolumes(
    const Scope& scope, const v1::MaterializeVolumesRequest& request) {
  // Clones of different disks do not disturb each other; promoting a pod concerns all of them.
  const Mode mode = IsPod(request) ? Mode::kExclusive : Mode::kShared;
  PROTECTOR_ASSIGN_OR_RETURN(const auto held, guard_.Admit(scope, request.authority(), mode));
  return IsPod(request) ? pod_failover_.Materialize(scope, request) : materializer_.Run(scope, request);
}

absl::StatusOr<v1::DescribeVolumesResponse> Storage::DescribeVolumes(const Scope& scope,
                                                                     const v1::DescribeVolumesRequest& request) {
  return inventory_.Describe(scope, request);
}

absl::StatusOr<v1::RetireVolumesResponse> Storage::RetireVolumes(const Scope& scope,
                                                                 const v1::RetireVolumesRequest& request) {
  PROTECTOR_ASSIGN_OR_RETURN(const auto held, guard_.Admit(scope, request.authority(), Mode::kExclusive));
  return retirement_.Retire(scope, request);
}

absl::StatusOr<v1::ListOwnedObjectsResponse> Storage::ListOwnedObjects(const Scope& scope,
                                                                       const v1::ListOwnedObjectsRequest& request) {
  return retirement_.ListOwned(scope, request);
}

}  // namespace protector::storage
