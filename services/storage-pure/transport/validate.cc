#include "services/storage-pure/transport/validate.h"

#include <fmt/format.h>

#include <set>

#include "libs/base/error.h"
#include "libs/base/ids.h"
#include "services/storage-pure/domain/naming.h"

namespace protector::storage {
namespace {

absl::Status Bad(const std::string& field, const std::string& rule) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_REQUEST", fmt::format("{} {}", field, rule))
      .Object("field " + field)
      .Remedy("Correct the request; this is a fault of the program that sent it.");
}

absl::Status CheckId(const std::string& field, const std::string& value) {
  if (value.empty() || value.size() > 200 || !IsPrintableUtf8(value)) return Bad(field, "has to be printable text");
  if (value.find('/') != std::string::npos) return Bad(field, "must not have a '/'");
  return absl::OkStatus();
}

absl::Status CheckAuthority(const v1::Authority& authority) {
  PROTECTOR_RETURN_IF_ERROR(CheckId("authority.group_id", authority.group_id()));
  PROTECTOR_RETURN_IF_ERROR(CheckId("authority.operation_id", authority.operation_id()));
  return authority.epoch() < 1 ? Bad("authority.epoch", "has to be 1 or more") : absl::OkStatus();
}

absl::Status CheckName(const std::string& field, const std::string& name) {
  return IsArrayObjectName(name) ? absl::OkStatus() : Bad(field, "is not a name of the array");
}

absl::Status CheckOptionalName(const std::string& field, const std::string& name) {
  return name.empty() ? absl::OkStatus() : CheckName(field, name);
}

// A group or pod of one array: no prefix of another's, no suffix of a snapshot.
absl::Status CheckProtection(const std::string& name, protector::group::v1::ReplicationType type) {
  PROTECTOR_RETURN_IF_ERROR(CheckName("name", name));
  if (name.find_first_of(".@") != std::string::npos) return Bad("name", "must not have a '.' or '@'");
  if (type != protector::group::v1::ASYNC && type != protector::group::v1::SYNC)
    return Bad("replication_type", "is missing");
  return absl::OkStatus();
}

absl::Status CheckDisks(const google::protobuf::RepeatedPtrField<v1::Disk>& disks) {
  std::set<std::string> serials;
  for (const v1::Disk& disk : disks) {
    PROTECTOR_RETURN_IF_ERROR(CheckId("disks.member_id", disk.member_id()));
    if (disk.index() < 0) return Bad("disks.index", "must not be negative");
    if (!IsSerial(disk.serial())) return Bad("disks.serial", "has to have 24 hex digits");
    if (!serials.insert(disk.serial()).second) return Bad("disks.serial", disk.serial() + " is there twice");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Validate(const v1::GetArrayRequest&) {
  return absl::OkStatus();
}

absl::Status Validate(const v1::ResolveVolumesRequest& request) {
  for (const std::string& id : request.cinder_volume_ids()) {
    if (!IsUuid(id)) return Bad("cinder_volume_ids", "has to have UUIDs");
  }
  for (const std::string& name : request.array_volumes()) PROTECTOR_RETURN_IF_ERROR(CheckName("array_volumes", name));
  return absl::OkStatus();
}

absl::Status Validate(const v1::EnsureProtectionRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(CheckAuthority(request.authority()));
  PROTECTOR_RETURN_IF_ERROR(CheckProtection(request.name(), request.replication_type()));
  PROTECTOR_RETURN_IF_ERROR(CheckName("target_array", request.target_array()));
  PROTECTOR_RETURN_IF_ERROR(CheckOptionalName("target_name", request.target_name()));
  if (request.policy().replication_interval() < 0 || request.policy().source_retention() < 0 ||
      request.policy().target_retention() < 0) {
    return Bad("policy", "must not have negative durations");
  }
  return CheckDisks(request.disks());
}

absl::Status Validate(const v1::AcceptProtectionRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(CheckAuthority(request.authority()));
  PROTECTOR_RETURN_IF_ERROR(CheckProtection(request.name(), request.replication_type()));
  PROTECTOR_RETURN_IF_ERROR(CheckName("source_array", request.source_array()));
  return CheckOptionalName("target_name", request.target_name());
}

absl::Status Validate(const v1::GetProtectionRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(CheckProtection(request.name(), request.replication_type()));
  return CheckOptionalName("source_array", request.source_array());
}

absl::Status Validate(const v1::SuspendProtectionRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(CheckAuthority(request.authority()));
  return CheckProtection(request.name(), request.replication_type());
}

absl::Status Validate(const v1::RemoveProtectionRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(CheckAuthority(request.authority()));
  PROTECTOR_RETURN_IF_ERROR(CheckProtection(request.name(), request.replication_type()));
  return CheckOptionalName("source_array", request.source_array());
}

absl::Status Validate(const v1::ListRecoveryPointsRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(CheckProtection(request.name(), request.replication_type()));
  return CheckOptionalName("source_array", request.source_array());
}

absl::Status Validate(const v1::CreateRecoveryPointRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(CheckAuthority(request.authority()));
  PROTECTOR_RETURN_IF_ERROR(CheckProtection(request.name(), request.replication_type()));
  return CheckId("purpose", request.purpose());
}

absl::Status Validate(const v1::GetRecoveryPointRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(CheckProtection(request.name(), request.replication_type()));
  PROTECTOR_RETURN_IF_ERROR(CheckName("recovery_point", request.recovery_point()));
  return CheckOptionalName("source_array", request.source_array());
}

absl::Status Validate(const v1::FenceVolumesRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(CheckAuthority(request.authority()));
  PROTECTOR_RETURN_IF_ERROR(CheckProtection(request.name(), request.replication_type()));
  return CheckDisks(request.disks());
}

absl::Status Validate(const v1::UnfenceVolumesRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(CheckAuthority(request.authority()));
  PROTECTOR_RETURN_IF_ERROR(CheckProtection(request.name(), request.replication_type()));
  return CheckDisks(request.disks());
}

absl::Status Validate(const v1::RefuseReplicationRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(CheckAuthority(request.authority()));
  PROTECTOR_RETURN_IF_ERROR(CheckProtection(request.name(), request.replication_type()));
  return CheckName("source_array", request.source_array());
}

absl::Status Validate(const v1::MaterializeVolumesRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(CheckAuthority(request.authority()));
  PROTECTOR_RETURN_IF_ERROR(CheckProtection(request.name(), request.replication_type()));
  PROTECTOR_RETURN_IF_ERROR(CheckName("recovery_point", request.recovery_point()));
  PROTECTOR_RETURN_IF_ERROR(CheckName("source_array", request.source_array()));
  const bool pod = request.replication_type() == protector::group::v1::SYNC;
  std::set<std::pair<std::string, int32_t>> seen;
  for (const v1::DiskToMaterialize& disk : request.disks()) {
    PROTECTOR_RETURN_IF_ERROR(CheckId("disks.member_id", disk.member_id()));
    if (disk.index() < 0) return Bad("disks.index", "must not be negative");
    if (!seen.emplace(disk.member_id(), disk.index()).second) return Bad("disks", "has one disk twice");
    if (!IsSerial(disk.source_serial())) return Bad("disks.source_serial", "has to have 24 hex digits");
    if (disk.source_volume().empty() && pod) continue;
    PROTECTOR_RETURN_IF_ERROR(CheckName("disks.source_volume", disk.source_volume()));
  }
  return absl::OkStatus();
}

absl::Status Validate(const v1::DescribeVolumesRequest& request) {
  for (const std::string& id : request.array_volume_ids()) PROTECTOR_RETURN_IF_ERROR(CheckName("array_volume_ids", id));
  for (const std::string& serial : request.serials()) {
    if (!IsSerial(serial)) return Bad("serials", "has to have 24 hex digits each");
  }
  return absl::OkStatus();
}

absl::Status Validate(const v1::RetireVolumesRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(CheckAuthority(request.authority()));
  for (const std::string& serial : request.serials()) {
    if (!IsSerial(serial)) return Bad("serials", "has to have 24 hex digits each");
  }
  return absl::OkStatus();
}

absl::Status Validate(const v1::ListOwnedObjectsRequest& request) {
  return request.group_id().empty() ? absl::OkStatus() : CheckId("group_id", request.group_id());
}

}  // namespace protector::storage
