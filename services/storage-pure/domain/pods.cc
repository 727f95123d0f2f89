#include "services/storage-pure/domain/pods.h"

#include <fmt/format.h>

#include <algorithm>

#include "libs/base/error.h"
#include "services/storage-pure/domain/async_groups.h"
#include "services/storage-pure/domain/convert.h"
#include "services/storage-pure/domain/naming.h"

namespace protector::storage {
namespace {

constexpr absl::Duration kPollInterval = absl::Milliseconds(200);
constexpr absl::Duration kPollPatience = absl::Seconds(4);  // then the caller is told to come again

}  // namespace

absl::Status PodDegraded(const std::string& pod, const std::string& why, const std::string& remedy) {
  return Error(absl::StatusCode::kFailedPrecondition, "POD_DEGRADED", fmt::format("pod {}: {}", pod, why))
      .Object("pod " + pod)
      .Remedy(remedy);
}

std::string Trouble(const Pod& pod, const std::string& array) {
  for (const PodArray& side : pod.arrays) {
    if (side.name == array && !side.status.empty() && side.status != "online") return side.status;
  }
  return "";
}

absl::StatusOr<std::optional<Pod>> Pods::Look(const Scope& scope, const std::string& name) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Pod> pods, deps_.array.ListPods(scope, {name}));
  if (pods.empty()) return std::optional<Pod>();
  return std::optional(pods.front());
}

absl::StatusOr<Pod> Pods::Find(const Scope& scope, const std::string& name) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::optional<Pod> pod, Look(scope, name));
  if (!pod || pod->destroyed) return ProtectionNotFound(name);
  return *pod;
}

absl::StatusOr<std::string> Pods::LocalName(const Scope& scope, const std::string& name,
                                            const std::string& source_array) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string here, inventory_.ArrayName(scope));
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<ProtectionRecord> records, deps_.state.Protections());
  if (!source_array.empty() && source_array != here) {
    for (const ProtectionRecord& record : records) {
      if (record.pod && !record.retired && record.source_array == source_array && record.source_name == name) {
        return record.name;
      }
    }
    return name;
  }
  const auto exact =
      std::find_if(records.begin(), records.end(), [&](const auto& r) { return r.pod && r.name == name; });
  if (exact == records.end() || !exact->retired) return name;
  std::string newest = name;
  for (const ProtectionRecord& record : records) {
    if (!record.pod || record.retired || record.group_id != exact->group_id) continue;
    if (PodFamily(record.name) != PodFamily(name)) continue;
    // Longer numbers are greater ones.
    const bool newer = record.name.size() != newest.size() ? record.name.size() > newest.size() : record.name > newest;
    if (newer || newest == name) newest = record.name;
  }
  return newest;
}

absl::Status Pods::Claim(const ProtectionRecord& record) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::optional<ProtectionRecord> known, deps_.state.Protection(record.name));
  if (known && known->group_id != record.group_id) {
    return Foreign("pod " + record.name, "it is in use by protection group " + known->group_id,
                   "Choose another pure_pg_name; each group has a pod of its own.");
  }
  return deps_.state.SaveProtection(record);
}

absl::StatusOr<Pod> Pods::AwaitStatus(const Scope& scope, const std::string& name, const std::string& status) {
  const absl::Time until = std::min(scope.deadline - absl::Milliseconds(500), deps_.clock.Now() + kPollPatience);
  while (true) {
    PROTECTOR_ASSIGN_OR_RETURN(const Pod pod, Find(scope, name));
    if (pod.promotion_status == status || scope.cancelled() || deps_.clock.Now() + kPollInterval > until) return pod;
    deps_.clock.SleepFor(kPollInterval);
  }
}

absl::StatusOr<std::vector<Volume>> Pods::Volumes(const Scope& scope, const std::string& name) {
  return deps_.array.ListVolumes(scope, {.pod = name, .destroyed = false});
}

absl::Status Pods::DropLinks(const Scope& scope, const std::string& name) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<ReplicaLink> links, deps_.array.ListLinks(scope, name));
  for (const ReplicaLink& link : links) {
    const absl::Status deleted = deps_.array.DeleteLink(scope, link);
    if (deleted.ok() || NotThere(deleted)) continue;
    if (!IsOutcomeUnknown(deleted)) return deleted;
    const absl::StatusOr<std::vector<ReplicaLink>> probe = deps_.array.ListLinks(scope, name);
    if (!probe.ok()) return OutcomeUnknownError("replica link of pod " + name, deleted);
    if (!probe->empty()) return deleted;
  }
  return absl::OkStatus();
}

