#include "services/storage-pure/domain/pod_failover.h"

#include <fmt/format.h>

#include <algorithm>

#include "libs/base/error.h"
#include "services/storage-pure/domain/convert.h"
#include "services/storage-pure/domain/materialize.h"
#include "services/storage-pure/domain/naming.h"

namespace protector::storage {
namespace {

std::vector<CloneJob> Jobs(const v1::MaterializeVolumesRequest& request, const std::vector<Volume>& volumes) {
  std::vector<CloneJob> jobs;
  for (int i = 0; i < request.disks_size(); ++i) {
    const v1::DiskToMaterialize& disk = request.disks(i);
    jobs.push_back({.disk = {request.authority().group_id(), disk.member_id(), disk.index()},
                    .source = volumes[static_cast<size_t>(i)].name,
                    .source_serial = disk.source_serial()});
  }
  return jobs;
}

}  // namespace

absl::StatusOr<v1::ListRecoveryPointsResponse> PodFailover::ListPoints(const Scope& scope,
                                                                       const v1::ListRecoveryPointsRequest& request) {
  PROTECTOR_ASSIGN_OR_RETURN(const v1::Protection now, pods_.Get(scope, request.name(), request.source_array()));
  v1::ListRecoveryPointsResponse response;
  if (now.has_newest()) *response.add_recovery_points() = now.newest();  // a pod keeps no older ones
  return response;
}

absl::StatusOr<v1::RecoveryPoint> PodFailover::CreatePoint(const Scope& scope,
                                                           const v1::CreateRecoveryPointRequest& request) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string local, pods_.LocalName(scope, request.name(), ""));
  PROTECTOR_RETURN_IF_ERROR(pods_.Find(scope, local).status());
  const std::string key = request.name() + "/" + PointSuffix(request.authority().operation_id(), request.purpose());
  PROTECTOR_ASSIGN_OR_RETURN(std::optional<std::string> name, deps_.state.Point(key));
  if (!name) {
    // By the array's clock where it tells it: its recovery points are compared with this.
    PROTECTOR_ASSIGN_OR_RETURN(const ArrayIdentity identity, deps_.array.GetIdentity(scope));
    const absl::Time now = identity.as_of != absl::InfinitePast() ? identity.as_of : deps_.clock.Now();
    name = PodPointName(request.name(), absl::ToUnixMillis(now));
    PROTECTOR_RETURN_IF_ERROR(deps_.state.SavePoint(key, *name));
  }
  v1::RecoveryPoint point;
  point.set_name(*name);
  SetTime(point.mutable_data_time(), absl::FromUnixMillis(MillisOfPodPoint(*name)));
  return point;
}

absl::StatusOr<v1::RecoveryPoint> PodFailover::GetPoint(const Scope& scope,
                                                        const v1::GetRecoveryPointRequest& request) {
  const int64_t wanted = MillisOfPodPoint(request.recovery_point());
  if (wanted < 0) {
    return Error(absl::StatusCode::kInvalidArgument, "NO_RECOVERY_POINT",
                 fmt::format("{} is not the name of a pod's recovery point", request.recovery_point()))
        .Object("recovery point " + request.recovery_point())
        .Remedy("Use a name from the list of recovery points (pod@milliseconds).");
  }
  PROTECTOR_ASSIGN_OR_RETURN(const v1::Protection now, pods_.Get(scope, request.name(), request.source_array()));
  v1::RecoveryPoint point;
  point.set_name(request.recovery_point());
  SetTime(point.mutable_data_time(), absl::FromUnixMillis(wanted));
  // There when the link has brought everything up to then, when everything has been brought (quiesced), or when this
  // pod has been promoted since and has no link that could bring more.
  const bool reached = now.has_newest() && MillisOfPodPoint(now.newest().name()) >= wanted;
  const bool promoted =
      !request.source_array().empty() && now.promotion_status() == "promoted" && now.link_status().empty();
  point.set_complete(reached || now.link_status() == "quiesced" || promoted);
  point.set_progress(point.complete() ? 1.0 : 0.0);
  if (point.complete() && now.volumes_size() < request.expected_volumes()) point.set_complete(false);
  return point;
}

