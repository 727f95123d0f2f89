#include "services/storage-pure/domain/retire.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "libs/base/error.h"
#include "libs/base/parallel.h"
#include "services/storage-pure/domain/naming.h"

namespace protector::storage {
namespace {

void AddObject(v1::ListOwnedObjectsResponse& response, const std::string& kind, const std::string& name,
               const std::string& operation, const std::string& group, bool destroyed, const std::string& serial = "") {
  v1::OwnedObject* object = response.add_objects();
  object->set_kind(kind);
  object->set_name(name);
  object->set_operation_id(operation);
  object->set_group_id(group);
  object->set_destroyed(destroyed);
  object->set_serial(serial);
}

}  // namespace

absl::Status Retirement::CheckRetirable(const std::string& group_id, const std::vector<std::string>& serials,
                                        const std::map<std::string, Volume>& found) {
  for (const std::string& serial : serials) {
    const std::string object = "volume with serial " + serial;
    PROTECTOR_ASSIGN_OR_RETURN(const std::optional<DiskKey> disk, deps_.state.DiskOf(serial));
    if (!disk || disk->group_id != group_id) {
      return Foreign(object, disk ? "it is a disk of protection group " + disk->group_id : "no group ever used it",
                     "Only volumes that this group used are destroyed for it.");
    }
    const auto it = found.find(serial);
    if (it == found.end() || it->second.destroyed || it->second.connection_count == 0) continue;
    return Error(absl::StatusCode::kFailedPrecondition, "ARRAY_CONFLICT",
                 fmt::format("volume {} is connected to {} host(s)", it->second.name, it->second.connection_count))
        .Object("volume " + it->second.name)
        .Remedy("Stop the server that uses it, or fence the group's volumes, then repeat.");
  }
  return absl::OkStatus();
}

absl::Status Retirement::LeaveGroups(const Scope& scope, const std::string& group_id,
                                     const std::vector<Volume>& volumes) {
  std::set<std::string> names;
  for (const Volume& volume : volumes) names.insert(volume.name);
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<GroupVolume> members, deps_.array.ListGroupVolumes(scope, ""));
  std::map<std::string, std::vector<std::string>> leaving;
  for (const GroupVolume& member : members) {
    if (names.contains(member.volume)) leaving[member.group].push_back(member.volume);
  }
  for (const auto& [group, leavers] : leaving) {
    PROTECTOR_ASSIGN_OR_RETURN(const std::optional<ProtectionRecord> record, deps_.state.Protection(group));
    if (!record) continue;  // not ours (Cinder's own, perhaps): a destroyed volume may stay in it
    if (record->group_id != group_id) {
      return Foreign("protection group " + group, "volume " + leavers.front() + " is in it, and it is another group's",
                     "Remove the member from the other protection group first.");
    }
    const absl::Status removed = deps_.array.RemoveGroupVolumes(scope, group, leavers);
    if (!removed.ok() && !NotThere(removed))
      return removed;  // repeated by the caller, also when its outcome is unknown
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> Retirement::RetirePod(const Scope& scope, const std::string& group_id, const std::string& name,
                                           const std::vector<Volume>& volumes) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::optional<ProtectionRecord> record, deps_.state.Protection(name));
  if (!record || record->group_id != group_id) return false;
  PROTECTOR_ASSIGN_OR_RETURN(const std::optional<Pod> pod, pods_.Look(scope, name));
  if (!pod || pod->destroyed || pod->Stretched()) return false;
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<ReplicaLink> links, deps_.array.ListLinks(scope, name));
  if (!links.empty()) return false;  // in use
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Volume> inside, pods_.Volumes(scope, name));
  const bool nothing_else = std::all_of(inside.begin(), inside.end(), [&](const Volume& volume) {
    return std::any_of(volumes.begin(), volumes.end(), [&](const Volume& other) { return other.id == volume.id; });
  });
  if (!nothing_else) return false;
  PROTECTOR_RETURN_IF_ERROR(deps_.array.UpdatePod(scope, name, {.destroy = true}));
  ProtectionRecord retired = *record;  // kept: it leads callers to the pod that took its place
  retired.retired = true;
  PROTECTOR_RETURN_IF_ERROR(deps_.state.SaveProtection(retired));
  return true;
}

