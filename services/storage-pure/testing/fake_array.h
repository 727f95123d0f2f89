#pragma once
// An array in memory for tests of the domain: enough of its behaviour to be right or wrong about, and a way to make
// calls fail before or after they were carried out.
//
// Threads: safe for all. Ownership: tests reach into the public state between calls. Failure: what was injected, and
// the array's own refusals.

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>

#include "services/storage-pure/ports/array_api.h"

namespace protector::storage {

class FakeArray final : public ArrayApi {
 public:
  explicit FakeArray(std::string name) : name_(std::move(name)) {}

  struct PgSnapshot {
    GroupSnapshot snapshot;
    Transfer transfer;
    std::vector<std::string> volumes;  // names of its volume snapshots
  };

  // State. Names are keys.
  std::map<std::string, Volume> volumes;
  std::vector<Connection> connections;
  std::map<std::string, std::map<std::string, std::string>> tags;  // volume id -> key -> value
  std::map<std::string, Group> groups;
  std::vector<GroupVolume> members;
  std::vector<GroupTarget> targets;
  std::map<std::string, PgSnapshot> snapshots;
  std::map<std::string, Pod> pods;
  std::vector<ReplicaLink> links;
  std::vector<PeerArray> peers;
  std::map<std::string, int> calls;  // by method name
  bool async_promotion = false;      // promoting and demoting take until FinishPromotions()
  absl::Time now = absl::FromUnixSeconds(1'700'000'000);

  // The next call of `method` fails with `status`; carried out first if `execute`.
  void FailNext(const std::string& method, absl::Status status, bool execute);
  // Called at the start of each call of `method`.
  void OnCall(const std::string& method, std::function<void()> hook) { hooks_[method] = std::move(hook); }
  static absl::Status Lost();  // no answer: the outcome is unknown
  static absl::Status Down();  // not sent

  Volume& AddVolume(const std::string& name);
  Volume* FindById(const std::string& id);
  void Connect(const std::string& volume, const std::string& host, const std::string& host_group = "");
  // A recovery point of another array's group that has arrived here, or is arriving.
  void AddArrived(const std::string& face, const std::string& suffix, const std::vector<std::string>& volume_names,
                  double progress, absl::Time created);
  void FinishPromotions();

  absl::StatusOr<ArrayIdentity> GetIdentity(const Scope& scope) override;
  absl::StatusOr<std::vector<PeerArray>> ListPeers(const Scope& scope) override;
  absl::StatusOr<std::vector<Volume>> ListVolumes(const Scope& scope, const VolumeFilter& filter) override;
  absl::StatusOr<Volume> CloneVolume(const Scope& scope, const std::string& name, const std::string& source) override;
  absl::Status DestroyVolume(const Scope& scope, const std::string& volume_id) override;
  absl::Status MoveVolumeToPod(const Scope& scope, const std::string& volume_id, const std::string& pod) override;
  absl::Status TagVolume(const Scope& scope, const std::string& volume_id, const std::vector<Tag>& tags) override;
  absl::StatusOr<std::vector<Tag>> ListTags(const Scope& scope) override;
  absl::StatusOr<std::vector<Connection>> ListConnections(const Scope& scope,
                                                          const std::vector<std::string>& names) override;
  absl::Status DeleteConnection(const Scope& scope, const Connection& connection) override;
  absl::StatusOr<std::vector<std::string>> ListVolumeSnapshots(const Scope& scope,
                                                               const std::string& group_snapshot) override;
  absl::StatusOr<std::vector<Group>> ListGroups(const Scope& scope, const std::vector<std::string>& names) override;
  absl::Status CreateGroup(const Scope& scope, const std::string& name) override;
  absl::Status UpdateGroup(const Scope& scope, const std::string& name, const GroupUpdate& update) override;
  absl::StatusOr<std::vector<GroupVolume>> ListGroupVolumes(const Scope& scope, const std::string& group) override;
  absl::Status AddGroupVolumes(const Scope& scope, const std::string& group,
                               const std::vector<std::string>& names) override;
  absl::Status RemoveGroupVolumes(const Scope& scope, const std::string& group,
                                  const std::vector<std::string>& names) override;
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
  struct Fault {
    absl::Status status;
    bool execute;
  };
  // Counts the call, runs hook and fault around `body`.
  absl::Status Act(const std::string& method, const std::function<absl::Status()>& body);

  std::string name_;
  std::recursive_mutex mutex_;
  std::map<std::string, std::deque<Fault>> faults_;
  std::map<std::string, std::function<void()>> hooks_;
  int counter_ = 0;
};

}  // namespace protector::storage