absl::StatusOr<v1::FenceVolumesResponse> PodFailover::Fence(const Scope& scope,
                                                            const v1::FenceVolumesRequest& request) {
  const std::string& group_id = request.authority().group_id();
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, pods_.LocalName(scope, request.name(), ""));
  PROTECTOR_ASSIGN_OR_RETURN(Pod pod, pods_.Find(scope, name));
  if (pod.Stretched()) return fencing_.Fence(scope, group_id, request.disks());  // it serves on the other array as well
  if (pod.promotion_status != "demoted") {
    PROTECTOR_ASSIGN_OR_RETURN(const std::vector<ReplicaLink> links, deps_.array.ListLinks(scope, name));
    const bool asked_before = pod.requested_state == "demoted";
    if (!asked_before) {
      PodUpdate demote{.requested_state = "demoted"};
      demote.quiesce = !links.empty() && request.quiesce();
      demote.skip_quiesce = !links.empty() && !request.quiesce();
      PROTECTOR_RETURN_IF_ERROR(deps_.array.UpdatePod(scope, name, demote));
    }
    PROTECTOR_ASSIGN_OR_RETURN(pod, pods_.AwaitStatus(scope, name, "demoted"));
  }
  if (pod.promotion_status != "demoted") {
    v1::FenceVolumesResponse waiting;
    waiting.set_in_progress(true);
    return waiting;
  }
  // Read-only now. The connections go too, so that the pod may be promoted again (to be cleaned up) without a writer.
  return fencing_.Fence(scope, group_id, request.disks());
}

absl::Status PodFailover::Unfence(const Scope& scope, const v1::UnfenceVolumesRequest& request) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, pods_.LocalName(scope, request.name(), ""));
  PROTECTOR_ASSIGN_OR_RETURN(Pod pod, pods_.Find(scope, name));
  if (!pod.Stretched() && (pod.promotion_status != "promoted" || pod.requested_state == "demoted")) {
    PodUpdate promote{.requested_state = "promoted"};
    promote.abort_quiesce = pod.promotion_status != "demoted";  // it is still sending
    PROTECTOR_RETURN_IF_ERROR(deps_.array.UpdatePod(scope, name, promote));
    PROTECTOR_ASSIGN_OR_RETURN(pod, pods_.AwaitStatus(scope, name, "promoted"));
    if (pod.promotion_status != "promoted") {
      return Error(absl::StatusCode::kUnavailable, "POD_DEGRADED",
                   fmt::format("pod {} is \"{}\", not promoted yet", pod.name, pod.promotion_status))
          .Object("pod " + pod.name)
          .Remedy("Repeat the call.");
    }
  }
  return fencing_.Unfence(request.authority().group_id(), request.disks());
}

absl::StatusOr<bool> PodFailover::Promote(const Scope& scope, const Pod& pod) {
  if (pod.promotion_status == "promoted") return true;
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<ReplicaLink> links, deps_.array.ListLinks(scope, pod.name));
  for (const ReplicaLink& link : links) {
    if (link.status != "baselining") continue;
    return PodDegraded(
        pod.name, "its first transfer has not ended, so it has no complete recovery point",
        "Wait until the replica link is \"replicating\"; if the source is lost, this copy cannot be used.");
  }
  if (pod.requested_state != "promoted" || pod.promotion_status == "demoted") {
    const absl::Status asked = deps_.array.UpdatePod(scope, pod.name, {.requested_state = "promoted"});
    if (!asked.ok() && ClassOf(asked) == ErrorClass::kTransient) return asked;
    if (!asked.ok()) {
      return PodDegraded(pod.name, "the array does not promote it: " + MessageOf(asked),
                         "Check the pod's status on this array and mend what it names, then retry.");
    }
  }
  PROTECTOR_ASSIGN_OR_RETURN(const Pod now, pods_.AwaitStatus(scope, pod.name, "promoted"));
  return now.promotion_status == "promoted";
}

