#include "services/orchestrator/domain/groups/groups.h"

#include <fmt/format.h>

#include <algorithm>

#include "libs/base/error.h"
#include "services/orchestrator/domain/groups/rules.h"
#include "services/orchestrator/domain/tenant_project.h"

namespace protector::orchestrator {
namespace {

const failpoint::Site kRememberRequest("group-remember-request", &store::LostWrite);

constexpr char kRequests[] = "group-requests";  // request id -> group id: a repeated request answers as the first did

absl::Status NotPrimary(const groups::GroupDocument& group, const std::string& here) {
  return Error(absl::StatusCode::kFailedPrecondition, "NOT_PRIMARY",
               fmt::format("{} is not the primary site of {}; changes are made on {}", here, group.name(),
                           group.primary_site()))
      .Object("site " + group.primary_site())
      .Remedy("Ask " + group.primary_site() + " (the command line does so by itself when that site is reachable).");
}

absl::Status Busy(const groups::GroupDocument& group) {
  return Error(absl::StatusCode::kAborted, "GROUP_BUSY",
               fmt::format("protection group {} is {}: operation {} holds it", group.name(), StatusName(group.status()),
                           group.active_operation_id()))
      .Object("operation " + group.active_operation_id())
      .Remedy("Wait for the operation (`protector operation watch " + group.active_operation_id() + "`) or cancel it.");
}

op::Group ToGroup(const metadata::GetDocumentResponse& answer, const std::string& site) {
  op::Group group;
  *group.mutable_document() = answer.document();
  group.set_version(answer.version().version());
  group.set_etag(answer.version().hash());
  group.set_site(site);
  if (answer.document().status() == groups::ERROR) {
    group.add_warnings(
        "The group is in status error: look at its operations, then retry, resume or cancel the last one.");
  }
  return group;
}

}  // namespace

std::shared_ptr<std::mutex> Groups::LockOf(const std::string& group_id) {
  const std::lock_guard lock(mutex_);
  auto& entry = locks_[group_id];
  if (entry == nullptr) entry = std::make_shared<std::mutex>();
  return entry;
}

absl::StatusOr<std::string> Groups::ProjectId(const Call& call, const op::Project& project) {
  if (call.tenant) return TenantProject(deps_.sites, call, project);
  if (!project.id().empty()) return project.id();
  if (project.name().empty()) return std::string();
  PROTECTOR_ASSIGN_OR_RETURN(const auto found, deps_.sites.ResolveProject(call, project.name(), project.domain()));
  return found.id();
}

absl::StatusOr<op::Group> Groups::Find(const Call& call, const std::string& group, const op::Project& project) {
  if (group.empty() || group.size() > 255 || !IsPrintableUtf8(group)) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT", "not a name or id of a protection group")
        .Object("protection group " + Trimmed(group))
        .Remedy("Give a name as `protector protection-group list` shows it.");
  }
  PROTECTOR_ASSIGN_OR_RETURN(const SitePorts here, deps_.ports.For(deps_.sites.LocalSite()));
  metadata::GetDocumentRequest request;
  if (IsUuid(group)) {
    request.set_group_id(group);
  } else {
    request.set_name(group);
    PROTECTOR_ASSIGN_OR_RETURN(const std::string project_id, ProjectId(call, project));
    request.set_project_id(project_id);
  }
  const auto answer = here.metadata->GetDocument(call, request);
  const bool others = answer.ok() && call.tenant && !call.tenant->Owns(answer->document().projects());
  if (others || answer.status().code() == absl::StatusCode::kNotFound ||
      (answer.ok() && answer->document().deleted())) {
    return Error(absl::StatusCode::kNotFound, "GROUP_NOT_FOUND",
                 fmt::format("no protection group {} on {}", group, deps_.sites.LocalSite()))
        .Object("protection group " + group)
        .Remedy("See `protector protection-group list` for the groups of your project.");
  }
  PROTECTOR_RETURN_IF_ERROR(answer.status());
  return ToGroup(*answer, deps_.sites.LocalSite());
}

absl::StatusOr<op::Group> Groups::Get(const Call& call, const op::GetGroupRequest& request) {
  PROTECTOR_ASSIGN_OR_RETURN(op::Group group, Find(call, request.group(), request.project()));
  LookAtProtection(call, *group.mutable_document());
  return group;
}

