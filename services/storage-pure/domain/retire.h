#pragma once
// What a group leaves behind: destroying it (recoverable), and finding it.
//
// Threads: safe for all. Failure: FOREIGN_OBJECT for volumes that are not this group's, ARRAY_CONFLICT for connected
// ones; then nothing is destroyed. Dying in between: a repeat destroys the rest.

#include "services/storage-pure/domain/pods.h"

namespace protector::storage {

class Retirement {
 public:
  Retirement(const Deps& deps, Inventory& inventory, Pods& pods) : deps_(deps), inventory_(inventory), pods_(pods) {}

  absl::StatusOr<v1::RetireVolumesResponse> Retire(const Scope& scope, const v1::RetireVolumesRequest& request);
  absl::StatusOr<v1::ListOwnedObjectsResponse> ListOwned(const Scope& scope,
                                                         const v1::ListOwnedObjectsRequest& request);

 private:
  absl::Status CheckRetirable(const std::string& group_id, const std::vector<std::string>& serials,
                              const std::map<std::string, Volume>& found);
  absl::Status LeaveGroups(const Scope& scope, const std::string& group_id, const std::vector<Volume>& volumes);
  // Destroys a pod of the group with what is left in it, if that is only `volumes`; true: done.
  absl::StatusOr<bool> RetirePod(const Scope& scope, const std::string& group_id, const std::string& pod,
                                 const std::vector<Volume>& volumes);

  Deps deps_;
  Inventory& inventory_;
  Pods& pods_;
};

}  // namespace protector::storage
