#include "services/storage-pure/domain/materialize.h"

#include <fmt/format.h>

#include <algorithm>

#include "libs/base/error.h"
#include "services/storage-pure/domain/naming.h"

namespace protector::storage {

absl::StatusOr<v1::MaterializeVolumesResponse> ToResponse(const v1::MaterializeVolumesRequest& request,
                                                          const std::vector<CloneResult>& results) {
  if (!results.empty() &&
      std::none_of(results.begin(), results.end(), [](const CloneResult& result) { return result.status.ok(); })) {
    return results.front().status;
  }
  v1::MaterializeVolumesResponse response;
  for (int i = 0; i < request.disks_size(); ++i) {
    const v1::DiskToMaterialize& asked = request.disks(i);
    const CloneResult& result = results[static_cast<size_t>(i)];
    v1::MaterializedDisk* disk = response.add_disks();
    disk->set_member_id(asked.member_id());
    disk->set_index(asked.index());
    disk->set_source_serial(asked.source_serial());
    if (result.status.ok()) {
      *disk->mutable_volume() = ToProto(result.volume);
    } else {
      const ErrorDetail detail = DetailOf(result.status);
      disk->set_error(
          fmt::format("{}: {}", detail.reason.empty() ? "FAILED" : detail.reason, MessageOf(result.status)));
      disk->set_may_pass(ClassOf(result.status) == ErrorClass::kTransient || IsOutcomeUnknown(result.status) ||
                         detail.reason == "OUTCOME_UNKNOWN");
    }
  }
  return response;
}

absl::StatusOr<v1::MaterializeVolumesResponse> AsyncMaterializer::Run(const Scope& scope,
                                                                      const v1::MaterializeVolumesRequest& request) {
  const std::string face = FaceName(request.source_array(), request.name());
  const std::string& asked = request.recovery_point();
  const std::string point = asked.find('.') == std::string::npos ? face + "." + asked : asked;
  if (!point.starts_with(face + ".")) {
    return Error(absl::StatusCode::kFailedPrecondition, "NO_RECOVERY_POINT",
                 fmt::format("recovery point {} is not one of {}", asked, face))
        .Object("recovery point " + asked)
        .Remedy("Use a name from the list of recovery points of this group.");
  }
  PROTECTOR_RETURN_IF_ERROR(points_.NeedComplete(scope, point));
  std::vector<CloneJob> jobs;
  for (const v1::DiskToMaterialize& disk : request.disks()) {
    jobs.push_back({.disk = {request.authority().group_id(), disk.member_id(), disk.index()},
                    .source = point + "." + disk.source_volume(),
                    .source_serial = disk.source_serial()});
  }
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<CloneResult> results,
                             cloner_.Run(scope, request.authority().operation_id(), request.source_array(), jobs));
  return ToResponse(request, results);
}

}  // namespace protector::storage