// Replication is asked about now: the document only knows how it was at the last commit.
void Groups::LookAtProtection(const Call& call, groups::GroupDocument& group) {
  constexpr absl::Duration kPatience = absl::Seconds(2);  // an array that hangs must not hide the group
  if (group.members().empty() || !group.active_operation_id().empty()) return;
  const std::string& here = deps_.sites.LocalSite();
  const std::string& primary = group.primary_site();
  Call look = call;
  look.timeout = std::min(call.timeout, kPatience);
  storage::GetProtectionRequest request;
  request.set_name(StorageName(group, primary));
  request.set_replication_type(group.replication_type());
  absl::StatusOr<storage::Protection> seen = absl::UnavailableError("not asked");
  const auto site = deps_.sites.GetSite(look, primary);
  const auto ports = deps_.ports.For(here);
  if (primary != here && site.ok()) request.set_source_array(site->array_name());
  if (site.ok() && ports.ok()) seen = ports->array->GetProtection(look, request);
  auto& conditions = *group.mutable_conditions();
  conditions.set_protected_(seen.ok() && seen->health() == storage::Protection::HEALTHY);
  if (conditions.protected_()) {
    if (conditions.serving() && conditions.clean()) conditions.clear_reason();
    return;
  }
  const std::string why = seen.ok() ? seen->detail() : MessageOf(seen.status());
  if (conditions.serving()) conditions.set_reason("not protected: " + why);
}

absl::StatusOr<op::ListGroupsResponse> Groups::List(const Call& call, const op::ListGroupsRequest& request) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string project_id, ProjectId(call, request.project()));
  PROTECTOR_ASSIGN_OR_RETURN(const SitePorts here, deps_.ports.For(deps_.sites.LocalSite()));
  metadata::ListDocumentsRequest list;
  list.set_project_id(project_id);
  list.set_page_size(request.page_size());
  list.set_page_token(request.page_token());
  PROTECTOR_ASSIGN_OR_RETURN(const auto page, here.metadata->ListDocuments(call, list));
  op::ListGroupsResponse response;
  for (const auto& document : page.documents()) *response.add_groups() = ToGroup(document, deps_.sites.LocalSite());
  response.set_next_page_token(page.next_page_token());
  return response;
}

absl::Status Groups::RequireNobodyRuns(const Call& call, const groups::GroupDocument& group) {
  peer::GetStandingRequest ask;
  ask.set_group_id(group.id());
  for (const std::string& site : {group.home_site(), group.peer_site()}) {
    PROTECTOR_ASSIGN_OR_RETURN(const SitePorts ports, deps_.ports.For(site));
    const auto standing = ports.cloud->GetStanding(call, ask);
    if (!standing.ok()) {
      return Annotate(standing.status(),
                      fmt::format("whether {} runs operation {} is not known", site, group.active_operation_id()));
    }
    if (standing->running_operation_id() == group.active_operation_id()) return Busy(group);
  }
  return absl::OkStatus();
}

absl::StatusOr<op::Group> Groups::FindForChange(const Call& call, const Change& change) {
  PROTECTOR_ASSIGN_OR_RETURN(op::Group group, Find(call, change.group, change.project));
  const groups::GroupDocument& document = group.document();
  if (document.primary_site() != deps_.sites.LocalSite()) return NotPrimary(document, deps_.sites.LocalSite());
  if (!document.active_operation_id().empty()) {
    if (!change.frees_group) return Busy(document);
    PROTECTOR_RETURN_IF_ERROR(RequireNobodyRuns(call, document));
  }
  if (!change.etag.empty() && change.etag != group.etag()) {
    return Error(absl::StatusCode::kAborted, "ETAG_MISMATCH",
                 fmt::format("protection group {} has changed since", document.name()))
        .Object("protection group " + document.name())
        .Remedy("Read it again and decide anew.");
  }
  return group;
}

