#include "services/storage-pure/domain/pod_setup.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "libs/base/error.h"
#include "libs/base/parallel.h"
#include "services/storage-pure/domain/async_groups.h"
#include "services/storage-pure/domain/naming.h"

namespace protector::storage {
namespace {

bool On(const Pod& pod, const std::string& array) {
  return std::any_of(pod.arrays.begin(), pod.arrays.end(), [&](const PodArray& a) { return a.name == array; });
}

}  // namespace

absl::Status PodSetup::MakePod(const Scope& scope, const std::string& name) {
  for (int attempt = 0;; ++attempt) {
    PROTECTOR_ASSIGN_OR_RETURN(const std::optional<Pod> pod, pods_.Look(scope, name));
    if (pod && !pod->destroyed) return absl::OkStatus();
    const absl::Status made = deps_.array.CreatePod(scope, name);
    if (made.ok() || attempt > 0 || !(ExistsAlready(made) || IsOutcomeUnknown(made))) return made;
  }
}

absl::StatusOr<std::string> PodSetup::ChooseSource(const Scope& scope, const v1::EnsureProtectionRequest& request,
                                                   const std::string& remote_pod) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, pods_.LocalName(scope, request.name(), ""));
  PROTECTOR_ASSIGN_OR_RETURN(const std::optional<Pod> pod, pods_.Look(scope, name));
  if (!pod) return name;
  if (!pod->destroyed && pod->Stretched() && On(*pod, request.target_array())) return name;
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<ReplicaLink> links, deps_.array.ListLinks(scope, name));
  const bool linked_elsewhere = std::any_of(links.begin(), links.end(), [&](const ReplicaLink& link) {
    return link.remote_array != request.target_array() || PodFamily(BaseName(link.remote_pod)) != PodFamily(remote_pod);
  });
  const bool usable = !pod->destroyed && !pod->Stretched() && pod->promotion_status == "promoted" && !linked_elsewhere;
  return usable ? name : EpochPodName(name, request.authority().epoch());
}