void Pods::DescribeStretched(const Pod& pod, const std::string& here, v1::Protection& out) {
  out.set_stretched(true);
  out.set_health(v1::Protection::HEALTHY);
  std::string states;
  absl::Time frozen = absl::InfinitePast();
  for (const PodArray& array : pod.arrays) {
    states += fmt::format("{}{}: {}", states.empty() ? "" : ", ", array.name, array.status);
    if (array.status == "resyncing") states += fmt::format(" {:.0f} %", 100 * array.progress);
    const bool mediator_lost = array.mediator_status == "unreachable" || array.mediator_status == "flummoxed";
    if (mediator_lost) states += ", mediator " + array.mediator_status;
    if ((array.status != "online" || mediator_lost) && out.health() == v1::Protection::HEALTHY) {
      out.set_health(v1::Protection::DEGRADED);
    }
    if (array.name == here) {
      out.set_link_status(array.status);
      frozen = array.frozen_at;
      if (array.status == "offline") out.set_health(v1::Protection::BROKEN);
    }
  }
  if (out.health() != v1::Protection::HEALTHY) out.set_detail("stretched pod: " + states);
  // Both sides hold every acknowledged write while in sync; a side that dropped out holds them up to when it froze.
  const absl::Time current = frozen != absl::InfinitePast() ? frozen : deps_.clock.Now();
  v1::RecoveryPoint* newest = out.mutable_newest();
  newest->set_name(PodPointName(out.name(), absl::ToUnixMillis(current)));
  SetTime(newest->mutable_data_time(), current);
  newest->set_complete(true);
  newest->set_progress(1.0);
}

void Pods::DescribeLinked(const std::vector<ReplicaLink>& links, const std::string& name, v1::Protection& out) {
  if (links.empty()) {
    out.set_health(v1::Protection::BROKEN);
    out.set_detail("the pod has no replica link");
    return;
  }
  const ReplicaLink& link = links.front();
  out.set_link_status(link.status);
  out.set_lag_ms(link.lag_ms);
  out.set_enabled(!link.paused);
  out.set_allowed(true);
  if (link.recovery_point != absl::InfinitePast() && link.status != "baselining") {
    v1::RecoveryPoint* newest = out.mutable_newest();
    newest->set_name(PodPointName(name, absl::ToUnixMillis(link.recovery_point)));
    SetTime(newest->mutable_data_time(), link.recovery_point);
    newest->set_complete(true);
    newest->set_progress(1.0);
  }
  if (link.status == "baselining") {
    out.set_health(v1::Protection::BASELINING);
  } else if (link.status == "replicating" || link.status == "idle") {
    out.set_health(v1::Protection::HEALTHY);
  } else if (link.status == "unhealthy") {
    out.set_health(v1::Protection::BROKEN);
  } else {
    out.set_health(v1::Protection::SUSPENDED);
  }
  if (out.health() != v1::Protection::HEALTHY) out.set_detail("the replica link is \"" + link.status + "\"");
}

absl::StatusOr<v1::Protection> Pods::Get(const Scope& scope, const std::string& name, const std::string& source_array) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string here, inventory_.ArrayName(scope));
  PROTECTOR_ASSIGN_OR_RETURN(const std::string local, LocalName(scope, name, source_array));
  PROTECTOR_ASSIGN_OR_RETURN(const Pod pod, Find(scope, local));
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<ReplicaLink> links, deps_.array.ListLinks(scope, local));
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Volume> volumes, Volumes(scope, local));
  v1::Protection out;
  out.set_name(name);
  out.set_replication_type(protector::group::v1::SYNC);
  out.set_promotion_status(pod.promotion_status);
  out.set_lag_ms(-1);
  for (const Volume& volume : volumes) *out.add_volumes() = ToProto(volume);
  if (pod.Stretched()) {
    DescribeStretched(pod, here, out);
  } else {
    DescribeLinked(links, name, out);
    // Whatever the link says: a pod that is not online on this array neither serves nor can be promoted.
    const std::string trouble = Trouble(pod, here);
    if (!trouble.empty()) {
      out.set_health(trouble == "offline" ? v1::Protection::BROKEN : v1::Protection::DEGRADED);
      out.set_detail(fmt::format("the pod is \"{}\" on {}", trouble, here));
    }
  }
  return out;
}

}  // namespace protector::storage
