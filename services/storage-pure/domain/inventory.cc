#include "services/storage-pure/domain/inventory.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "libs/base/error.h"
#include "services/storage-pure/domain/naming.h"

namespace protector::storage {
namespace {

std::string Join(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) joined += (joined.empty() ? "" : ", ") + text;
  return joined;
}

}  // namespace

v1::ArrayVolume ToProto(const Volume& volume) {
  v1::ArrayVolume out;
  out.set_name(volume.name);
  out.set_id(volume.id);
  out.set_serial(volume.serial);
  out.set_size(volume.size);
  out.set_cinder_volume_id(CinderIdOf(volume.name));
  out.set_pod(volume.pod);
  out.set_connection_count(volume.connection_count);
  out.set_destroyed(volume.destroyed);
  return out;
}

absl::Status VolumeNotFound(const std::string& what) {
  return Error(absl::StatusCode::kNotFound, "VOLUME_NOT_FOUND",
               fmt::format("not on this array (or destroyed): {}", what))
      .Object("volume " + what)
      .Remedy("Check that the volume is on the array that this site's storage-pure is configured for.");
}

absl::Status Foreign(const std::string& object, const std::string& why, const std::string& remedy) {
  return Error(absl::StatusCode::kFailedPrecondition, "FOREIGN_OBJECT", fmt::format("{}: {}", object, why))
      .Object(object)
      .Remedy(remedy);
}

absl::Status OutcomeUnknownError(const std::string& object, const absl::Status& cause) {
  return Error(absl::StatusCode::kUnavailable, "OUTCOME_UNKNOWN",
               fmt::format("{}: it is not known whether the change was made: {}", object, MessageOf(cause)))
      .Object(object)
      .Remedy("Repeat the call when the array answers again; it finds what was made and goes on from there.");
}

absl::StatusOr<std::map<std::string, Volume>> Inventory::BySerial(const Scope& scope,
                                                                  const std::vector<std::string>& serials) {
  std::map<std::string, Volume> found;
  if (serials.empty()) return found;
  VolumeFilter filter;
  for (const std::string& serial : serials) filter.serials.push_back(UpperSerial(serial));
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Volume> volumes, deps_.array.ListVolumes(scope, filter));
  for (const Volume& volume : volumes) found[volume.serial] = volume;
  return found;
}

absl::StatusOr<std::vector<Volume>> Inventory::NeedLive(const Scope& scope,
                                                        const google::protobuf::RepeatedPtrField<v1::Disk>& disks) {
  std::vector<std::string> serials;
  for (const v1::Disk& disk : disks) serials.push_back(UpperSerial(disk.serial()));
  PROTECTOR_ASSIGN_OR_RETURN(auto found, BySerial(scope, serials));
  std::vector<Volume> volumes;
  std::vector<std::string> missing;
  for (const std::string& serial : serials) {
    const auto it = found.find(serial);
    if (it == found.end() || it->second.destroyed) {
      missing.push_back("serial " + serial);
    } else {
      volumes.push_back(it->second);
    }
  }
  if (!missing.empty()) return VolumeNotFound(Join(missing));
  return volumes;
}

absl::Status Inventory::CheckOwner(const std::string& group_id, const std::vector<std::string>& serials) {
  for (const std::string& serial : serials) {
    PROTECTOR_ASSIGN_OR_RETURN(const std::optional<DiskKey> disk, deps_.state.DiskOf(UpperSerial(serial)));
    if (disk && disk->group_id != group_id) {
      return Foreign("volume with serial " + serial, "it is a disk of protection group " + disk->group_id,
                     "Remove the member from the other protection group first.");
    }
  }
  return absl::OkStatus();
}

absl::Status Inventory::RecordDisks(const Scope& scope, const std::string& group_id,
                                    const google::protobuf::RepeatedPtrField<v1::Disk>& disks) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string array, ArrayName(scope));
  std::vector<std::pair<DiskKey, std::map<std::string, std::string>>> pairs;
  for (const v1::Disk& disk : disks) {
    pairs.push_back({{group_id, disk.member_id(), disk.index()}, {{array, UpperSerial(disk.serial())}}});
  }
  return deps_.state.SavePairs(pairs);
}