absl::Status PodSetup::MatchVolumes(const Scope& scope, const std::string& pod, const std::string& group_id,
                                    const std::vector<Volume>& wanted) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Volume> inside, pods_.Volumes(scope, pod));
  std::set<std::string> wanted_ids;
  for (const Volume& volume : wanted) wanted_ids.insert(volume.id);
  struct Move {
    Volume volume;
    std::string pod;
  };
  std::vector<Move> moves;
  for (const Volume& volume : inside) {
    if (wanted_ids.erase(volume.id) > 0) continue;
    PROTECTOR_ASSIGN_OR_RETURN(const std::optional<DiskKey> disk, deps_.state.DiskOf(volume.serial));
    if (!disk || disk->group_id != group_id) {
      return Foreign("pod " + pod, "it holds volume " + volume.name + ", which is no member's",
                     "Move the volume out of the pod, or choose another pure_pg_name.");
    }
    moves.push_back({volume, ""});
  }
  for (const Volume& volume : wanted) {
    if (wanted_ids.contains(volume.id)) moves.push_back({volume, pod});
  }
  std::vector<absl::Status> results(moves.size());
  ForEachInParallel(moves.size(), deps_.parallelism, [&](size_t i) {
    results[i] = deps_.array.MoveVolumeToPod(scope, moves[i].volume.id, moves[i].pod);
  });
  for (size_t i = 0; i < results.size(); ++i) {
    if (results[i].ok()) continue;
    const Volume& volume = moves[i].volume;
    if (volume.connection_count == 0) return Annotate(results[i], "moving volume " + volume.name);
    // Arrays differ in whether they move a volume that hosts use.
    ErrorDetail detail = DetailOf(results[i]);
    detail.object = "volume " + volume.name;
    detail.remedy = "The volume is connected to a host. Stop its server, repeat, and start it again.";
    return WithDetail(Annotate(results[i], "moving connected volume " + volume.name), detail);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> PodSetup::MakeLink(const Scope& scope, const std::string& pod,
                                               const std::vector<std::string>& remote_pods,
                                               const std::string& remote_array) {
  std::string why_not;
  for (int attempt = 0; attempt < 2; ++attempt) {
    for (const std::string& remote_pod : remote_pods) {
      PROTECTOR_ASSIGN_OR_RETURN(const std::vector<ReplicaLink> links, deps_.array.ListLinks(scope, pod));
      if (!links.empty()) return std::string();
      const absl::Status made = deps_.array.CreateLink(scope, pod, remote_pod, remote_array);
      if (made.ok()) return std::string();
      const ErrorClass error = ClassOf(made);
      const bool fault = error == ErrorClass::kTransient || error == ErrorClass::kAuth || error == ErrorClass::kLimit;
      if (fault && !IsOutcomeUnknown(made)) return made;
      why_not +=
          (why_not.empty() ? "" : "; ") + MessageOf(made);  // the target's pod is not there yet, or not demoted yet
    }
    PROTECTOR_ASSIGN_OR_RETURN(const std::vector<ReplicaLink> links, deps_.array.ListLinks(scope, pod));
    if (!links.empty()) return std::string();
  }
  return why_not;
}

absl::StatusOr<v1::Protection> PodSetup::Ensure(const Scope& scope, const v1::EnsureProtectionRequest& request) {
  const std::string& group_id = request.authority().group_id();
  const std::string remote_pod = request.target_name().empty() ? request.name() : request.target_name();
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Volume> volumes, inventory_.NeedLive(scope, request.disks()));
  std::vector<std::string> serials;
  for (const Volume& volume : volumes) serials.push_back(volume.serial);
  PROTECTOR_RETURN_IF_ERROR(inventory_.CheckOwner(group_id, serials));
  PROTECTOR_RETURN_IF_ERROR(inventory_.CheckPeer(scope, request.target_array()));
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, ChooseSource(scope, request, remote_pod));
  PROTECTOR_RETURN_IF_ERROR(pods_.Claim({.name = name, .group_id = group_id, .pod = true, .peer_pod = remote_pod}));
  PROTECTOR_RETURN_IF_ERROR(inventory_.RecordDisks(scope, group_id, request.disks()));
  PROTECTOR_RETURN_IF_ERROR(MakePod(scope, name));
  PROTECTOR_ASSIGN_OR_RETURN(const Pod pod, pods_.Find(scope, name));
  if (pod.Stretched()) {
    for (const Volume& volume : volumes) {
      if (volume.pod == name) continue;
      return Error(absl::StatusCode::kFailedPrecondition, "ARRAY_CONFLICT",
                   fmt::format("volume {} is not in the stretched pod {}, and arrays do not move volumes into one",
                               volume.name, name))
          .Object("volume " + volume.name)
          .Remedy("Create the volume in the pod, or use a pod that is not stretched.");
    }
    return pods_.Get(scope, name, "");
  }
  PROTECTOR_RETURN_IF_ERROR(MatchVolumes(scope, name, group_id, volumes));
  // Where the target had to make a new pod for this epoch, it named it so.
  const std::vector<std::string> remote_pods = {EpochPodName(remote_pod, request.authority().epoch()), remote_pod};
  PROTECTOR_ASSIGN_OR_RETURN(const std::string waiting, MakeLink(scope, name, remote_pods, request.target_array()));
  PROTECTOR_ASSIGN_OR_RETURN(v1::Protection out, pods_.Get(scope, name, ""));
  if (!waiting.empty()) {
    out.set_health(v1::Protection::BASELINING);
    out.set_detail(fmt::format("no replica link yet: array {} has to accept as pod {} first, then repeat ({})",
                               request.target_array(), remote_pod, waiting));
  }
  return out;
}

