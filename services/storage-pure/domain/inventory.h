#pragma once
// Finding volumes, and saying in the contract's words what was found.
//
// Threads: safe for all. Failure: VOLUME_NOT_FOUND names the volumes that are not there; the array's errors.

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "protector/storage/v1/storage.pb.h"
#include "services/storage-pure/domain/deps.h"

namespace protector::storage {

v1::ArrayVolume ToProto(const Volume& volume);
absl::Status VolumeNotFound(const std::string& what);
absl::Status Foreign(const std::string& object, const std::string& why, const std::string& remedy);
absl::Status OutcomeUnknownError(const std::string& object, const absl::Status& cause);

class Inventory {
 public:
  explicit Inventory(const Deps& deps) : deps_(deps) {}

  // By serial, live ones and destroyed ones; absent ones are not in the map.
  absl::StatusOr<std::map<std::string, Volume>> BySerial(const Scope& scope, const std::vector<std::string>& serials);
  // The live volumes of the disks, in their order; VOLUME_NOT_FOUND unless all are there.
  absl::StatusOr<std::vector<Volume>> NeedLive(const Scope& scope,
                                               const google::protobuf::RepeatedPtrField<v1::Disk>& disks);
  // FOREIGN_OBJECT if one of the serials belongs to another group.
  absl::Status CheckOwner(const std::string& group_id, const std::vector<std::string>& serials);
  // Records that these disks are on this array under these serials.
  absl::Status RecordDisks(const Scope& scope, const std::string& group_id,
                           const google::protobuf::RepeatedPtrField<v1::Disk>& disks);
  // Fills in the protection groups that the volumes are members of.
  absl::Status AddGroups(const Scope& scope, std::vector<v1::ArrayVolume>& volumes);

  absl::StatusOr<v1::ResolveVolumesResponse> Resolve(const Scope& scope, const v1::ResolveVolumesRequest& request);
  absl::StatusOr<v1::DescribeVolumesResponse> Describe(const Scope& scope, const v1::DescribeVolumesRequest& request);
  absl::StatusOr<v1::Array> GetArray(const Scope& scope);

  // This array's name, as it gave it.
  absl::StatusOr<std::string> ArrayName(const Scope& scope);
  // LINK_DOWN unless the array is connected to `peer`: UNAVAILABLE when there is a connection that is not up now,
  // FAILED_PRECONDITION when there is none.
  absl::Status CheckPeer(const Scope& scope, const std::string& peer);
  // The connection's status; empty: there is none.
  absl::StatusOr<std::string> PeerStatus(const Scope& scope, const std::string& peer);

 private:
  Deps deps_;
  std::mutex mutex_;
  std::string array_name_;
};

}  // namespace protector::storage