absl::StatusOr<op::Group> Groups::Commit(const Call& call, const groups::GroupDocument& document, int64_t base_version,
                                         const std::string& reason, const std::string& request_id) {
  PROTECTOR_ASSIGN_OR_RETURN(const SitePorts here, deps_.ports.For(deps_.sites.LocalSite()));
  metadata::CommitRequest commit;
  *commit.mutable_document() = document;
  commit.set_base_version(base_version);
  commit.set_reason(reason);
  commit.set_request_id(request_id);
  PROTECTOR_ASSIGN_OR_RETURN(const auto committed, here.metadata->Commit(call, commit));
  op::Group group;
  *group.mutable_document() = committed.document();
  group.set_version(committed.version().version());
  group.set_etag(committed.version().hash());
  group.set_site(deps_.sites.LocalSite());
  return group;
}

absl::StatusOr<op::Group> Groups::Repeat(const std::string& etag,
                                         const std::function<absl::StatusOr<op::Group>()>& change) {
  constexpr int kTries = 3;
  for (int attempt = 1;; ++attempt) {
    auto changed = change();
    const bool raced = DetailOf(changed.status()).reason == "VERSION_MISMATCH" && etag.empty();
    if (changed.ok() || !raced || attempt == kTries) return changed;
  }
}

absl::StatusOr<op::Group> Groups::Apply(const Call& call, const Change& change) {
  return Repeat(change.etag, [&]() -> absl::StatusOr<op::Group> {
    PROTECTOR_ASSIGN_OR_RETURN(op::Group group, FindForChange(call, change));
    const auto lock = LockOf(group.document().id());
    const std::lock_guard guard(*lock);
    groups::GroupDocument document = group.document();
    PROTECTOR_ASSIGN_OR_RETURN(const bool changed, change.apply(document));
    if (!changed) return group;
    return Commit(call, document, group.version(), change.reason, change.request_id);
  });
}

absl::StatusOr<op::Group> Groups::Create(const Call& call, const op::CreateGroupRequest& request) {
  const std::string& here = deps_.sites.LocalSite();
  PROTECTOR_RETURN_IF_ERROR(CheckGroupName(request.name()));
  if (!IsPrintableUtf8(request.description()) || request.description().size() > 1024) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT",
                 "the description is too long or not printable text")
        .Object("protection group " + request.name())
        .Remedy("Use at most 1024 bytes of UTF-8 without control characters.");
  }
  if (request.replication_type() == groups::REPLICATION_TYPE_UNSPECIFIED) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT", "a protection group needs a replication type")
        .Object("protection group " + request.name())
        .Remedy("Give --replication-type async or sync; it cannot be changed later.");
  }
  if (!request.request_id().empty()) {
    const auto earlier = deps_.store.Get(kRequests, request.request_id());
    if (earlier.ok()) {
      auto made = Find(call, earlier->value, {});
      if (!call.tenant || made.status().code() != absl::StatusCode::kNotFound) return made;
      return RequestIdUsed(request.request_id());
    }
  }
  PROTECTOR_ASSIGN_OR_RETURN(const groups::Policy policy,
                             CompletePolicy(request.policy(), request.name(), request.stop_immediately()));
  PROTECTOR_ASSIGN_OR_RETURN(const auto primary,
                             deps_.sites.GetSite(call, request.primary_site().empty() ? here : request.primary_site()));
  if (primary.name() != here) {
    return Error(absl::StatusCode::kFailedPrecondition, "NOT_PRIMARY",
                 fmt::format("a group with primary site {} is made on that site, not on {}", primary.name(), here))
        .Object("site " + primary.name())
        .Remedy("Use credentials of " + primary.name() + ", or --site " + primary.name() + ".");
  }
  std::string secondary = request.secondary_site();
  if (secondary.empty()) {
    PROTECTOR_ASSIGN_OR_RETURN(const auto sites, deps_.sites.ListSites(call));
    for (const auto& site : sites) {
      if (site.name() != here) secondary = secondary.empty() ? site.name() : "?";
    }
    if (secondary.empty() || secondary == "?") {
      return Error(absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT", "the secondary site is not clear")
          .Object("protection group " + request.name())
          .Remedy("Give --secondary-site; `protector site list` shows the sites there are.");
    }
  }
  PROTECTOR_ASSIGN_OR_RETURN(const auto other, deps_.sites.GetSite(call, secondary));
  if (other.name() == here) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT", "both sites of the group are " + here)
        .Object("site " + here)
        .Remedy("Give the other site as --secondary-site.");
  }
  PROTECTOR_ASSIGN_OR_RETURN(const std::string project_id, ProjectId(call, request.project()));
  if (project_id.empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT",
                 "a protection group belongs to a project, and none was given")
        .Object("protection group " + request.name())
        .Remedy("Set OS_PROJECT_NAME (or project_name in clouds.yaml).");
  }
  PROTECTOR_ASSIGN_OR_RETURN(const std::string other_project,
                             deps_.sites.MappedProject(call, here, project_id, other.name()));

  op::Project own;
  own.set_id(project_id);
  const auto existing = Find(call, request.name(), own);
  if (existing.ok()) {
    return Error(absl::StatusCode::kAlreadyExists, "GROUP_EXISTS",
                 fmt::format("protection group {} exists already", request.name()))
        .Object("protection group " + request.name())
        .Remedy("Choose another name, or work with the group there is.");
  }
  if (existing.status().code() != absl::StatusCode::kNotFound) return existing.status();

  groups::GroupDocument document;
  document.set_id(request.request_id().empty() ? deps_.ids.NewUuid() : DerivedUuid("group/" + request.request_id()));
  document.set_name(request.name());
  document.set_description(request.description());
  (*document.mutable_projects())[here] = project_id;
  (*document.mutable_projects())[other.name()] = other_project;
  document.set_home_site(here);
  document.set_peer_site(other.name());
  document.set_primary_site(here);
  document.set_epoch(1);
  document.set_status(groups::ACTIVE);
  document.set_replication_type(request.replication_type());
  *document.mutable_policy() = policy;
  document.mutable_conditions()->set_serving(true);
  document.mutable_conditions()->set_clean(true);
  document.mutable_conditions()->set_reason("the group has no members yet");
  if (request.validate_only()) {
    op::Group group;
    *group.mutable_document() = document;
    group.set_site(here);
    return group;
  }
  PROTECTOR_ASSIGN_OR_RETURN(op::Group group, Commit(call, document, 0, "created", request.request_id()));
  if (!request.request_id().empty()) {
    PROTECTOR_RETURN_IF_ERROR(failpoint::Around(kRememberRequest, [&] {
      return deps_.store.PutIfVersion(kRequests, request.request_id(), document.id(), store::kAnyVersion).status();
    }));
  }
  return group;
}

