#pragma once
// This site's array, as primitives: each method is one request (or one listing, however many pages it has). No rule of
// the product is in here; what to do after a failure is the domain's business.
//
// Threads: every method may be called from any thread at once. Ownership: the implementation outlives its users.
// Failure: statuses made by ArrayError (array_error.h), which say how the array's answer is to be taken, with its own
// text kept. A change whose outcome is unknown carries http::Outcome::kUnknown; changes that say what the end state is
// are repeated by the implementation, creations are not. Listings leave out what is not there instead of failing.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/storage-pure/ports/array_error.h"
#include "services/storage-pure/ports/array_objects.h"
#include "services/storage-pure/ports/scope.h"

namespace protector::storage {

class ArrayApi {
 public:
  virtual ~ArrayApi() = default;

  virtual absl::StatusOr<ArrayIdentity> GetIdentity(const Scope& scope) = 0;
  virtual absl::StatusOr<std::vector<PeerArray>> ListPeers(const Scope& scope) = 0;

  // Volumes.
  virtual absl::StatusOr<std::vector<Volume>> ListVolumes(const Scope& scope, const VolumeFilter& filter) = 0;
  // `source` is a volume or snapshot. Never lands in the array's default protection groups.
  virtual absl::StatusOr<Volume> CloneVolume(const Scope& scope, const std::string& name,
                                             const std::string& source) = 0;
  // Recoverable. Volumes are named by id, which a rename by Cinder does not change.
  virtual absl::Status DestroyVolume(const Scope& scope, const std::string& volume_id) = 0;
  virtual absl::Status MoveVolumeToPod(const Scope& scope, const std::string& volume_id, const std::string& pod) = 0;
  virtual absl::Status TagVolume(const Scope& scope, const std::string& volume_id, const std::vector<Tag>& tags) = 0;
  virtual absl::StatusOr<std::vector<Tag>> ListTags(const Scope& scope) = 0;  // of our namespace, on every volume
  // Of volumes that exist; of all when `volumes` is empty.
  virtual absl::StatusOr<std::vector<Connection>> ListConnections(const Scope& scope,
                                                                  const std::vector<std::string>& volumes) = 0;
  virtual absl::Status DeleteConnection(const Scope& scope, const Connection& connection) = 0;
  // Volume snapshots of one group snapshot, live ones, by name.
  virtual absl::StatusOr<std::vector<std::string>> ListVolumeSnapshots(const Scope& scope,
                                                                       const std::string& group_snapshot) = 0;

  // Protection groups. `name` may be a face ("src:pg") where it says so.
  virtual absl::StatusOr<std::vector<Group>> ListGroups(const Scope& scope, const std::vector<std::string>& names) = 0;
  virtual absl::Status CreateGroup(const Scope& scope, const std::string& name) = 0;
  virtual absl::Status UpdateGroup(const Scope& scope, const std::string& name, const GroupUpdate& update) = 0;
  // Memberships in one group; in all when `group` is empty.
  virtual absl::StatusOr<std::vector<GroupVolume>> ListGroupVolumes(const Scope& scope, const std::string& group) = 0;
  virtual absl::Status AddGroupVolumes(const Scope& scope, const std::string& group,
                                       const std::vector<std::string>& volumes) = 0;
  virtual absl::Status RemoveGroupVolumes(const Scope& scope, const std::string& group,
                                          const std::vector<std::string>& volumes) = 0;
  virtual absl::StatusOr<std::vector<GroupTarget>> ListTargets(const Scope& scope,
                                                               const std::string& group) = 0;  // or face
  virtual absl::Status AddTarget(const Scope& scope, const std::string& group, const std::string& target) = 0;
  virtual absl::Status RemoveTarget(const Scope& scope, const std::string& group, const std::string& target) = 0;
  virtual absl::Status SetAllowed(const Scope& scope, const std::string& face, bool allowed) = 0;

  // Group snapshots and their transfers. `name` is a group, a face, or one of its snapshots.
  virtual absl::StatusOr<std::vector<GroupSnapshot>> ListGroupSnapshots(const Scope& scope,
                                                                        const std::string& group) = 0;
  virtual absl::StatusOr<std::vector<Transfer>> ListTransfers(const Scope& scope, const std::string& name) = 0;
  // Sent at once, pruned by the group's retention.
  virtual absl::Status CreateGroupSnapshot(const Scope& scope, const std::string& group, const std::string& suffix) = 0;
  virtual absl::Status DestroyGroupSnapshot(const Scope& scope, const std::string& name) = 0;

  // Pods and replica links.
  virtual absl::StatusOr<std::vector<Pod>> ListPods(const Scope& scope, const std::vector<std::string>& names) = 0;
  virtual absl::Status CreatePod(const Scope& scope, const std::string& name) = 0;
  virtual absl::Status UpdatePod(const Scope& scope, const std::string& name, const PodUpdate& update) = 0;
  virtual absl::StatusOr<std::vector<ReplicaLink>> ListLinks(const Scope& scope, const std::string& local_pod) = 0;
  virtual absl::Status CreateLink(const Scope& scope, const std::string& local_pod, const std::string& remote_pod,
                                  const std::string& remote_array) = 0;
  virtual absl::Status PauseLink(const Scope& scope, const ReplicaLink& link, bool paused) = 0;
  virtual absl::Status DeleteLink(const Scope& scope, const ReplicaLink& link) = 0;
};

}  // namespace protector::storage