// The pod of the direction before: without a link, demoted, its volumes still Cinder's. Cinder can let go of volumes in
// a promoted pod only (it renames them), so it is promoted - provided that no host has any of them, which the fence saw
// to.
absl::Status PodSetup::ReleaseOld(const Scope& scope, const std::string& name, const std::string& group_id) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::optional<ProtectionRecord> record, deps_.state.Protection(name));
  if (!record || record->group_id != group_id) {
    return Foreign("pod " + name, "it has volumes in it that are not this group's",
                   "Choose another pure_pg_name, or remove the pod from this array.");
  }
  PROTECTOR_RETURN_IF_ERROR(pods_.DropLinks(scope, name));
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Volume> volumes, pods_.Volumes(scope, name));
  for (const Volume& volume : volumes) {
    if (volume.connection_count == 0) continue;
    return Error(absl::StatusCode::kFailedPrecondition, "ARRAY_CONFLICT",
                 fmt::format("volume {} of the old pod {} is connected to a host", volume.name, name))
        .Object("volume " + volume.name)
        .Remedy("Fence the group's volumes on this site first.");
  }
  PROTECTOR_ASSIGN_OR_RETURN(const Pod pod, pods_.Find(scope, name));
  if (pod.promotion_status != "promoted") {
    PROTECTOR_RETURN_IF_ERROR(deps_.array.UpdatePod(scope, name, {.requested_state = "promoted"}));
  }
  ProtectionRecord retired = *record;
  retired.retired = true;
  return deps_.state.SaveProtection(retired);
}

absl::StatusOr<std::string> PodSetup::ChooseTarget(const Scope& scope, const v1::AcceptProtectionRequest& request) {
  const std::string wanted = request.target_name().empty() ? request.name() : request.target_name();
  const std::string& group_id = request.authority().group_id();
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<ProtectionRecord> records, deps_.state.Protections());
  for (const ProtectionRecord& record : records) {  // decided before
    if (record.pod && !record.retired && record.group_id == group_id && record.source_array == request.source_array() &&
        record.source_name == request.name()) {
      PROTECTOR_ASSIGN_OR_RETURN(const std::optional<Pod> pod, pods_.Look(scope, record.name));
      if (!pod) return record.name;
      PROTECTOR_ASSIGN_OR_RETURN(const std::vector<ReplicaLink> links, deps_.array.ListLinks(scope, record.name));
      PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Volume> volumes, pods_.Volumes(scope, record.name));
      const bool serving = pod->promotion_status == "promoted" && !volumes.empty();  // it was failed over to since
      if (!pod->destroyed && !serving && (volumes.empty() || !links.empty())) return record.name;
    }
  }
  PROTECTOR_ASSIGN_OR_RETURN(const std::string current, pods_.LocalName(scope, wanted, ""));
  PROTECTOR_ASSIGN_OR_RETURN(const std::optional<Pod> pod, pods_.Look(scope, current));
  if (!pod) return current;
  const std::string fresh = EpochPodName(wanted, request.authority().epoch());
  if (pod->destroyed) return fresh;
  if (pod->Stretched() && On(*pod, request.source_array())) return current;
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<ReplicaLink> links, deps_.array.ListLinks(scope, current));
  const bool linked_to_source = std::any_of(links.begin(), links.end(), [&](const ReplicaLink& link) {
    return link.remote_array == request.source_array() && link.direction == "inbound" &&
           PodFamily(BaseName(link.remote_pod)) == PodFamily(request.name());
  });
  if (pod->promotion_status == "demoted" && linked_to_source) return current;
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Volume> volumes, pods_.Volumes(scope, current));
  if (volumes.empty() && links.empty()) return current;
  PROTECTOR_RETURN_IF_ERROR(ReleaseOld(scope, current, group_id));
  return fresh;
}