absl::StatusOr<op::Group> Groups::Update(const Call& call, const op::UpdateGroupRequest& request) {
  if (request.reset_status() && request.reason().empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT",
                 "resetting a status needs a reason, which is recorded")
        .Object("protection group " + request.group())
        .Remedy("Give --reason.");
  }
  Change change{request.group(), request.project(), request.etag(), request.request_id(), "", {}};
  change.reason = request.reset_status() ? "status reset: " + request.reason() : "description changed";
  change.frees_group = request.reset_status();
  change.apply = [&](groups::GroupDocument& document) -> absl::StatusOr<bool> {
    bool changed = false;
    if (request.has_description() && request.description() != document.description()) {
      document.set_description(request.description());
      changed = true;
    }
    // FindForChange has made sure that nobody runs what holds it.
    if (request.reset_status() && (document.status() == groups::ERROR || !document.active_operation_id().empty())) {
      document.set_status(RestingStatus(document, document.primary_site()));
      document.clear_active_operation_id();
      changed = true;
    } else if (request.reset_status()) {
      return Error(absl::StatusCode::kFailedPrecondition, "WRONG_STATUS",
                   fmt::format("protection group {} is {}: not in error, and no operation holds it", document.name(),
                               StatusName(document.status())))
          .Object("protection group " + document.name())
          .Remedy("There is nothing to reset.");
    }
    return changed;
  };
  return Apply(call, change);
}

