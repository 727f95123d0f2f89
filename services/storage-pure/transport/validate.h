#pragma once
// What a request must have before the domain sees it. One overload for each request that has rules.
//
// Threads: pure functions. Failure: INVALID_ARGUMENT (INVALID_REQUEST) that names the field.

#include "absl/status/status.h"
#include "protector/storage/v1/storage.pb.h"

namespace protector::storage {

absl::Status Validate(const v1::GetArrayRequest& request);
absl::Status Validate(const v1::ResolveVolumesRequest& request);
absl::Status Validate(const v1::EnsureProtectionRequest& request);
absl::Status Validate(const v1::AcceptProtectionRequest& request);
absl::Status Validate(const v1::GetProtectionRequest& request);
absl::Status Validate(const v1::SuspendProtectionRequest& request);
absl::Status Validate(const v1::RemoveProtectionRequest& request);
absl::Status Validate(const v1::ListRecoveryPointsRequest& request);
absl::Status Validate(const v1::CreateRecoveryPointRequest& request);
absl::Status Validate(const v1::GetRecoveryPointRequest& request);
absl::Status Validate(const v1::FenceVolumesRequest& request);
absl::Status Validate(const v1::UnfenceVolumesRequest& request);
absl::Status Validate(const v1::RefuseReplicationRequest& request);
absl::Status Validate(const v1::MaterializeVolumesRequest& request);
absl::Status Validate(const v1::DescribeVolumesRequest& request);
absl::Status Validate(const v1::RetireVolumesRequest& request);
absl::Status Validate(const v1::ListOwnedObjectsRequest& request);

}  // namespace protector::storage