absl::StatusOr<v1::Protection> PodSetup::Accept(const Scope& scope, const v1::AcceptProtectionRequest& request) {
  const std::string& group_id = request.authority().group_id();
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, ChooseTarget(scope, request));
  PROTECTOR_RETURN_IF_ERROR(pods_.Claim({.name = name,
                                         .group_id = group_id,
                                         .pod = true,
                                         .source_array = request.source_array(),
                                         .source_name = request.name()}));
  PROTECTOR_RETURN_IF_ERROR(MakePod(scope, name));
  PROTECTOR_ASSIGN_OR_RETURN(Pod pod, pods_.Find(scope, name));
  if (!pod.Stretched() && pod.promotion_status != "demoted") {
    PROTECTOR_RETURN_IF_ERROR(deps_.array.UpdatePod(scope, name, {.requested_state = "demoted"}));
    PROTECTOR_ASSIGN_OR_RETURN(pod, pods_.AwaitStatus(scope, name, "demoted"));
  }
  // Other target pods of the same source are not the target any more.
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<ProtectionRecord> records, deps_.state.Protections());
  for (ProtectionRecord record : records) {
    if (!record.pod || record.retired || record.name == name || record.group_id != group_id) continue;
    if (record.source_array != request.source_array() || record.source_name != request.name()) continue;
    record.retired = true;
    PROTECTOR_RETURN_IF_ERROR(deps_.state.SaveProtection(record));
  }
  PROTECTOR_ASSIGN_OR_RETURN(v1::Protection out, pods_.Get(scope, request.name(), request.source_array()));
  out.set_name(name);
  if (!out.stretched() && out.link_status().empty()) {
    out.set_health(v1::Protection::BASELINING);
    out.set_detail("the demoted pod is there; the source has not linked to it yet");
  }
  return out;
}

absl::StatusOr<v1::Protection> PodSetup::Suspend(const Scope& scope, const v1::SuspendProtectionRequest& request) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, pods_.LocalName(scope, request.name(), ""));
  PROTECTOR_RETURN_IF_ERROR(pods_.Find(scope, name).status());
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<ReplicaLink> links, deps_.array.ListLinks(scope, name));
  for (const ReplicaLink& link : links) {
    if (!link.paused) PROTECTOR_RETURN_IF_ERROR(deps_.array.PauseLink(scope, link, true));
  }
  return pods_.Get(scope, request.name(), "");
}

absl::Status PodSetup::ForgetFamily(const std::string& name, const std::string& group_id) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<ProtectionRecord> records, deps_.state.Protections());
  for (const ProtectionRecord& record : records) {
    if (!record.pod || record.group_id != group_id || PodFamily(record.name) != PodFamily(name)) continue;
    PROTECTOR_RETURN_IF_ERROR(deps_.state.ForgetProtection(record.name));
  }
  return absl::OkStatus();
}

absl::Status PodSetup::Remove(const Scope& scope, const v1::RemoveProtectionRequest& request) {
  const std::string& group_id = request.authority().group_id();
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, pods_.LocalName(scope, request.name(), request.source_array()));
  PROTECTOR_ASSIGN_OR_RETURN(const std::string here, inventory_.ArrayName(scope));
  const bool source_side = request.source_array().empty() || request.source_array() == here;
  PROTECTOR_ASSIGN_OR_RETURN(const std::optional<ProtectionRecord> record, deps_.state.Protection(name));
  if (record && record->group_id != group_id) {
    return Foreign("pod " + name, "it is in use by protection group " + record->group_id, "Name this group's own pod.");
  }
  PROTECTOR_ASSIGN_OR_RETURN(const std::optional<Pod> pod, pods_.Look(scope, name));
  if (!pod || pod->destroyed) return ForgetFamily(name, group_id);
  if (!record) {
    return Foreign("pod " + name, "it was never used by this group", "Remove it on the array if it is not needed.");
  }
  if (pod->Stretched()) return ForgetFamily(name, group_id);  // made by people; theirs to unstretch
  PROTECTOR_RETURN_IF_ERROR(pods_.DropLinks(scope, name));
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Volume> volumes, pods_.Volumes(scope, name));
  if (source_side) {
    for (const Volume& volume : volumes) {
      PROTECTOR_RETURN_IF_ERROR(Annotate(deps_.array.MoveVolumeToPod(scope, volume.id, ""), "moving " + volume.name));
    }
  } else if (pod->promotion_status == "promoted" && !volumes.empty()) {
    return Foreign("pod " + name, "it is promoted and has volumes in it", "It serves now; remove it as a source.");
  }
  const absl::Status destroyed = deps_.array.UpdatePod(scope, name, {.destroy = true});
  if (!destroyed.ok() && !NotThere(destroyed)) return destroyed;
  return ForgetFamily(name, group_id);
}

}  // namespace protector::storage
