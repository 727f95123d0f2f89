// Members of a group: the changes that touch the arrays as well as the document.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "libs/base/error.h"
#include "services/orchestrator/domain/groups/groups.h"
#include "services/orchestrator/domain/groups/rules.h"
#include "services/orchestrator/domain/sync_status.h"

namespace protector::orchestrator {
namespace {

const failpoint::Site kSetUnsettled("group-set-unsettled", &store::LostWrite);
const failpoint::Site kClearUnsettled("group-clear-unsettled", &store::LostWrite);

// Groups whose arrays may differ from their document: an interrupted change, to be mended by Reconcile.
constexpr char kUnsettled[] = "group-unsettled";

absl::StatusOr<std::vector<storage::ArrayVolume>> Resolve(const Call& call, ArrayPort& array,
                                                          const std::vector<groups::Member>& members) {
  storage::ResolveVolumesRequest request;
  for (const groups::Member& member : members) {
    for (const auto& volume : member.placements(0).volumes()) request.add_cinder_volume_ids(volume.volume_id());
  }
  PROTECTOR_ASSIGN_OR_RETURN(const storage::ResolveVolumesResponse found, array.ResolveVolumes(call, request));
  if (found.volumes_size() != request.cinder_volume_ids_size()) {
    return absl::InternalError("storage-pure answered for another number of volumes than it was asked for");
  }
  return std::vector<storage::ArrayVolume>(found.volumes().begin(), found.volumes().end());
}

// The array volumes of new members, in the order of their placements. One question for all; when a volume is not
// there, the members are asked for one by one, to name the server.
absl::StatusOr<std::vector<storage::ArrayVolume>> ResolveAll(const Call& call, ArrayPort& array,
                                                             const std::vector<groups::Member>& members,
                                                             const std::string& here) {
  auto all = Resolve(call, array, members);
  if (all.status().code() != absl::StatusCode::kNotFound) return all;
  for (const groups::Member& member : members) {
    const auto own = Resolve(call, array, {member});
    if (own.ok()) continue;
    if (own.status().code() != absl::StatusCode::kNotFound) return own.status();
    return Error(absl::StatusCode::kFailedPrecondition, "VOLUME_NOT_REPLICATED",
                 fmt::format("a volume of server {} is not on the array of {}: {}", member.server().name(), here,
                             MessageOf(own.status())))
        .Object("server " + member.server().name())
        .Remedy("Retype its volumes to a replicated volume type of this array.");
  }
  return all.status();
}

storage::Authority AuthorityOf(const groups::GroupDocument& group) {
  storage::Authority authority;
  authority.set_group_id(group.id());
  authority.set_epoch(group.epoch());
  authority.set_operation_id(
      "member-change");  // no operation moves the group, but every change says what it belongs to
  return authority;
}

// A refused commit is certain; anything else may have become the head.
bool CertainlyNotCommitted(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kNotFound:
      return true;
    case absl::StatusCode::kUnavailable:
      return DetailOf(status).reason == "REMOTE_SITE_UNREACHABLE";
    default:
      return false;
  }
}

}  // namespace

absl::Status Groups::RequirePeer(const Call& call, const groups::GroupDocument& group) {
  PROTECTOR_ASSIGN_OR_RETURN(const SitePorts here, deps_.ports.For(deps_.sites.LocalSite()));
  PROTECTOR_ASSIGN_OR_RETURN(const metadata::SyncStatus status,
                             SettledSyncStatus(*here.metadata, call, group.id(), deps_.clock));
  if (status.state() == metadata::IN_SYNC) return absl::OkStatus();
  const std::string other = OtherSite(group, deps_.sites.LocalSite());
  if (status.state() == metadata::UNREACHABLE) {
    return Error(absl::StatusCode::kUnavailable, "REMOTE_SITE_UNREACHABLE",
                 "Cannot modify protection group: remote site unreachable")
        .Object("site " + other)
        .Remedy(fmt::format(
            "Restore connectivity (`protector site validate {}`), then `protector protection-group sync-force {}` and try "
            "again. For a failover out of a lost site use --type unplanned.",
            other, group.name()));
  }
  const bool diverged = status.state() == metadata::DIVERGED;
  return Error(absl::StatusCode::kFailedPrecondition, diverged ? "DIVERGED" : "OUT_OF_SYNC",
               fmt::format("metadata of {} is not in sync with {}", group.name(), other))
      .Object("protection group " + group.name())
      .Remedy(fmt::format(
          "Look at `protector protection-group sync-status {0}`, then `protector protection-group sync-force {0}`.",
          group.name()));
}