absl::StatusOr<op::Group> Groups::SetMappings(const Call& call, const op::SetMappingsRequest& request) {
  const std::vector<groups::Mapping> given(request.mappings().mappings().begin(), request.mappings().mappings().end());
  PROTECTOR_RETURN_IF_ERROR(CheckMappings(given));
  Change change{request.group(), request.project(), request.etag(), request.request_id(), "mappings changed", {}};
  change.apply = [&](groups::GroupDocument& document) -> absl::StatusOr<bool> {
    groups::MappingSet set = request.mappings();
    if (set.source_site().empty()) set.set_source_site(document.home_site());
    if (set.target_site().empty()) set.set_target_site(OtherSite(document, set.source_site()));
    const auto known = [&](const std::string& site) {
      return site == document.home_site() || site == document.peer_site();
    };
    if (!known(set.source_site()) || !known(set.target_site()) || set.source_site() == set.target_site()) {
      return Error(absl::StatusCode::kInvalidArgument, "MAPPING_INVALID",
                   fmt::format("{} to {} is not a direction of group {}", set.source_site(), set.target_site(),
                               document.name()))
          .Object("protection group " + document.name())
          .Remedy(fmt::format("Its sites are {} and {}.", document.home_site(), document.peer_site()));
    }
    const auto store = [&](const std::string& from, const std::string& to,
                           const std::vector<groups::Mapping>& mappings) {
      groups::MappingSet merged = StoredMappings(document, from, to);
      const std::vector<groups::Mapping> base(merged.mappings().begin(), merged.mappings().end());
      merged.clear_mappings();
      for (const auto& mapping : MergeMappings(request.replace() ? std::vector<groups::Mapping>{} : base, mappings)) {
        *merged.add_mappings() = mapping;
      }
      StoreMappings(document, merged);
    };
    store(set.source_site(), set.target_site(), given);
    if (request.both_directions()) {
      std::vector<groups::Mapping> reversed = given;
      for (auto& mapping : reversed) std::swap(*mapping.mutable_source(), *mapping.mutable_target());
      PROTECTOR_RETURN_IF_ERROR(Annotate(CheckMappings(reversed), "in the other direction"));
      store(set.target_site(), set.source_site(), reversed);
    }
    return true;
  };
  return Apply(call, change);
}

absl::StatusOr<op::Group> Groups::SetPolicy(const Call& call, const op::SetPolicyRequest& request) {
  const auto* descriptor = groups::Policy::descriptor();
  for (const auto& name : request.fields()) {
    if (descriptor->FindFieldByName(name) != nullptr) continue;
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT",
                 fmt::format("a policy has no field {}", Trimmed(name)))
        .Object("policy of protection group " + request.group())
        .Remedy(
            "Fields: replication_interval, rpo_minutes, pure_pg_name, stop_timeout, source_retention, target_retention.");
  }
  const auto apply = [&](groups::GroupDocument& document) -> absl::StatusOr<bool> {
    groups::Policy policy = document.policy();
    const auto* reflection = groups::Policy::GetReflection();
    bool stop_immediately = policy.stop_timeout() == 0;
    for (const auto& name : request.fields()) {
      const auto* field = descriptor->FindFieldByName(name);
      if (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_STRING) {
        reflection->SetString(&policy, field, request.policy().GetReflection()->GetString(request.policy(), field));
      } else {
        reflection->SetInt32(&policy, field, request.policy().GetReflection()->GetInt32(request.policy(), field));
      }
      if (name == "stop_timeout") stop_immediately = policy.stop_timeout() == 0;
    }
    PROTECTOR_ASSIGN_OR_RETURN(policy, CompletePolicy(policy, document.name(), stop_immediately));
    if (policy.pure_pg_name() != document.policy().pure_pg_name() && document.members_size() > 0) {
      return Error(absl::StatusCode::kFailedPrecondition, "WRONG_STATUS",
                   "pure_pg_name cannot change while the group has members")
          .Object("policy of protection group " + document.name())
          .Remedy("Remove the members first; they are replicated under the present name.");
    }
    if (policy.SerializeAsString() == document.policy().SerializeAsString()) return false;
    *document.mutable_policy() = policy;
    return true;
  };
  // Interval and retention live on the array as well.
  Change change{request.group(), request.project(), request.etag(), request.request_id(), "policy changed", apply};
  PROTECTOR_ASSIGN_OR_RETURN(const op::Group found, FindForChange(call, change));
  if (found.document().members_size() == 0) return Apply(call, change);
  return Repeat(change.etag, [&]() -> absl::StatusOr<op::Group> {
    const auto lock = LockOf(found.document().id());
    const std::lock_guard guard(*lock);
    PROTECTOR_ASSIGN_OR_RETURN(const op::Group before, FindForChange(call, change));
    groups::GroupDocument document = before.document();
    PROTECTOR_ASSIGN_OR_RETURN(const bool changed, apply(document));
    if (!changed) return before;
    return CommitProtected(call, before, document, change.reason, request.request_id());
  });
}

}  // namespace protector::orchestrator