absl::StatusOr<v1::RetireVolumesResponse> Retirement::Retire(const Scope& scope,
                                                             const v1::RetireVolumesRequest& request) {
  const std::string& group_id = request.authority().group_id();
  std::vector<std::string> serials;
  for (const std::string& serial : request.serials()) serials.push_back(UpperSerial(serial));
  PROTECTOR_ASSIGN_OR_RETURN(const auto found, inventory_.BySerial(scope, serials));
  PROTECTOR_RETURN_IF_ERROR(CheckRetirable(group_id, serials, found));
  std::vector<Volume> live;
  std::map<std::string, std::vector<Volume>> by_pod;
  for (const auto& [serial, volume] : found) {
    if (volume.destroyed) continue;
    if (volume.pod.empty()) {
      live.push_back(volume);
    } else {
      by_pod[volume.pod].push_back(volume);
    }
  }
  if (!live.empty()) PROTECTOR_RETURN_IF_ERROR(LeaveGroups(scope, group_id, live));
  for (const auto& [pod, volumes] : by_pod) {
    PROTECTOR_ASSIGN_OR_RETURN(const bool done, RetirePod(scope, group_id, pod, volumes));
    if (!done) live.insert(live.end(), volumes.begin(), volumes.end());
  }
  std::vector<absl::Status> results(live.size());
  ForEachInParallel(live.size(), deps_.parallelism,
                    [&](size_t i) { results[i] = deps_.array.DestroyVolume(scope, live[i].id); });
  // The array's own view decides: a lost answer may hide a success.
  PROTECTOR_ASSIGN_OR_RETURN(const auto now, inventory_.BySerial(scope, serials));
  for (size_t i = 0; i < live.size(); ++i) {
    const auto it = now.find(live[i].serial);
    const bool gone = it == now.end() || it->second.destroyed;
    if (!gone && !results[i].ok()) return Annotate(results[i], "destroying volume " + live[i].name);
  }
  v1::RetireVolumesResponse response;
  for (const std::string& serial : serials) response.add_retired(serial);
  return response;
}

absl::StatusOr<v1::ListOwnedObjectsResponse> Retirement::ListOwned(const Scope& scope,
                                                                   const v1::ListOwnedObjectsRequest& request) {
  const auto wanted = [&](const std::string& group) {
    return request.group_id().empty() || group == request.group_id();
  };
  v1::ListOwnedObjectsResponse response;
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Tag> tags, deps_.array.ListTags(scope));
  std::map<std::string, std::map<std::string, std::string>> marks;  // by volume name
  for (const Tag& tag : tags) marks[tag.volume][tag.key] = tag.value;
  VolumeFilter filter;
  for (auto& [volume, mark] : marks) {
    if (wanted(mark[kTagGroup])) filter.names.push_back(volume);
  }
  if (!filter.names.empty()) {
    PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Volume> volumes, deps_.array.ListVolumes(scope, filter));
    for (const Volume& volume : volumes) {
      auto& mark = marks[volume.name];
      AddObject(response, "volume", volume.name, mark[kTagOperation], mark[kTagGroup], volume.destroyed, volume.serial);
    }
  }
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<ProtectionRecord> records, deps_.state.Protections());
  for (const ProtectionRecord& record : records) {
    if (!wanted(record.group_id)) continue;
    if (record.pod) {
      PROTECTOR_ASSIGN_OR_RETURN(const std::optional<Pod> pod, pods_.Look(scope, record.name));
      if (pod) AddObject(response, "pod", pod->name, "", record.group_id, pod->destroyed);
      continue;
    }
    PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Group> groups, deps_.array.ListGroups(scope, {record.name}));
    if (!groups.empty()) {
      AddObject(response, "protection-group", record.name, "", record.group_id, groups.front().destroyed);
    }
    PROTECTOR_ASSIGN_OR_RETURN(const std::vector<GroupSnapshot> snapshots,
                               deps_.array.ListGroupSnapshots(scope, record.name));
    for (const GroupSnapshot& snapshot : snapshots) {
      const std::string operation = OperationOfSuffix(SuffixOf(snapshot.name));
      if (!operation.empty())
        AddObject(response, "snapshot", snapshot.name, operation, record.group_id, snapshot.destroyed);
    }
  }
  return response;
}

}  // namespace protector::storage