absl::Status Groups::Protect(const Call& call, const groups::GroupDocument& group) {
  const std::string& here = deps_.sites.LocalSite();
  const std::string there = OtherSite(group, here);
  PROTECTOR_ASSIGN_OR_RETURN(const auto here_site, deps_.sites.GetSite(call, here));
  PROTECTOR_ASSIGN_OR_RETURN(const auto there_site, deps_.sites.GetSite(call, there));
  PROTECTOR_ASSIGN_OR_RETURN(const SitePorts source, deps_.ports.For(here));
  PROTECTOR_ASSIGN_OR_RETURN(const SitePorts target, deps_.ports.For(there));

  storage::EnsureProtectionRequest ensure;
  *ensure.mutable_authority() = AuthorityOf(group);
  ensure.set_name(StorageName(group, here));
  ensure.set_replication_type(group.replication_type());
  ensure.set_target_array(there_site.array_name());
  ensure.set_target_name(StorageName(group, there));
  *ensure.mutable_policy() = group.policy();
  for (const auto& member : group.members()) {
    const groups::Placement* placement = FindPlacement(member, here);
    if (placement == nullptr) continue;
    for (const auto& volume : placement->volumes()) {
      auto* disk = ensure.add_disks();
      disk->set_member_id(member.id());
      disk->set_index(volume.index());
      disk->set_serial(volume.serial());
    }
  }
  if (ensure.disks().empty()) {
    storage::RemoveProtectionRequest remove;
    *remove.mutable_authority() = ensure.authority();
    remove.set_name(ensure.name());
    remove.set_replication_type(group.replication_type());
    PROTECTOR_RETURN_IF_ERROR(source.array->RemoveProtection(call, remove).status());
    remove.set_source_array(here_site.array_name());
    return target.array->RemoveProtection(call, remove).status();
  }
  // Source, target, and the source again: a target can only be accepted once the source has named it, and a replica
  // link only be made once the target has its pod.
  PROTECTOR_RETURN_IF_ERROR(
      Annotate(source.array->EnsureProtection(call, ensure).status(), "setting up replication on " + here));
  storage::AcceptProtectionRequest accept;
  *accept.mutable_authority() = ensure.authority();
  accept.set_name(ensure.name());
  accept.set_replication_type(group.replication_type());
  accept.set_source_array(here_site.array_name());
  accept.set_target_name(ensure.target_name());
  PROTECTOR_RETURN_IF_ERROR(
      Annotate(target.array->AcceptProtection(call, accept).status(), "accepting replication on " + there));
  return Annotate(source.array->EnsureProtection(call, ensure).status(), "starting replication on " + here);
}

absl::StatusOr<op::Group> Groups::CommitProtected(const Call& call, const op::Group& before,
                                                  const groups::GroupDocument& wanted, const std::string& reason,
                                                  const std::string& request_id) {
  PROTECTOR_RETURN_IF_ERROR(RequirePeer(call, wanted));
  // From here until the commit is known the arrays may differ from the document; if we die, Reconcile finds this
  // record.
  PROTECTOR_RETURN_IF_ERROR(failpoint::Around(kSetUnsettled, [&] {
    return deps_.store.PutIfVersion(kUnsettled, wanted.id(), reason, store::kAnyVersion).status();
  }));
  absl::Status failed = Protect(call, wanted);
  if (failed.ok()) {
    auto committed = Commit(call, wanted, before.version(), reason, request_id);
    if (committed.ok()) {
      // Should this write fail, Reconcile does the same work once more, which is harmless.
      failpoint::Around(kClearUnsettled, [&] { return deps_.store.Delete(kUnsettled, wanted.id()); }).IgnoreError();
      return committed;
    }
    failed = committed.status();
    if (!CertainlyNotCommitted(failed)) return failed;
  }
  if (Protect(call, before.document()).ok()) {
    failpoint::Around(kClearUnsettled, [&] { return deps_.store.Delete(kUnsettled, wanted.id()); }).IgnoreError();
  }
  return failed;
}