absl::StatusOr<std::vector<Volume>> PodFailover::Match(const Scope& scope, const v1::MaterializeVolumesRequest& request,
                                                       const std::string& pod) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Volume> inside, pods_.Volumes(scope, pod));
  PROTECTOR_ASSIGN_OR_RETURN(const std::string here, inventory_.ArrayName(scope));
  std::vector<Volume> volumes;
  for (const v1::DiskToMaterialize& disk : request.disks()) {
    const DiskKey key{request.authority().group_id(), disk.member_id(), disk.index()};
    PROTECTOR_ASSIGN_OR_RETURN(const auto record, deps_.state.Clone(key, request.authority().operation_id()));
    PROTECTOR_ASSIGN_OR_RETURN(auto pair, deps_.state.Pair(key));
    const std::string base = BaseName(disk.source_volume());
    const auto find = [&](const auto& is_it) { return std::find_if(inside.begin(), inside.end(), is_it); };
    auto it = inside.end();
    if (record && !record->volume_id.empty()) it = find([&](const Volume& v) { return v.id == record->volume_id; });
    // A stretched pod has the same serial on both arrays.
    if (it == inside.end()) it = find([&](const Volume& v) { return v.serial == UpperSerial(disk.source_serial()); });
    if (it == inside.end() && !base.empty()) it = find([&](const Volume& v) { return BaseName(v.name) == base; });
    if (it == inside.end()) it = find([&](const Volume& v) { return !pair[here].empty() && v.serial == pair[here]; });
    if (it == inside.end()) {
      return VolumeNotFound(fmt::format("disk {} of member {} in pod {} ({})", disk.index(), disk.member_id(), pod,
                                        disk.source_volume()));
    }
    volumes.push_back(*it);
  }
  return volumes;
}

absl::StatusOr<v1::MaterializeVolumesResponse> PodFailover::CloneOut(const Scope& scope,
                                                                     const v1::MaterializeVolumesRequest& request,
                                                                     const std::string& pod) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Volume> volumes, Match(scope, request, pod));
  PROTECTOR_ASSIGN_OR_RETURN(
      const std::vector<CloneResult> results,
      cloner_.Run(scope, request.authority().operation_id(), request.source_array(), Jobs(request, volumes)));
  return ToResponse(request, results);
}

absl::StatusOr<v1::MaterializeVolumesResponse> PodFailover::InPlace(const Scope& scope,
                                                                    const v1::MaterializeVolumesRequest& request,
                                                                    const std::string& pod) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Volume> volumes, Match(scope, request, pod));
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<CloneResult> results,
                             cloner_.Adopt(scope, request.authority().operation_id(), request.source_array(),
                                           Jobs(request, volumes), volumes));
  return ToResponse(request, results);
}

absl::StatusOr<v1::MaterializeVolumesResponse> PodFailover::Materialize(const Scope& scope,
                                                                        const v1::MaterializeVolumesRequest& request) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string here, inventory_.ArrayName(scope));
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, pods_.LocalName(scope, request.name(), request.source_array()));
  PROTECTOR_ASSIGN_OR_RETURN(const Pod pod, pods_.Find(scope, name));
  if (pod.Stretched()) {
    for (const PodArray& array : pod.arrays) {
      if (array.name != here || array.status == "online") continue;
      return PodDegraded(
          name, fmt::format("this array's side of the stretched pod is \"{}\"", array.status),
          "Only a side that is online may serve. Restore the other array, or clone from the frozen data by hand.");
    }
    return CloneOut(scope, request, name);
  }
  const std::string trouble = Trouble(pod, here);
  if (!trouble.empty()) {
    return PodDegraded(name, fmt::format("it is \"{}\" on this array", trouble),
                       "Check the pod on this array and mend what it names, then retry.");
  }
  PROTECTOR_ASSIGN_OR_RETURN(const bool promoted, Promote(scope, pod));
  if (!promoted) {
    v1::MaterializeVolumesResponse waiting;
    waiting.set_in_progress(true);
    return waiting;
  }
  const absl::Status unlinked = pods_.DropLinks(scope, name);
  if (unlinked.ok()) return InPlace(scope, request, name);
  if (ClassOf(unlinked) == ErrorClass::kTransient || DetailOf(unlinked).reason == "OUTCOME_UNKNOWN") return unlinked;
  return CloneOut(scope, request, name);  // Cinder would not take them while the link is there
}

}  // namespace protector::storage
