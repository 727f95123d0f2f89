#include "services/storage-pure/testing/fake_array.h"

#include <fmt/format.h>

#include <algorithm>

#include "libs/base/error.h"
#include "libs/http/client.h"
#include "services/storage-pure/domain/naming.h"

namespace protector::storage {
namespace {

absl::Status Missing(const std::string& name) {
  return ArrayError(ErrorClass::kNotFound, name, name + " does not exist.");
}
absl::Status Exists(const std::string& name) {
  return ArrayError(ErrorClass::kAlreadyExists, name, name + " already exists.");
}
absl::Status Refused(const std::string& name, const std::string& why) {
  return ArrayError(ErrorClass::kConflict, name, why);
}

bool In(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace

absl::Status FakeArray::Lost() {
  return http::WithOutcome(ArrayError(ErrorClass::kTransient, "array", "connection cut"), http::Outcome::kUnknown);
}

absl::Status FakeArray::Down() {
  return http::WithOutcome(ArrayError(ErrorClass::kTransient, "array", "connection refused"), http::Outcome::kNotSent);
}

void FakeArray::FailNext(const std::string& method, absl::Status status, bool execute) {
  faults_[method].push_back({std::move(status), execute});
}

absl::Status FakeArray::Act(const std::string& method, const std::function<absl::Status()>& body) {
  std::function<void()> hook;
  {
    const std::lock_guard lock(mutex_);
    ++calls[method];
    if (hooks_.contains(method)) hook = hooks_[method];
  }
  if (hook) hook();
  const std::lock_guard lock(mutex_);
  auto& queue = faults_[method];
  if (queue.empty()) return body();
  const Fault fault = queue.front();
  queue.pop_front();
  if (fault.execute) body().IgnoreError();
  return fault.status;
}

Volume& FakeArray::AddVolume(const std::string& name) {
  Volume volume{.name = name, .id = fmt::format("id-{}-{}", name_, ++counter_)};
  volume.serial = fmt::format("{:016X}{:08X}", std::hash<std::string>()(name_), counter_);
  volume.size = 1 << 20;
  const size_t pod = name.find("::");
  if (pod != std::string::npos) volume.pod = name.substr(0, pod);
  return volumes[name] = volume;
}

Volume* FakeArray::FindById(const std::string& id) {
  for (auto& [name, volume] : volumes) {
    if (volume.id == id) return &volume;
  }
  return nullptr;
}

void FakeArray::Connect(const std::string& volume, const std::string& host, const std::string& host_group) {
  connections.push_back({volume, host, host_group});
  ++volumes[volume].connection_count;
}

void FakeArray::AddArrived(const std::string& face, const std::string& suffix,
                           const std::vector<std::string>& volume_names, double progress, absl::Time created) {
  groups[face] = {.name = face, .is_local = false};
  PgSnapshot& point = snapshots[face + "." + suffix];
  point.snapshot = {.name = face + "." + suffix, .created = created};
  point.transfer = {.name = face + "." + suffix, .started = created, .progress = progress, .data_transferred = 1000};
  if (progress >= 1.0) point.transfer.completed = created + absl::Seconds(10);
  for (const std::string& volume : volume_names) point.volumes.push_back(face + "." + suffix + "." + volume);
}

void FakeArray::FinishPromotions() {
  for (auto& [name, pod] : pods) pod.promotion_status = pod.requested_state;
}

absl::StatusOr<ArrayIdentity> FakeArray::GetIdentity(const Scope&) {
  PROTECTOR_RETURN_IF_ERROR(Act("GetIdentity", [] { return absl::OkStatus(); }));
  return ArrayIdentity{
      .name = name_, .id = "id-" + name_, .purity_version = "6.5.0", .rest_version = "2.26", .as_of = now};
}

absl::StatusOr<std::vector<PeerArray>> FakeArray::ListPeers(const Scope&) {
  PROTECTOR_RETURN_IF_ERROR(Act("ListPeers", [] { return absl::OkStatus(); }));
  return peers;
}

absl::StatusOr<std::vector<Volume>> FakeArray::ListVolumes(const Scope&, const VolumeFilter& filter) {
  std::vector<Volume> found;
  PROTECTOR_RETURN_IF_ERROR(Act("ListVolumes", [&] {
    for (const auto& [name, volume] : volumes) {
      if (filter.destroyed && volume.destroyed != *filter.destroyed) continue;
      if (filter.Everything() || In(filter.names, name) || In(filter.ids, volume.id) ||
          In(filter.serials, volume.serial) || (!filter.pod.empty() && filter.pod == volume.pod)) {
        found.push_back(volume);
      }
    }
    return absl::OkStatus();
  }));
  return found;
}

absl::StatusOr<Volume> FakeArray::CloneVolume(const Scope&, const std::string& name, const std::string& source) {
  Volume made;
  PROTECTOR_RETURN_IF_ERROR(Act("CloneVolume", [&]() -> absl::Status {
    if (volumes.contains(name)) return Exists(name);
    bool there = volumes.contains(source);
    for (const auto& [key, point] : snapshots) {
      if (In(point.volumes, source)) there = point.transfer.Complete();
    }
    if (!there) return Missing(source);
    Volume& volume = AddVolume(name);
    volume.source = source;
    made = volume;
    return absl::OkStatus();
  }));
  return made;
}

absl::Status FakeArray::DestroyVolume(const Scope&, const std::string& volume_id) {
  return Act("DestroyVolume", [&]() -> absl::Status {
    Volume* volume = FindById(volume_id);
    if (volume == nullptr) return Missing(volume_id);
    if (volume->connection_count > 0) return Refused(volume->name, "cannot be deleted due to existing connections");
    if (!volume->pod.empty() && pods[volume->pod].promotion_status != "promoted") {
      return Refused(volume->name, "Pod is not promoted.");
    }
    volume->destroyed = true;
    return absl::OkStatus();
  });
}

absl::Status FakeArray::MoveVolumeToPod(const Scope&, const std::string& volume_id, const std::string& pod) {
  return Act("MoveVolumeToPod", [&]() -> absl::Status {
    Volume* found = FindById(volume_id);
    if (found == nullptr) return Missing(volume_id);
    Volume volume = *found;
    volumes.erase(volume.name);
    volume.pod = pod;
    volume.name = (pod.empty() ? "" : pod + "::") + BaseName(volume.name);
    volumes[volume.name] = volume;
    return absl::OkStatus();
  });
}

absl::Status FakeArray::TagVolume(const Scope&, const std::string& volume_id, const std::vector<Tag>& list) {
  return Act("TagVolume", [&]() -> absl::Status {
    for (const Tag& tag : list) tags[volume_id][tag.key] = tag.value;
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<Tag>> FakeArray::ListTags(const Scope&) {
  std::vector<Tag> out;
  for (auto& [id, pairs] : tags) {
    const Volume* volume = FindById(id);
    for (auto& [key, value] : pairs) out.push_back({key, value, volume == nullptr ? "" : volume->name, id});
  }
  return out;
}

absl::StatusOr<std::vector<Connection>> FakeArray::ListConnections(const Scope&,
                                                                   const std::vector<std::string>& names) {
  std::vector<Connection> out;
  PROTECTOR_RETURN_IF_ERROR(Act("ListConnections", [&] {
    for (const Connection& connection : connections) {
      if (names.empty() || In(names, connection.volume)) out.push_back(connection);
    }
    return absl::OkStatus();
  }));
  return out;
}

absl::Status FakeArray::DeleteConnection(const Scope&, const Connection& connection) {
  return Act("DeleteConnection", [&]() -> absl::Status {
    const size_t erased = std::erase_if(connections, [&](const Connection& c) {
      return c.volume == connection.volume &&
             (connection.host_group.empty() ? c.host == connection.host : c.host_group == connection.host_group);
    });
    if (erased == 0) return Missing("Connection");
    volumes[connection.volume].connection_count -= static_cast<int>(erased);
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<std::string>> FakeArray::ListVolumeSnapshots(const Scope&,
                                                                        const std::string& group_snapshot) {
  const auto it = snapshots.find(group_snapshot);
  return it == snapshots.end() ? std::vector<std::string>() : it->second.volumes;
}

absl::StatusOr<std::vector<Group>> FakeArray::ListGroups(const Scope&, const std::vector<std::string>& names) {
  std::vector<Group> out;
  PROTECTOR_RETURN_IF_ERROR(Act("ListGroups", [&] {
    for (const auto& [name, group] : groups) {
      if (names.empty() || In(names, name)) out.push_back(group);
    }
    return absl::OkStatus();
  }));
  return out;
}

absl::Status FakeArray::CreateGroup(const Scope&, const std::string& name) {
  return Act("CreateGroup", [&]() -> absl::Status {
    if (groups.contains(name)) return Exists(name);
    groups[name].name = name;
    return absl::OkStatus();
  });
}

absl::Status FakeArray::UpdateGroup(const Scope&, const std::string& name, const GroupUpdate& update) {
  return Act("UpdateGroup", [&]() -> absl::Status {
    if (!groups.contains(name)) return Missing(name);
    Group& group = groups[name];
    if (update.replication_enabled) group.replication_enabled = *update.replication_enabled;
    if (update.frequency) group.frequency = *update.frequency;
    if (update.source_retention) group.source_retention = *update.source_retention;
    if (update.target_retention) group.target_retention = *update.target_retention;
    if (update.destroyed) group.destroyed = *update.destroyed;
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<GroupVolume>> FakeArray::ListGroupVolumes(const Scope&, const std::string& group) {
  std::vector<GroupVolume> out;
  const std::lock_guard lock(mutex_);
  ++calls["ListGroupVolumes"];
  for (const GroupVolume& member : members) {
    if (group.empty() || member.group == group) out.push_back(member);
  }
  return out;
}

absl::Status FakeArray::AddGroupVolumes(const Scope&, const std::string& group, const std::vector<std::string>& names) {
  return Act("AddGroupVolumes", [&]() -> absl::Status {
    if (!groups.contains(group)) return Missing(group);
    for (const std::string& name : names) {
      if (!volumes.contains(name)) return Missing(name);
      for (const GroupVolume& member : members) {
        if (member.group == group && member.volume == name) return Exists(name);
      }
    }
    for (const std::string& name : names) members.push_back({group, name, volumes[name].id});
    return absl::OkStatus();
  });
}

absl::Status FakeArray::RemoveGroupVolumes(const Scope&, const std::string& group,
                                           const std::vector<std::string>& names) {
  return Act("RemoveGroupVolumes", [&]() -> absl::Status {
    std::erase_if(members, [&](const GroupVolume& m) { return m.group == group && In(names, m.volume); });
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<GroupTarget>> FakeArray::ListTargets(const Scope&, const std::string& group) {
  std::vector<GroupTarget> out;
  PROTECTOR_RETURN_IF_ERROR(Act("ListTargets", [&] {
    for (const GroupTarget& target : targets) {
      if (target.group == group) out.push_back(target);
    }
    return absl::OkStatus();
  }));
  return out;
}

absl::Status FakeArray::AddTarget(const Scope&, const std::string& group, const std::string& target) {
  return Act("AddTarget", [&]() -> absl::Status {
    for (const GroupTarget& t : targets) {
      if (t.group == group && t.target == target) return Exists(target);
    }
    targets.push_back({group, target, false});
    return absl::OkStatus();
  });
}

absl::Status FakeArray::RemoveTarget(const Scope&, const std::string& group, const std::string& target) {
  return Act("RemoveTarget", [&]() -> absl::Status {
    std::erase_if(targets, [&](const GroupTarget& t) { return t.group == group && t.target == target; });
    return absl::OkStatus();
  });
}

absl::Status FakeArray::SetAllowed(const Scope&, const std::string& face, bool allowed) {
  return Act("SetAllowed", [&]() -> absl::Status {
    if (!groups.contains(face)) return Missing(face);
    std::erase_if(targets, [&](const GroupTarget& t) { return t.group == face; });
    targets.push_back({face, name_, allowed});
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<GroupSnapshot>> FakeArray::ListGroupSnapshots(const Scope&, const std::string& group) {
  std::vector<GroupSnapshot> out;
  PROTECTOR_RETURN_IF_ERROR(Act("ListGroupSnapshots", [&] {
    for (const auto& [name, point] : snapshots) {
      if (name.starts_with(group + ".")) out.push_back(point.snapshot);
    }
    return absl::OkStatus();
  }));
  return out;
}

absl::StatusOr<std::vector<Transfer>> FakeArray::ListTransfers(const Scope&, const std::string& name) {
  std::vector<Transfer> out;
  PROTECTOR_RETURN_IF_ERROR(Act("ListTransfers", [&] {
    for (const auto& [key, point] : snapshots) {
      if ((key == name || key.starts_with(name + ".")) && !point.snapshot.destroyed) out.push_back(point.transfer);
    }
    return absl::OkStatus();
  }));
  return out;
}

absl::Status FakeArray::CreateGroupSnapshot(const Scope&, const std::string& group, const std::string& suffix) {
  return Act("CreateGroupSnapshot", [&]() -> absl::Status {
    const std::string name = group + "." + suffix;
    if (!groups.contains(group)) return Missing(group);
    if (snapshots.contains(name)) return Exists(name);
    snapshots[name].snapshot = {.name = name, .created = now};
    snapshots[name].transfer = {.name = name, .started = now};
    return absl::OkStatus();
  });
}

absl::Status FakeArray::DestroyGroupSnapshot(const Scope&, const std::string& name) {
  return Act("DestroyGroupSnapshot", [&]() -> absl::Status {
    if (!snapshots.contains(name)) return Missing(name);
    snapshots[name].snapshot.destroyed = true;
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<Pod>> FakeArray::ListPods(const Scope&, const std::vector<std::string>& names) {
  std::vector<Pod> out;
  for (const auto& [name, pod] : pods) {
    if (names.empty() || In(names, name)) out.push_back(pod);
  }
  return out;
}

absl::Status FakeArray::CreatePod(const Scope&, const std::string& name) {
  return Act("CreatePod", [&]() -> absl::Status {
    if (pods.contains(name)) return Exists(name);
    pods[name] = {.name = name,
                  .promotion_status = "promoted",
                  .requested_state = "promoted",
                  .arrays = {{.name = name_, .status = "online", .mediator_status = "online"}}};
    return absl::OkStatus();
  });
}

absl::Status FakeArray::UpdatePod(const Scope&, const std::string& name, const PodUpdate& update) {
  return Act("UpdatePod", [&]() -> absl::Status {
    if (!pods.contains(name)) return Missing(name);
    Pod& pod = pods[name];
    const bool linked =
        std::any_of(links.begin(), links.end(), [&](const auto& link) { return link.local_pod == name; });
    if (update.quiesce && !linked) return Refused(name, "quiesce needs a replica link");
    if (!update.requested_state.empty()) {
      pod.requested_state = update.requested_state;
      if (!async_promotion || update.abort_quiesce) pod.promotion_status = update.requested_state;
    }
    if (update.destroy) {
      if (linked) return Refused(name, "Pod has a replica link.");
      pod.destroyed = true;
      for (auto& [key, volume] : volumes) {
        if (volume.pod == name) volume.destroyed = true;
      }
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<ReplicaLink>> FakeArray::ListLinks(const Scope&, const std::string& local_pod) {
  std::vector<ReplicaLink> out;
  for (const ReplicaLink& link : links) {
    if (link.local_pod == local_pod) out.push_back(link);
  }
  return out;
}

absl::Status FakeArray::CreateLink(const Scope&, const std::string& local_pod, const std::string& remote_pod,
                                   const std::string& remote_array) {
  return Act("CreateLink", [&]() -> absl::Status {
    links.push_back({.local_pod = local_pod,
                     .remote_pod = remote_pod,
                     .remote_array = remote_array,
                     .direction = "outbound",
                     .status = "baselining"});
    return absl::OkStatus();
  });
}

absl::Status FakeArray::PauseLink(const Scope&, const ReplicaLink& link, bool paused) {
  return Act("PauseLink", [&]() -> absl::Status {
    for (ReplicaLink& l : links) {
      if (l.local_pod != link.local_pod) continue;
      l.paused = paused;
      l.status = paused ? "paused" : "replicating";
    }
    return absl::OkStatus();
  });
}

absl::Status FakeArray::DeleteLink(const Scope&, const ReplicaLink& link) {
  return Act("DeleteLink", [&]() -> absl::Status {
    std::erase_if(links, [&](const ReplicaLink& l) { return l.local_pod == link.local_pod; });
    return absl::OkStatus();
  });
}

}  // namespace protector::storage
