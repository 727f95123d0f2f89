#pragma once
// Taking volumes away from every host, by removing their connections.
//
// Threads: safe for all. Failure: the array's errors. Dying in between: what is to be removed is on record before it
// is; a repeat goes on until the array counts no connection any more.

#include "protector/storage/v1/storage.pb.h"
#include "services/storage-pure/domain/inventory.h"

namespace protector::storage {

class Fencing {
 public:
  Fencing(const Deps& deps, Inventory& inventory) : deps_(deps), inventory_(inventory) {}

  // A volume that is destroyed or not there has no writer: it counts as fenced.
  absl::StatusOr<v1::FenceVolumesResponse> Fence(const Scope& scope, const std::string& group_id,
                                                 const google::protobuf::RepeatedPtrField<v1::Disk>& disks);
  // Forgets the fence. Connections are made anew by Cinder when a server starts.
  absl::Status Unfence(const std::string& group_id, const google::protobuf::RepeatedPtrField<v1::Disk>& disks);

 private:
  absl::Status RemoveConnections(const Scope& scope, const std::string& group_id, const std::vector<Volume>& volumes,
                                 v1::FenceVolumesResponse& response);

  Deps deps_;
  Inventory& inventory_;
};

}  // namespace protector::storage
