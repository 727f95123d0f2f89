#pragma once
// What everything about pods shares: which pod is meant, how it and its link stand, and waiting for it for a moment.
//
// Callers name a pod as the group's policy does. Where another pod has taken its place on this array (moving back makes
// a new one, "pod-e<epoch>"), what is on record leads to it: a target pod by (source array, source's name), a source
// pod by the newest of the group's pods of that family that is not retired. Without a record, the name is the pod's.
//
// Threads: safe for all. Failure: PROTECTION_NOT_FOUND, POD_DEGRADED, the array's errors.

#include "protector/storage/v1/storage.pb.h"
#include "services/storage-pure/domain/inventory.h"

namespace protector::storage {

absl::Status PodDegraded(const std::string& pod, const std::string& why, const std::string& remedy);

// The pod's status on this array when it is not "online"; empty: it is, or the array does not say.
std::string Trouble(const Pod& pod, const std::string& array);

class Pods {
 public:
  Pods(const Deps& deps, Inventory& inventory) : deps_(deps), inventory_(inventory) {}

  absl::StatusOr<Pod> Find(const Scope& scope, const std::string& name);                 // live; PROTECTION_NOT_FOUND
  absl::StatusOr<std::optional<Pod>> Look(const Scope& scope, const std::string& name);  // live or destroyed
  absl::StatusOr<std::string> LocalName(const Scope& scope, const std::string& name, const std::string& source_array);

  // FOREIGN_OBJECT if the pod is on record for another group; else puts it on record.
  absl::Status Claim(const ProtectionRecord& record);

  absl::StatusOr<v1::Protection> Get(const Scope& scope, const std::string& name, const std::string& source_array);

  // The pod once its promotion status is `status`, or as it is after a few seconds.
  absl::StatusOr<Pod> AwaitStatus(const Scope& scope, const std::string& name, const std::string& status);

  // Live volumes in the pod.
  absl::StatusOr<std::vector<Volume>> Volumes(const Scope& scope, const std::string& name);

  // Deletes all links of the pod; nothing happens when there are none.
  absl::Status DropLinks(const Scope& scope, const std::string& name);

 private:
  void DescribeStretched(const Pod& pod, const std::string& here, v1::Protection& out);
  void DescribeLinked(const std::vector<ReplicaLink>& links, const std::string& name, v1::Protection& out);

  Deps deps_;
  Inventory& inventory_;
};

}  // namespace protector::storage
