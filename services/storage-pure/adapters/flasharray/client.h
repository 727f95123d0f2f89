#pragma once
// ArrayApi over the FlashArray's REST 2.x. Sends only what the negotiated version knows.
//
// Threads, failure: as ArrayApi. Ownership: owns its session; the session's environment outlives it.

#include <memory>

#include "libs/failpoint/failpoint.h"
#include "services/storage-pure/adapters/flasharray/session.h"
#include "services/storage-pure/ports/array_api.h"

namespace protector::storage::flasharray {

class Client final : public ArrayApi {
 public:
  Client(SessionOptions options, SessionEnv env) : session_(std::move(options), std::move(env)) {}

  absl::StatusOr<ArrayIdentity> GetIdentity(const Scope& scope) override;
  absl::StatusOr<std::vector<PeerArray>> ListPeers(const Scope& scope) override;

  absl::StatusOr<std::vector<Volume>> ListVolumes(const Scope& scope, const VolumeFilter& filter) override;
  absl::StatusOr<Volume> CloneVolume(const Scope& scope, const std::string& name, const std::string& source) override;
  absl::Status DestroyVolume(const Scope& scope, const std::string& volume_id) override;
  absl::Status MoveVolumeToPod(const Scope& scope, const std::string& volume_id, const std::string& pod) override;
  absl::Status TagVolume(const Scope& scope, const std::string& volume_id, const std::vector<Tag>& tags) override;
  absl::StatusOr<std::vector<Tag>> ListTags(const Scope& scope) override;
  absl::StatusOr<std::vector<Connection>> ListConnections(const Scope& scope,
                                                          const std::vector<std::string>& volumes) override;
  absl::Status DeleteConnection(const Scope& scope, const Connection& connection) override;
  absl::StatusOr<std::vector<std::string>> ListVolumeSnapshots(const Scope& scope,
                                                               const std::string& group_snapshot) override;

  absl::StatusOr<std::vector<Group>> ListGroups(const Scope& scope, const std::vector<std::string>& names) override;
  absl::Status CreateGroup(const Scope& scope, const std::string& name) override;
  absl::Status UpdateGroup(const Scope& scope, const std::string& name, const GroupUpdate& update) override;
  absl::StatusOr<std::vector<GroupVolume>> ListGroupVolumes(const Scope& scope, const std::string& group) override;
  absl::Status AddGroupVolumes(const Scope& scope, const std::string& group,
                               const std::vector<std::string>& volumes) override;
  absl::Status RemoveGroupVolumes(const Scope& scope, const std::string& group,
                                  const std::vector<std::string>& volumes) override;
  absl::StatusOr<std::vector<GroupTarget>> ListTargets(const Scope& scope, const std::string& group) override;
  absl::Status AddTarget(const Scope& scope, const std::string& group, const std::string& target) override;
  absl::Status RemoveTarget(const Scope& scope, const std::string& group, const std::string& target) override;
  absl::Status SetAllowed(const Scope& scope, const std::string& face, bool allowed) override;

  absl::StatusOr<std::vector<GroupSnapshot>> ListGroupSnapshots(const Scope& scope, const std::string& group) override;
  absl::StatusOr<std::vector<Transfer>> ListTransfers(const Scope& scope, const std::string& name) override;
  absl::Status CreateGroupSnapshot(const Scope& scope, const std::string& group, const std::string& suffix) override;
  absl::Status DestroyGroupSnapshot(const Scope& scope, const std::string& name) override;

  absl::StatusOr<std::vector<Pod>> ListPods(const Scope& scope, const std::vector<std::string>& names) override;
  absl::Status CreatePod(const Scope& scope, const std::string& name) override;
  absl::Status UpdatePod(const Scope& scope, const std::string& name, const PodUpdate& update) override;
  absl::StatusOr<std::vector<ReplicaLink>> ListLinks(const Scope& scope, const std::string& local_pod) override;
  absl::Status CreateLink(const Scope& scope, const std::string& local_pod, const std::string& remote_pod,
                          const std::string& remote_array) override;
  absl::Status PauseLink(const Scope& scope, const ReplicaLink& link, bool paused) override;
  absl::Status DeleteLink(const Scope& scope, const ReplicaLink& link) override;

 private:
  // A change, between its failpoints, of which only success matters.
  absl::Status Change(const Scope& scope, const failpoint::Site& site, const ArrayRequest& request);
  // Items whose `field` has one of the values; asked for piecewise, or all at once and sorted out here if they are
  // many.
  absl::StatusOr<std::vector<json::Value>> ListMatching(const Scope& scope, const std::string& path, const Query& base,
                                                        const std::string& field,
                                                        const std::vector<std::string>& values);
  // A listing by `names` of something that may not be there: then it is empty.
  absl::StatusOr<std::vector<json::Value>> ListIfThere(const Scope& scope, const std::string& path, const Query& query,
                                                       RestVersion tokens_since);

  Session session_;
};

}  // namespace protector::storage::flasharray