absl::Status Groups::Reconcile(const Call& call) {
  PROTECTOR_ASSIGN_OR_RETURN(const auto unsettled, deps_.store.ListAll(kUnsettled));
  absl::Status result;
  for (const auto& record : unsettled) {
    const auto lock = LockOf(record.key);
    const std::lock_guard guard(*lock);
    const auto group = Find(call, record.key, {});
    absl::Status settled = group.status();
    if (settled.code() == absl::StatusCode::kNotFound) {
      // Never committed, or deleted since: a deletion takes its protection apart before the tombstone.
      settled = absl::OkStatus();
    } else if (group.ok()) {
      const groups::GroupDocument& document = group->document();
      const bool ours = document.primary_site() == deps_.sites.LocalSite() && document.active_operation_id().empty();
      settled = ours ? RequirePeer(call, document) : absl::OkStatus();
      if (settled.ok() && ours) settled = Protect(call, document);
    }
    if (settled.ok()) {
      settled = failpoint::Around(kClearUnsettled,
                                  [&] { return deps_.store.Delete(kUnsettled, record.key, record.version); });
    }
    result.Update(settled);
  }
  return result;
}

absl::Status Groups::RefreshGroup(const Call& call, const groups::GroupDocument& group) {
  PROTECTOR_ASSIGN_OR_RETURN(const SitePorts here, deps_.ports.For(deps_.sites.LocalSite()));
  peer::CaptureMembersRequest request;
  request.set_group_id(group.id());
  PROTECTOR_ASSIGN_OR_RETURN(const auto captured, here.cloud->CaptureMembers(call, request));
  Change change{group.id(), {}, "", "", "captures refreshed", {}};
  change.apply = [&](groups::GroupDocument& document) -> absl::StatusOr<bool> {
    bool changed = false;
    for (auto& member : *document.mutable_members()) {
      const auto fresh = std::find_if(captured.members().begin(), captured.members().end(),
                                      [&](const auto& candidate) { return candidate.id() == member.id(); });
      if (fresh == captured.members().end()) continue;
      groups::Member known = member;
      *known.mutable_captured_at() = fresh->captured_at();
      if (known.SerializeAsString() == fresh->SerializeAsString()) continue;
      member = *fresh;
      changed = true;
    }
    return changed;
  };
  return Apply(call, change).status();
}

absl::Status Groups::RefreshCaptures(const Call& call) {
  absl::Status result;
  std::string token;
  do {
    op::ListGroupsRequest list;
    list.set_page_token(token);
    PROTECTOR_ASSIGN_OR_RETURN(const auto page, List(call, list));
    for (const auto& group : page.groups()) {
      const groups::GroupDocument& document = group.document();
      const bool ours = document.primary_site() == deps_.sites.LocalSite() && document.active_operation_id().empty();
      if (!ours || document.members().empty()) continue;
      result.Update(Annotate(RefreshGroup(call, document), "protection group " + document.name()));
    }
    token = page.next_page_token();
  } while (!token.empty());
  return result;
}

