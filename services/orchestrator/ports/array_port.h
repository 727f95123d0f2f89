#pragma once
// One site's array, through that site's storage-pure. Mirrors proto/protector/storage/v1/storage.proto, call by call:
// what a call does, and what it refuses, is said there.
//
// Threads: every method may be called from any thread and blocks its caller until call.timeout at the latest.
// Ownership: requests and answers are values. Failure: the statuses of storage.proto with reason, object and remedy;
// a service that does not answer: UNAVAILABLE or DEADLINE_EXCEEDED, and then it is *unknown* whether a change happened.

#include "absl/status/statusor.h"
#include "protector/storage/v1/storage.pb.h"
#include "services/orchestrator/ports/call.h"
#include "services/orchestrator/ports/contracts.h"

namespace protector::orchestrator {

class ArrayPort {
 public:
  virtual ~ArrayPort() = default;

  // Questions.
  virtual absl::StatusOr<storage::Array> GetArray(const Call& call, const storage::GetArrayRequest& request) = 0;
  virtual absl::StatusOr<storage::ResolveVolumesResponse> ResolveVolumes(
      const Call& call, const storage::ResolveVolumesRequest& request) = 0;
  virtual absl::StatusOr<storage::Protection> GetProtection(const Call& call,
                                                            const storage::GetProtectionRequest& request) = 0;
  virtual absl::StatusOr<storage::ListRecoveryPointsResponse> ListRecoveryPoints(
      const Call& call, const storage::ListRecoveryPointsRequest& request) = 0;
  virtual absl::StatusOr<storage::RecoveryPoint> GetRecoveryPoint(const Call& call,
                                                                  const storage::GetRecoveryPointRequest& request) = 0;
  virtual absl::StatusOr<storage::DescribeVolumesResponse> DescribeVolumes(
      const Call& call, const storage::DescribeVolumesRequest& request) = 0;
  virtual absl::StatusOr<storage::ListOwnedObjectsResponse> ListOwnedObjects(
      const Call& call, const storage::ListOwnedObjectsRequest& request) = 0;

  // Changes; each carries its Authority.
  virtual absl::StatusOr<storage::Protection> EnsureProtection(const Call& call,
                                                               const storage::EnsureProtectionRequest& request) = 0;
  virtual absl::StatusOr<storage::Protection> AcceptProtection(const Call& call,
                                                               const storage::AcceptProtectionRequest& request) = 0;
  virtual absl::StatusOr<storage::Protection> SuspendProtection(const Call& call,
                                                                const storage::SuspendProtectionRequest& request) = 0;
  virtual absl::StatusOr<storage::RemoveProtectionResponse> RemoveProtection(
      const Call& call, const storage::RemoveProtectionRequest& request) = 0;
  virtual absl::StatusOr<storage::RecoveryPoint> CreateRecoveryPoint(
      const Call& call, const storage::CreateRecoveryPointRequest& request) = 0;
  virtual absl::StatusOr<storage::FenceVolumesResponse> FenceVolumes(const Call& call,
                                                                     const storage::FenceVolumesRequest& request) = 0;
  virtual absl::StatusOr<storage::UnfenceVolumesResponse> UnfenceVolumes(
      const Call& call, const storage::UnfenceVolumesRequest& request) = 0;
  virtual absl::StatusOr<storage::Protection> RefuseReplication(const Call& call,
                                                                const storage::RefuseReplicationRequest& request) = 0;
  virtual absl::StatusOr<storage::MaterializeVolumesResponse> MaterializeVolumes(
      const Call& call, const storage::MaterializeVolumesRequest& request) = 0;
  virtual absl::StatusOr<storage::RetireVolumesResponse> RetireVolumes(
      const Call& call, const storage::RetireVolumesRequest& request) = 0;
};

}  // namespace protector::orchestrator
