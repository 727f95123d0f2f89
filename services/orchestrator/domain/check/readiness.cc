#include "services/orchestrator/domain/check/readiness.h"

#include <fmt/format.h>

#include "libs/base/error.h"
#include "services/orchestrator/domain/check/findings.h"
#include "services/orchestrator/domain/groups/rules.h"

namespace protector::orchestrator {
namespace {

std::string RemedyOf(const absl::Status& status, const std::string& otherwise) {
  const std::string remedy = DetailOf(status).remedy;
  return remedy.empty() ? otherwise : remedy;
}

void CheckStatus(const groups::GroupDocument& group, Findings& findings) {
  const std::string object = "protection group " + group.name();
  if (!group.active_operation_id().empty()) {
    findings.Blocker("member", object, "operation " + group.active_operation_id() + " holds it",
                     "Wait for it or cancel it.");
  }
  if (group.members().empty()) {
    findings.Blocker("member", object, "has no members", "Add servers with `protector protection-group add-member`.");
  } else {
    findings.Ok("member", object,
                fmt::format("{} members, status {}", group.members_size(), StatusName(group.status())));
  }
}

void CheckSync(const Call& call, MetadataPort& metadata_port, const groups::GroupDocument& group, Findings& findings) {
  metadata::GetSyncStatusRequest request;
  request.set_group_id(group.id());
  const auto status = metadata_port.GetSyncStatus(call, request);
  const std::string object = "metadata of " + group.name();
  const std::string force = "Run `protector protection-group sync-force " + group.name() + "`.";
  if (!status.ok()) {
    findings.Blocker("sync", object, MessageOf(status.status()),
                     RemedyOf(status.status(), "Start metadata-sync on this site."));
    return;
  }
  switch (status->state()) {
    case metadata::IN_SYNC:
      findings.Ok("sync", object, fmt::format("both sites at version {}", status->local().version()));
      return;
    case metadata::UNREACHABLE:
      findings.Blocker("sync", object, status->remote_site() + " does not answer",
                       "Restore connectivity; for a failover out of a lost site use --type unplanned.");
      return;
    case metadata::DIVERGED:
      findings.Blocker("sync", object, "the two sites have diverged", "From the site with the higher epoch: " + force);
      return;
    default:
      findings.Blocker("sync", object,
                       fmt::format("{} at version {}, {} at version {}", status->local_site(),
                                   status->local().version(), status->remote_site(), status->remote().version()),
                       force);
  }
}

// What one array says of the group's replication.
absl::StatusOr<storage::Protection> CheckReplication(const Call& call, ArrayPort& array,
                                                     const storage::GetProtectionRequest& request,
                                                     const groups::GroupDocument& group, Findings& findings) {
  auto seen = array.GetProtection(call, request);
  const bool pod = group.replication_type() == groups::SYNC;
  const std::string object = fmt::format("{} {}", pod ? "pod" : "replication", request.name());
  if (!seen.ok()) {
    findings.Blocker(
        "replication", object, MessageOf(seen.status()),
        RemedyOf(seen.status(), "Check that pure_pg_name names the protection group or pod on the array."));
  } else if (seen->health() == storage::Protection::HEALTHY) {
    findings.Ok("replication", object, "healthy");
  } else {
    findings.Blocker(
        "replication", object, seen->detail(),
        "Mend replication on the arrays (connection, pod, schedule); the first transfer has to have ended.");
  }
  return seen;
}

}  // namespace

absl::StatusOr<op::CheckGroupResponse> Readiness::Check(const Call& call, const groups::GroupDocument& group,
                                                        const std::vector<groups::Mapping>& mappings,
                                                        const std::string& target_site) {
  const std::string target = target_site.empty() ? OtherSite(group, group.primary_site()) : target_site;
  const std::string source = OtherSite(group, target);
  if (target == group.primary_site() || (target != group.home_site() && target != group.peer_site())) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT",
                 fmt::format("group {} cannot move to {}", group.name(), target))
        .Object("site " + target)
        .Remedy(fmt::format("It runs on {}; give {} or leave the site out.", group.primary_site(),
                            OtherSite(group, group.primary_site())));
  }
  PROTECTOR_RETURN_IF_ERROR(CheckMappings(mappings));

  Findings own(sites_.LocalSite());
  CheckStatus(group, own);
  for (const auto& mapping : UnusedMappings(group, mappings)) {
    own.Warning("mapping", KindName(mapping.kind()) + " " + mapping.source(),
                "is mapped, but no member has it: the mapping changes nothing",
                fmt::format("Correct its name (or id) as it is on {}, or leave it out.", source));
  }
  PROTECTOR_ASSIGN_OR_RETURN(const SitePorts here, ports_.For(sites_.LocalSite()));
  CheckSync(call, *here.metadata, group, own);

  Findings at_target(target);
  std::vector<peer::Finding> checked;
  const auto target_ports = ports_.For(target);
  const auto source_site = sites_.GetSite(call, source);
  if (!target_ports.ok() || !source_site.ok()) {
    const absl::Status why = target_ports.ok() ? source_site.status() : target_ports.status();
    at_target.Blocker("site", "site " + target, MessageOf(why), RemedyOf(why, "Register the site."));
  } else {
    storage::GetProtectionRequest protection;
    protection.set_name(StorageName(group, source));
    protection.set_replication_type(group.replication_type());
    // A link can be down in one direction, a pod degraded on one side: each array is asked for what it sees.
    Findings at_source(source);
    if (const auto source_ports = ports_.For(source); source_ports.ok()) {
      CheckReplication(call, *source_ports->array, protection, group, at_source).IgnoreError();
    }
    for (auto& finding : at_source.Take()) checked.push_back(std::move(finding));
    protection.set_source_array(source_site->array_name());
    const auto seen = CheckReplication(call, *target_ports->array, protection, group, at_target);
    const std::string object = "replication " + protection.name();
    if (seen.ok() && seen->has_newest()) {
      const absl::Duration age = clock_.Now() - absl::FromUnixSeconds(seen->newest().data_time().seconds());
      const std::string detail =
          fmt::format("newest recovery point {} is {} s old", seen->newest().name(), absl::ToInt64Seconds(age));
      if (age > absl::Minutes(group.policy().rpo_minutes())) {
        at_target.Warning(
            "rpo", object, detail,
            fmt::format("The RPO is {} minutes: look why the array sends less often.", group.policy().rpo_minutes()));
      } else {
        at_target.Ok("rpo", object, detail);
      }
    }
    peer::CheckTargetRequest request;
    *request.mutable_group() = group;
    groups::MappingSet set = StoredMappings(group, source, target);
    const std::vector<groups::Mapping> stored(set.mappings().begin(), set.mappings().end());
    set.clear_mappings();
    for (const auto& mapping : MergeMappings(stored, mappings)) *set.add_mappings() = mapping;
    *request.mutable_mappings() = set;
    const auto cloud = target_ports->cloud->CheckTarget(call, request);
    if (cloud.ok()) {
      checked.insert(checked.end(), cloud->findings().begin(), cloud->findings().end());
    } else {
      at_target.Blocker("site", "site " + target, MessageOf(cloud.status()),
                        RemedyOf(cloud.status(), "Run `protector site validate " + target + "`."));
    }
  }

  op::CheckGroupResponse response;
  response.set_ready(true);
  const auto add = [&](std::vector<peer::Finding> findings) {
    for (auto& finding : findings) {
      if (finding.severity() == peer::Finding::BLOCKER) response.set_ready(false);
      *response.add_findings() = std::move(finding);
    }
  };
  add(own.Take());
  add(at_target.Take());
  add(std::move(checked));
  return response;
}

}  // namespace protector::orchestrator