absl::StatusOr<std::vector<groups::Member>> Groups::NewMembers(const Call& call, const op::Group& group,
                                                               const op::AddMembersRequest& request) {
  const std::string& here = deps_.sites.LocalSite();
  const groups::GroupDocument& document = group.document();
  PROTECTOR_ASSIGN_OR_RETURN(const SitePorts ports, deps_.ports.For(here));
  std::set<std::string> servers;
  for (const auto& member : document.members()) {
    if (const auto* placement = FindPlacement(member, here)) servers.insert(placement->server_id());
  }
  for (const auto& name : request.servers()) {
    if (name.empty() || name.size() > 255 || !IsPrintableUtf8(name)) {
      return Error(absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT", "not a name or id of a server")
          .Object("protection group " + document.name())
          .Remedy("Give names or ids as `openstack server list` shows them.");
    }
  }
  PROTECTOR_ASSIGN_OR_RETURN(
      std::vector<groups::Member> members,
      deps_.members.Capture(call, document.projects().at(here), {request.servers().begin(), request.servers().end()},
                            document.replication_type()));
  for (auto& member : members) {
    const std::string& server_id = member.placements(0).server_id();
    if (!servers.insert(server_id).second) {
      return Error(absl::StatusCode::kAlreadyExists, "MEMBER_EXISTS",
                   fmt::format("server {} is a member of {} already, or was named twice", member.server().name(),
                               document.name()))
          .Object("server " + member.server().name())
          .Remedy("Name each server once; `protector protection-group members` shows the members there are.");
    }
    member.set_id(DerivedUuid("member/" + document.id() + "/" + server_id));
    member.set_boot_order(request.boot_order());
  }
  for (auto& member : members) {
    for (const auto& name : request.depends_on()) {
      const groups::Member* known = FindMember(document, name);
      if (known == nullptr) {
        const auto added =
            std::find_if(members.begin(), members.end(), [&](const auto& m) { return m.server().name() == name; });
        if (added != members.end()) known = &*added;
      }
      if (known == nullptr) {
        return Error(absl::StatusCode::kNotFound, "MEMBER_NOT_FOUND",
                     fmt::format("no member {} to depend on", Trimmed(name)))
            .Object("protection group " + document.name())
            .Remedy("Name members of this group.");
      }
      member.add_depends_on(known->id());
    }
  }
  return members;
}

absl::StatusOr<op::Group> Groups::AddMembers(const Call& call, const op::AddMembersRequest& request) {
  return Repeat(request.etag(), [&] { return AddMembersOnce(call, request); });
}

absl::StatusOr<op::Group> Groups::AddMembersOnce(const Call& call, const op::AddMembersRequest& request) {
  if (request.servers().empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT", "no server was named")
        .Object("protection group " + request.group())
        .Remedy("Name at least one server.");
  }
  const Change change{request.group(), request.project(), request.etag(), request.request_id(), "", {}};
  PROTECTOR_ASSIGN_OR_RETURN(const op::Group found, FindForChange(call, change));
  const auto lock = LockOf(found.document().id());
  const std::lock_guard guard(*lock);
  // Again under the lock: another addition may have ended meanwhile.
  PROTECTOR_ASSIGN_OR_RETURN(const op::Group before, FindForChange(call, change));
  PROTECTOR_ASSIGN_OR_RETURN(const auto added, NewMembers(call, before, request));

  const std::string& here = deps_.sites.LocalSite();
  groups::GroupDocument document = before.document();
  PROTECTOR_ASSIGN_OR_RETURN(const SitePorts ports, deps_.ports.For(here));
  std::string names;
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<storage::ArrayVolume> volumes,
                             ResolveAll(call, *ports.array, added, here));
  auto next = volumes.begin();
  for (groups::Member member : added) {
    names += (names.empty() ? "" : ", ") + member.server().name();
    auto* placement = member.mutable_placements(0);
    for (int i = 0; i < placement->volumes_size(); ++i) {
      const storage::ArrayVolume& seen = *next++;
      placement->mutable_volumes(i)->set_array_volume(seen.name());
      placement->mutable_volumes(i)->set_serial(seen.serial());
      placement->mutable_volumes(i)->set_array_volume_id(seen.id());
      auto* pair = document.add_volume_pairs();
      pair->set_member_id(member.id());
      pair->set_index(placement->volumes(i).index());
      (*pair->mutable_serials())[here] = seen.serial();
    }
    *document.add_members() = std::move(member);
  }
  PROTECTOR_RETURN_IF_ERROR(CheckDependencies(document));
  document.mutable_conditions()->set_serving(true);
  document.mutable_conditions()->set_protected_(false);
  document.mutable_conditions()->set_reason("not protected: the first transfer has not ended yet");
  if (request.validate_only()) {
    op::Group group = before;
    *group.mutable_document() = document;
    return group;
  }
  const std::string reason = fmt::format("member{} {} added", added.size() == 1 ? "" : "s", names);
  return CommitProtected(call, before, document, reason, request.request_id());
}

absl::StatusOr<op::Group> Groups::RemoveMembers(const Call& call, const op::RemoveMembersRequest& request) {
  return Repeat(request.etag(), [&] { return RemoveMembersOnce(call, request); });
}