absl::Status Inventory::AddGroups(const Scope& scope, std::vector<v1::ArrayVolume>& volumes) {
  if (volumes.empty()) return absl::OkStatus();
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<GroupVolume> members, deps_.array.ListGroupVolumes(scope, ""));
  std::map<std::string, std::vector<std::string>> groups;
  for (const GroupVolume& member : members) groups[member.volume].push_back(member.group);
  for (v1::ArrayVolume& volume : volumes) {
    for (const std::string& group : groups[volume.name()]) volume.add_protection_groups(group);
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::ResolveVolumesResponse> Inventory::Resolve(const Scope& scope,
                                                              const v1::ResolveVolumesRequest& request) {
  VolumeFilter filter;
  filter.destroyed = false;
  for (const std::string& id : request.cinder_volume_ids()) filter.names.push_back(CinderName(id));
  filter.names.insert(filter.names.end(), request.array_volumes().begin(), request.array_volumes().end());
  if (filter.names.empty()) return v1::ResolveVolumesResponse();
  PROTECTOR_ASSIGN_OR_RETURN(std::vector<Volume> volumes, deps_.array.ListVolumes(scope, filter));
  std::map<std::string, const Volume*> by_cinder_id;
  const auto index = [&] {
    by_cinder_id.clear();
    for (const Volume& volume : volumes) by_cinder_id.try_emplace(CinderIdOf(volume.name), &volume);
  };
  index();
  const bool all_plain = std::all_of(request.cinder_volume_ids().begin(), request.cinder_volume_ids().end(),
                                     [&](const std::string& id) { return by_cinder_id.contains(id); });
  if (!all_plain) {  // some are in a pod or volume group, where the name has a prefix that only a full listing shows
    PROTECTOR_ASSIGN_OR_RETURN(volumes, deps_.array.ListVolumes(scope, {.destroyed = false}));
    index();
  }
  std::vector<v1::ArrayVolume> found;
  std::vector<std::string> missing;
  for (const std::string& id : request.cinder_volume_ids()) {
    const auto it = by_cinder_id.find(id);
    if (it == by_cinder_id.end()) {
      missing.push_back(CinderName(id));
    } else {
      found.push_back(ToProto(*it->second));
    }
  }
  for (const std::string& name : request.array_volumes()) {
    const auto it = std::find_if(volumes.begin(), volumes.end(), [&](const Volume& v) { return v.name == name; });
    if (it == volumes.end()) {
      missing.push_back(name);
    } else {
      found.push_back(ToProto(*it));
    }
  }
  if (!missing.empty()) return VolumeNotFound(Join(missing));
  PROTECTOR_RETURN_IF_ERROR(AddGroups(scope, found));
  v1::ResolveVolumesResponse response;
  for (const v1::ArrayVolume& volume : found) *response.add_volumes() = volume;
  return response;
}

absl::StatusOr<v1::DescribeVolumesResponse> Inventory::Describe(const Scope& scope,
                                                                const v1::DescribeVolumesRequest& request) {
  VolumeFilter filter;
  filter.ids.assign(request.array_volume_ids().begin(), request.array_volume_ids().end());
  for (const std::string& serial : request.serials()) filter.serials.push_back(UpperSerial(serial));
  v1::DescribeVolumesResponse response;
  if (filter.Everything()) return response;
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Volume> volumes, deps_.array.ListVolumes(scope, filter));
  std::vector<v1::ArrayVolume> found;
  std::transform(volumes.begin(), volumes.end(), std::back_inserter(found), ToProto);
  PROTECTOR_RETURN_IF_ERROR(AddGroups(scope, found));
  for (const v1::ArrayVolume& volume : found) *response.add_volumes() = volume;
  return response;
}

absl::StatusOr<v1::Array> Inventory::GetArray(const Scope& scope) {
  PROTECTOR_ASSIGN_OR_RETURN(const ArrayIdentity identity, deps_.array.GetIdentity(scope));
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<PeerArray> peers, deps_.array.ListPeers(scope));
  v1::Array array;
  array.set_name(identity.name);
  array.set_id(identity.id);
  array.set_purity_version(identity.purity_version);
  array.set_rest_version(identity.rest_version);
  for (const PeerArray& peer : peers) {
    v1::ArrayConnection* connection = array.add_connections();
    connection->set_name(peer.name);
    connection->set_status(peer.status);
    connection->set_type(peer.type);
  }
  return array;
}

absl::StatusOr<std::string> Inventory::ArrayName(const Scope& scope) {
  {
    const std::lock_guard lock(mutex_);
    if (!array_name_.empty()) return array_name_;
  }
  PROTECTOR_ASSIGN_OR_RETURN(const ArrayIdentity identity, deps_.array.GetIdentity(scope));
  const std::lock_guard lock(mutex_);
  array_name_ = identity.name;
  return array_name_;
}

absl::StatusOr<std::string> Inventory::PeerStatus(const Scope& scope, const std::string& peer) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<PeerArray> peers, deps_.array.ListPeers(scope));
  for (const PeerArray& candidate : peers) {
    if (candidate.name == peer) return candidate.status;
  }
  return std::string();
}

absl::Status Inventory::CheckPeer(const Scope& scope, const std::string& peer) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string status, PeerStatus(scope, peer));
  if (status == "connected" || status == "partially_connected" || status == "unbalanced") return absl::OkStatus();
  const std::string why =
      status.empty() ? "this array has no connection to it" : "the connection is \"" + status + "\"";
  // A connection that was made comes back by itself, e.g. a moment after the other site has; one that was not does not.
  const auto code = status.empty() ? absl::StatusCode::kFailedPrecondition : absl::StatusCode::kUnavailable;
  return Error(code, "LINK_DOWN", fmt::format("array {}: {}", peer, why))
      .Object("array connection to " + peer)
      .Remedy("Connect the two arrays (array connections on either one) and wait until the status is \"connected\".");
}

}  // namespace protector::storage
