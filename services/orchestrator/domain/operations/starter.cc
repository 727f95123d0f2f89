#include "services/orchestrator/domain/operations/starter.h"

#include <fmt/format.h>

#include "libs/base/error.h"
#include "services/orchestrator/domain/operations/graph.h"
#include "services/orchestrator/domain/sync_status.h"
#include "services/orchestrator/domain/tenant_project.h"
#include "services/orchestrator/domain/times.h"

namespace protector::orchestrator {
namespace {

absl::Status Invalid(const std::string& what, const std::string& object, const std::string& remedy) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT", what).Object(object).Remedy(remedy);
}

absl::Status Busy(const groups::GroupDocument& document, const std::string& operation) {
  return Error(absl::StatusCode::kAborted, "GROUP_BUSY",
               fmt::format("operation {} is running on protection group {}", operation, document.name()))
      .Object("operation " + operation)
      .Remedy(fmt::format("Wait for it, or look at it with: protector operation show {}", operation));
}

absl::Status WrongStatus(const groups::GroupDocument& document, const std::string& what, const std::string& remedy) {
  return Error(absl::StatusCode::kFailedPrecondition, "WRONG_STATUS", what)
      .Object("protection group " + document.name())
      .Remedy(remedy);
}

// What belongs to another project is not there for who is kept to one.
absl::StatusOr<metadata::GetDocumentResponse> Own(const Call& call, const std::string& group,
                                                  absl::StatusOr<metadata::GetDocumentResponse> found) {
  if (!found.ok() || !call.tenant || call.tenant->Owns(found->document().projects())) return found;
  return Error(absl::StatusCode::kNotFound, "GROUP_NOT_FOUND", fmt::format("no protection group {}", group))
      .Object("protection group " + group)
      .Remedy("See `protector protection-group list` for the groups of your project.");
}

bool HasStale(const groups::GroupDocument& document, const std::string& site) {
  for (const groups::Member& member : document.members()) {
    const groups::Placement* placement = FindPlacement(member, site);
    if (placement != nullptr && placement->state() == groups::Placement::STALE) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<op::Operation> Starter::StartFailover(const Call& call, const op::StartFailoverRequest& request) {
  Wish wish;
  wish.type = request.type() == op::OPERATION_TYPE_UNSPECIFIED ? op::PLANNED_FAILOVER : request.type();
  if (wish.type != op::PLANNED_FAILOVER && wish.type != op::UNPLANNED_FAILOVER) {
    return Invalid("a failover is planned or unplanned", "type", "Use --type planned or --type unplanned.");
  }
  wish.group = request.group();
  wish.project = request.project();
  wish.mappings = {request.mappings().begin(), request.mappings().end()};
  wish.force = request.force();
  wish.recovery_point = request.recovery_point();
  wish.request_id = request.request_id();
  wish.validate_only = request.validate_only();
  if (!wish.recovery_point.empty() && wish.type == op::PLANNED_FAILOVER) {
    return Invalid("a planned failover makes its own recovery point", "recovery_point", "Leave it out.");
  }
  return Start(call, wish);
}

absl::StatusOr<op::Operation> Starter::StartFailback(const Call& call, const op::StartFailbackRequest& request) {
  Wish wish;
  wish.type = op::FAILBACK;
  wish.group = request.group();
  wish.project = request.project();
  wish.mappings = {request.mappings().begin(), request.mappings().end()};
  wish.force = request.force();
  wish.reverse_replication = request.reverse_replication();
  wish.accept_data_loss = request.accept_data_loss();
  wish.request_id = request.request_id();
  wish.validate_only = request.validate_only();
  return Start(call, wish);
}

absl::StatusOr<metadata::GetDocumentResponse> Starter::FindGroup(const Call& call, const std::string& group,
                                                                 const op::Project& project) {
  if (group.empty() || group.size() > 255 || !IsPrintableUtf8(group)) {
    return Invalid("a protection group's name or id is needed", "group", "Name the group.");
  }
  PROTECTOR_ASSIGN_OR_RETURN(const SitePorts local, context_.ports.For(context_.sites.LocalSite()));
  metadata::GetDocumentRequest ask;
  if (IsUuid(group)) {
    ask.set_group_id(group);
    absl::StatusOr<metadata::GetDocumentResponse> found = Own(call, group, local.metadata->GetDocument(call, ask));
    if (found.ok() || found.status().code() != absl::StatusCode::kNotFound) return found;
    ask.clear_group_id();
  }
  ask.set_name(group);
  if (call.tenant) {
    PROTECTOR_ASSIGN_OR_RETURN(const std::string own, TenantProject(context_.sites, call, project));
    ask.set_project_id(own);
  } else if (!project.id().empty() || !project.name().empty()) {
    PROTECTOR_ASSIGN_OR_RETURN(
        const sites::Project resolved,
        context_.sites.ResolveProject(call, project.id().empty() ? project.name() : project.id(), project.domain()));
    ask.set_project_id(resolved.id());
  }
  return Own(call, group, local.metadata->GetDocument(call, ask));
}

// A move that has ended has turned the group round: what the same request would begin now is the opposite move.
absl::Status Starter::CheckRepeat(const groups::GroupDocument& document, const std::string& request_id) {
  if (request_id.empty()) return absl::OkStatus();
  for (const groups::Move& move : document.moves()) {
    if (move.request_id() != request_id) continue;
    if (move.site() != context_.sites.LocalSite()) {
      return Error(absl::StatusCode::kFailedPrecondition, "NOT_TARGET_SITE",
                   fmt::format("request {} began operation {}, which {} runs", request_id, move.operation_id(),
                               move.site()))
          .Object(move.site())
          .Remedy(fmt::format("Ask the orchestrator of {}.", move.site()));
    }
    return Error(absl::StatusCode::kFailedPrecondition, "OPERATION_LOST",
                 fmt::format("request {} began operation {}, and this site's journal does not have it", request_id,
                             move.operation_id()))
        .Object("operation " + move.operation_id())
        .Remedy("Look at the group; start another move with another request id if one is still wanted.");
  }
  return absl::OkStatus();
}

absl::Status Starter::CheckStatus(const groups::GroupDocument& document, op::OperationType type) {
  if (!document.active_operation_id().empty()) {
    const absl::StatusOr<op::Operation> active = engine_.Get(document.active_operation_id(), false);
    // An unplanned failover goes past one that has ended without giving the group back.
    const bool dead = type == op::UNPLANNED_FAILOVER && active.ok() && Ended(active->state());
    if (!dead) return Busy(document, document.active_operation_id());
  }
  const groups::GroupStatus status = document.status();
  if (type == op::FAILBACK && status != groups::FAILED_OVER) {
    return WrongStatus(
        document, "Protection Group is not in failed_over status",
        fmt::format("Its status is {}; a failback starts from failed_over. See protector protection-group show "
                    "{} and protector operation list.",
                    StatusName(status), document.name()));
  }
  const bool at_rest = status == groups::ACTIVE || status == groups::FAILED_OVER;
  if (type == op::PLANNED_FAILOVER && !at_rest) {
    return WrongStatus(document,
                       fmt::format("protection group {} is in status {}", document.name(), StatusName(status)),
                       "A planned failover starts from active or failed_over: retry or skip what failed in the last "
                       "operation first.");
  }
  if (status == groups::DELETING) {
    return WrongStatus(document, fmt::format("protection group {} is being deleted", document.name()),
                       "Wait for its end.");
  }
  return absl::OkStatus();
}

absl::Status Starter::CheckSites(const Call& call, const groups::GroupDocument& document, const std::string& source) {
  const auto unreachable = [&](const absl::Status& cause) -> absl::Status {
    return Error(absl::StatusCode::kUnavailable, "REMOTE_SITE_UNREACHABLE",
                 fmt::format("Cannot modify protection group: remote site unreachable ({}: {})", source,
                             MessageOf(cause)))
        .Object("site " + source)
        .Remedy(
            fmt::format("Restore {0} and check it with: protector site validate {0}; then sync-force. If {0} is lost, "
                        "use --type unplanned.",
                        source));
  };
  PROTECTOR_ASSIGN_OR_RETURN(const SitePorts peer_site, context_.ports.For(source));
  PROTECTOR_ASSIGN_OR_RETURN(const SitePorts local, context_.ports.For(context_.sites.LocalSite()));
  Call quick = call;
  quick.timeout = std::min(call.timeout, context_.timeouts.lost_site);
  peer::GetStandingRequest ask;
  ask.set_group_id(document.id());
  const auto standing = peer_site.cloud->GetStanding(quick, ask);
  if (!standing.ok()) return unreachable(standing.status());
  PROTECTOR_ASSIGN_OR_RETURN(const metadata::SyncStatus sync,
                             SettledSyncStatus(*local.metadata, quick, document.id(), context_.clock));
  if (sync.state() == metadata::IN_SYNC) return absl::OkStatus();
  if (sync.state() == metadata::UNREACHABLE) {
    return unreachable(absl::UnavailableError("metadata-sync does not answer"));
  }
  const bool diverged = sync.state() == metadata::DIVERGED;
  return Error(absl::StatusCode::kFailedPrecondition, diverged ? "DIVERGED" : "OUT_OF_SYNC",
               fmt::format("the sites do not hold the same version of {}: {} has {}, {} has {}", document.name(),
                           sync.local_site(), sync.local().version(), sync.remote_site(), sync.remote().version()))
      .Object("protection group " + document.name())
      .Remedy(fmt::format("protector protection-group sync-force {}, on the primary site, then try again.",
                          document.name()));
}

absl::Status Starter::CheckTarget(const Call& call, const groups::GroupDocument& document, const Wish& wish,
                                  const groups::MappingSet& mappings, op::Operation& operation) {
  // What is left there of an earlier move is cleaned first and would get in the way of the check.
  if (HasStale(document, context_.sites.LocalSite())) return absl::OkStatus();
  peer::CheckTargetRequest request;
  *request.mutable_group() = document;
  *request.mutable_mappings() = mappings;
  PROTECTOR_ASSIGN_OR_RETURN(const MembersPlan plan, context_.target.Plan(call, request));
  const bool complete = static_cast<int>(plan.plans.size()) == document.members_size();
  std::string blockers;
  const peer::Finding* first = nullptr;
  for (const peer::Finding& finding : plan.findings) {
    if (finding.severity() != peer::Finding::BLOCKER || (wish.force && complete)) continue;
    blockers += (blockers.empty() ? "" : "; ") + finding.detail();
    if (first == nullptr) first = &finding;
  }
  if (wish.validate_only) {
    for (const peer::Finding& finding : plan.findings) {
      if (finding.severity() == peer::Finding::WARNING) {
        operation.add_warnings(fmt::format("{}: {}", finding.object(), finding.detail()));
      }
    }
  }
  if (first == nullptr) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, "CHECK_FAILED", blockers)
      .Object(first->object())
      .Remedy(first->remedy())
      .Site(context_.sites.LocalSite());
}

// A failback may not lose what was written since the failover, unless a human says so.
absl::Status Starter::ChooseReplication(const Call& call, const groups::GroupDocument& document,
                                        const std::string& source, const Wish& wish, op::OperationRecord& header) {
  if (wish.type != op::FAILBACK) return absl::OkStatus();
  PROTECTOR_ASSIGN_OR_RETURN(const SitePorts peer_site, context_.ports.For(source));
  storage::GetProtectionRequest request;
  request.set_name(StorageName(document, source));
  request.set_replication_type(document.replication_type());
  const auto protection = peer_site.array->GetProtection(call, request);
  const bool works = protection.ok() && (protection->health() == storage::Protection::HEALTHY ||
                                         protection->health() == storage::Protection::BASELINING);
  if (works) return absl::OkStatus();
  if (wish.reverse_replication) {
    header.set_build_replication(true);
    return absl::OkStatus();
  }
  if (wish.accept_data_loss) {
    header.set_skip_snapshots(true);
    header.mutable_operation()->add_warnings(
        fmt::format("writes made on {} since its last complete recovery point are lost, as was accepted", source));
    return absl::OkStatus();
  }
  return Error(absl::StatusCode::kFailedPrecondition, "DATA_LOSS_REFUSED",
               fmt::format("replication from {} to {} does not work ({}); a failback now would lose what was written "
                           "since the failover",
                           source, context_.sites.LocalSite(),
                           protection.ok() ? protection->detail() : MessageOf(protection.status())))
      .Object("protection group " + document.name())
      .Remedy("Use --reverse-replication to build it as part of the failback, or --accept-data-loss.");
}

// Said at once, so that the answer to the command carries it; validate_sites asks again.
void Starter::WarnOfSource(const Call& call, int64_t version, op::Operation& operation) {
  const std::string& source = operation.source_site();
  Call quick = call;
  quick.timeout = std::min(call.timeout, context_.timeouts.lost_site);
  peer::GetStandingRequest ask;
  ask.set_group_id(operation.group_id());
  const auto site = context_.ports.For(source);
  if (site.ok() && site->cloud->GetStanding(quick, ask).ok()) {
    operation.add_warnings(
        fmt::format("{} answers although it is taken to be lost; it is fenced as far as possible", source));
    return;
  }
  operation.add_warnings(fmt::format("Primary site ({}) is unreachable.", source));
  operation.add_warnings(fmt::format("Proceeding with unplanned failover using local metadata (version {}).", version));
  operation.add_warnings(fmt::format("Metadata sync to {} will be retried when {} recovers.", source, source));
}

absl::StatusOr<op::Operation> Starter::Start(const Call& call, const Wish& wish) {
  if (!wish.request_id.empty()) {
    const absl::StatusOr<op::Operation> known = engine_.FindRequest(wish.request_id);
    if (known.ok()) {
      if (!call.tenant || call.tenant->Owns(known->projects())) return known;
      return RequestIdUsed(wish.request_id);
    }
  }
  PROTECTOR_RETURN_IF_ERROR(CheckMappings(wish.mappings));
  PROTECTOR_ASSIGN_OR_RETURN(const metadata::GetDocumentResponse head, FindGroup(call, wish.group, wish.project));
  const groups::GroupDocument& document = head.document();
  const std::string& local = context_.sites.LocalSite();
  PROTECTOR_RETURN_IF_ERROR(CheckRepeat(document, wish.request_id));
  if (wish.type == op::FAILBACK && document.home_site() != local) {
    return Error(absl::StatusCode::kFailedPrecondition, "NOT_TARGET_SITE",
                 fmt::format("a failback of {} is run by its home site {}", document.name(), document.home_site()))
        .Object(document.home_site())
        .Remedy(fmt::format("Ask the orchestrator of {}.", document.home_site()));
  }
  PROTECTOR_RETURN_IF_ERROR(CheckStatus(document, wish.type));
  const std::string& source = document.primary_site();
  const std::string target = source == document.home_site() ? document.peer_site() : document.home_site();
  if (target != local) {
    return Error(absl::StatusCode::kFailedPrecondition, "NOT_TARGET_SITE",
                 fmt::format("{} is on {}; a failover is run by {}", document.name(), source, target))
        .Object(target)
        .Remedy(fmt::format("Ask the orchestrator of {}.", target));
  }
  if (document.members().empty()) {
    return WrongStatus(document, fmt::format("protection group {} has no members", document.name()),
                       "Add members first.");
  }
  op::OperationRecord header;
  op::Operation& operation = *header.mutable_operation();
  if (wish.type != op::UNPLANNED_FAILOVER) PROTECTOR_RETURN_IF_ERROR(CheckSites(call, document, source));
  PROTECTOR_RETURN_IF_ERROR(ChooseReplication(call, document, source, wish, header));
  groups::MappingSet mappings = StoredMappings(document, source, target);
  const std::vector<groups::Mapping> merged =
      MergeMappings({mappings.mappings().begin(), mappings.mappings().end()}, wish.mappings);
  mappings.mutable_mappings()->Assign(merged.begin(), merged.end());
  for (const auto& mapping : UnusedMappings(document, wish.mappings)) {
    operation.add_warnings(fmt::format("{} {} is mapped, but no member has it on {}: the mapping changes nothing",
                                       KindName(mapping.kind()), mapping.source(), source));
  }
  PROTECTOR_RETURN_IF_ERROR(CheckTarget(call, document, wish, mappings, operation));

  operation.set_type(wish.type);
  operation.set_group_id(document.id());
  operation.set_group_name(document.name());
  *operation.mutable_projects() = document.projects();
  operation.set_epoch(document.epoch());
  operation.set_source_site(source);
  operation.set_target_site(target);
  *operation.mutable_mappings() = mappings;
  operation.set_force(wish.force);
  operation.set_reverse_replication(wish.reverse_replication);
  operation.set_accept_data_loss(wish.accept_data_loss);
  operation.set_request_id(wish.request_id);
  operation.set_metadata_version(head.version().version());
  for (const std::string& step : StepsOf(wish.type)) {
    operation.add_steps()->set_name(step);
    operation.mutable_steps(operation.steps_size() - 1)->set_state(op::PENDING);
  }
  if (wish.validate_only) {
    operation.set_state(op::PENDING);
    return operation;
  }
  operation.set_id("op-" + ids_.NewUuid());
  operation.set_state(op::RUNNING);
  *operation.mutable_start_time() = ToProto(context_.clock.Now());
  if (wish.force) operation.add_warnings("started with --force: blockers that could be forced were passed over");
  if (wish.type == op::UNPLANNED_FAILOVER) WarnOfSource(call, head.version().version(), operation);
  header.set_wanted_recovery_point(wish.recovery_point);
  for (const std::string& serial : LeftoverSerials(document, target)) header.add_leftover_serials(serial);
  op::PlanRecord plan;
  *plan.mutable_document() = document;
  plan.set_version(head.version().version());
  std::vector<op::TaskRecord> tasks = FirstTasks(header, document);
  return engine_.Start(std::move(header), std::move(plan), std::move(tasks));
}

}  // namespace protector::orchestrator