absl::StatusOr<op::Group> Groups::RemoveMembersOnce(const Call& call, const op::RemoveMembersRequest& request) {
  const Change change{request.group(), request.project(), request.etag(), request.request_id(), "", {}};
  PROTECTOR_ASSIGN_OR_RETURN(const op::Group found, FindForChange(call, change));
  const auto lock = LockOf(found.document().id());
  const std::lock_guard guard(*lock);
  PROTECTOR_ASSIGN_OR_RETURN(const op::Group before, FindForChange(call, change));
  std::set<std::string> leaving;
  std::string names;
  for (const auto& name : request.members()) {
    const groups::Member* member = FindMember(before.document(), name);
    if (member == nullptr) {
      return Error(absl::StatusCode::kNotFound, "MEMBER_NOT_FOUND",
                   fmt::format("{} is not a member of {}", Trimmed(name), before.document().name()))
          .Object("protection group " + before.document().name())
          .Remedy("See `protector protection-group members " + before.document().name() + "`.");
    }
    leaving.insert(member->id());
    names += (names.empty() ? "" : ", ") + member->server().name();
  }
  if (leaving.empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT", "no member was named")
        .Object("protection group " + before.document().name())
        .Remedy("Name at least one member.");
  }
  groups::GroupDocument document = before.document();
  const auto leaves = [&](const std::string& id) { return leaving.contains(id); };
  auto* members = document.mutable_members();
  members->erase(std::remove_if(members->begin(), members->end(), [&](const auto& m) { return leaves(m.id()); }),
                 members->end());
  auto* pairs = document.mutable_volume_pairs();
  pairs->erase(std::remove_if(pairs->begin(), pairs->end(), [&](const auto& p) { return leaves(p.member_id()); }),
               pairs->end());
  for (auto& member : *members) {
    auto* waits = member.mutable_depends_on();
    waits->erase(std::remove_if(waits->begin(), waits->end(), leaves), waits->end());
  }
  if (members->empty()) {
    document.mutable_conditions()->set_protected_(false);
    document.mutable_conditions()->set_reason("the group has no members");
  }
  const std::string reason = fmt::format("member{} {} removed", leaving.size() == 1 ? "" : "s", names);
  return CommitProtected(call, before, document, reason, request.request_id());
}

absl::StatusOr<op::DeleteGroupResponse> Groups::Delete(const Call& call, const op::DeleteGroupRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(Repeat(request.etag(), [&] { return DeleteOnce(call, request); }).status());
  return op::DeleteGroupResponse();
}

absl::StatusOr<op::Group> Groups::DeleteOnce(const Call& call, const op::DeleteGroupRequest& request) {
  const Change change{request.group(), request.project(), request.etag(), request.request_id(), "", {}};
  PROTECTOR_ASSIGN_OR_RETURN(const op::Group found, FindForChange(call, change));
  const auto lock = LockOf(found.document().id());
  const std::lock_guard guard(*lock);
  PROTECTOR_ASSIGN_OR_RETURN(const op::Group before, FindForChange(call, change));
  if (before.document().members_size() > 0 && !request.force()) {
    return Error(absl::StatusCode::kFailedPrecondition, "WRONG_STATUS",
                 fmt::format("protection group {} has {} members", before.document().name(),
                             before.document().members_size()))
        .Object("protection group " + before.document().name())
        .Remedy("Remove the members first, or use --force; the servers are left running either way.");
  }
  if (before.document().pending_size() > 0 && !request.force()) {
    return Error(absl::StatusCode::kFailedPrecondition, "WRONG_STATUS",
                 fmt::format("work of operation {} is still pending", before.document().pending(0).operation_id()))
        .Object("operation " + before.document().pending(0).operation_id())
        .Remedy("Let it end (`protector operation retry`), or use --force and clean up by hand.");
  }
  groups::GroupDocument document = before.document();
  document.clear_members();
  document.clear_volume_pairs();
  document.clear_pending();
  document.set_deleted(true);
  return CommitProtected(call, before, document, "deleted", request.request_id());
}

}  // namespace protector::orchestrator
