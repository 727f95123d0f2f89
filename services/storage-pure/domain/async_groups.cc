#include "services/storage-pure/domain/async_groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "libs/base/error.h"
#include "services/storage-pure/domain/convert.h"
#include "services/storage-pure/domain/naming.h"

namespace protector::storage {
namespace {

constexpr size_t kMembersPerRequest = 50;
constexpr int kMatchAttempts = 3;
constexpr absl::Duration kFaceInterval = absl::Milliseconds(500);
constexpr absl::Duration kFacePatience = absl::Minutes(3);  // arrays were seen to take that long
constexpr int kMinFrequencySeconds = 300;

// In pieces that fit into a request.
absl::Status InPieces(const std::vector<std::string>& names,
                      const std::function<absl::Status(const std::vector<std::string>&)>& act) {
  for (size_t begin = 0; begin < names.size(); begin += kMembersPerRequest) {
    const size_t end = std::min(names.size(), begin + kMembersPerRequest);
    PROTECTOR_RETURN_IF_ERROR(
        act({names.begin() + static_cast<std::ptrdiff_t>(begin), names.begin() + static_cast<std::ptrdiff_t>(end)}));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ProtectionNotFound(const std::string& name) {
  return Error(absl::StatusCode::kNotFound, "PROTECTION_NOT_FOUND",
               fmt::format("the array has no protection group or pod {}", name))
      .Object("protection group or pod " + name)
      .Remedy(
          "Check that pure_pg_name in the policy is exactly the name on the array, and that replication was set up.");
}

bool IsStale(const ProtectionRecord& record, const std::string& snapshot) {
  return std::find(record.stale.begin(), record.stale.end(), snapshot) != record.stale.end();
}

absl::StatusOr<Group> AsyncGroups::Find(const Scope& scope, const std::string& name) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Group> groups, deps_.array.ListGroups(scope, {name}));
  for (const Group& group : groups) {
    if (!group.destroyed) return group;
  }
  return ProtectionNotFound(name);
}

absl::Status AsyncGroups::Claim(const std::string& name, const std::string& group_id, const std::string& source_array) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::optional<ProtectionRecord> record, deps_.state.Protection(name));
  if (record && record->group_id != group_id) {
    return Foreign("protection group " + name, "it is in use by protection group " + record->group_id,
                   "Choose another pure_pg_name; each group has one of its own.");
  }
  if (record) return absl::OkStatus();
  ProtectionRecord claim{.name = name, .group_id = group_id, .source_array = source_array};
  return deps_.state.SaveProtection(claim);
}

absl::Status AsyncGroups::BeginRound(const Scope& scope, const std::string& name, const v1::Authority& authority,
                                     const std::string& source_array, int64_t rounds_without_us) {
  PROTECTOR_ASSIGN_OR_RETURN(std::optional<ProtectionRecord> record, deps_.state.Protection(name));
  PROTECTOR_RETURN_IF_ERROR(Claim(name, authority.group_id(), source_array));
  if (record && record->epoch >= authority.epoch()) return absl::OkStatus();
  // Never used by us: if it has snapshots, somebody replicated these very volumes before; they are good.
  if (!record) record = ProtectionRecord{.name = name, .group_id = authority.group_id(), .source_array = source_array};
  if (record->epoch > 0 && record->epoch + rounds_without_us < authority.epoch()) {
    PROTECTOR_ASSIGN_OR_RETURN(const std::vector<GroupSnapshot> snapshots, deps_.array.ListGroupSnapshots(scope, name));
    record->stale.clear();
    for (const GroupSnapshot& snapshot : snapshots) record->stale.push_back(snapshot.name);
  }
  record->epoch = authority.epoch();
  return deps_.state.SaveProtection(*record);
}

absl::Status AsyncGroups::MakeGroup(const Scope& scope, const std::string& name) {
  for (int attempt = 0;; ++attempt) {
    PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Group> groups, deps_.array.ListGroups(scope, {name}));
    if (!groups.empty()) {
      if (!groups.front().destroyed) return absl::OkStatus();
      return deps_.array.UpdateGroup(scope, name, {.destroyed = false});  // its name is reserved; recover it
    }
    const absl::Status made = deps_.array.CreateGroup(scope, name);
    if (made.ok()) return made;
    // Somebody else made it, or the answer was lost: look again, once.
    if (attempt > 0 || !(ExistsAlready(made) || IsOutcomeUnknown(made))) return made;
  }
}

// Volumes are known by serial and named anew in each attempt: Cinder renames a volume when it manages it, at any time.
absl::Status AsyncGroups::MatchMembers(const Scope& scope, const std::string& group, const std::string& group_id,
                                       const google::protobuf::RepeatedPtrField<v1::Disk>& wanted) {
  absl::Status last;
  for (int attempt = 0; attempt < kMatchAttempts; ++attempt) {
    PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Volume> volumes, inventory_.NeedLive(scope, wanted));
    PROTECTOR_ASSIGN_OR_RETURN(const std::vector<GroupVolume> members, deps_.array.ListGroupVolumes(scope, group));
    std::set<std::string> missing;
    for (const Volume& volume : volumes) missing.insert(volume.name);
    std::vector<std::string> extra;
    for (const GroupVolume& member : members) {
      if (missing.erase(member.volume) == 0) extra.push_back(member.volume);
    }
    if (missing.empty() && extra.empty()) return absl::OkStatus();
    PROTECTOR_RETURN_IF_ERROR(CheckExtra(scope, group, group_id, extra));
    // Take out first: a volume that stays too long costs bandwidth, one that is missing is seen by the caller's check.
    last = InPieces(extra, [&](const auto& piece) { return deps_.array.RemoveGroupVolumes(scope, group, piece); });
    if (last.ok()) {
      last = InPieces({missing.begin(), missing.end()},
                      [&](const auto& piece) { return deps_.array.AddGroupVolumes(scope, group, piece); });
    }
    // What is there already, gone already, renamed meanwhile, or may have happened: compare again.
    if (!last.ok() && !ExistsAlready(last) && !NotThere(last) && !IsOutcomeUnknown(last)) return last;
  }
  return last.ok()
             ? OutcomeUnknownError("members of protection group " + group, absl::UnavailableError("they keep changing"))
             : last;
}

absl::Status AsyncGroups::CheckExtra(const Scope& scope, const std::string& group, const std::string& group_id,
                                     const std::vector<std::string>& extra) {
  if (extra.empty()) return absl::OkStatus();
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Volume> volumes, deps_.array.ListVolumes(scope, {.names = extra}));
  for (const Volume& volume : volumes) {
    PROTECTOR_ASSIGN_OR_RETURN(const std::optional<DiskKey> disk, deps_.state.DiskOf(volume.serial));
    if (!disk || disk->group_id != group_id) {
      return Foreign("protection group " + group, "it holds volume " + volume.name + ", which is no member's",
                     "Take the volume out of the array's protection group, or choose another pure_pg_name.");
    }
  }
  return absl::OkStatus();
}

absl::Status AsyncGroups::AddTarget(const Scope& scope, const std::string& group, const std::string& target) {
  absl::Status added;
  for (int attempt = 0; attempt < 2; ++attempt) {
    PROTECTOR_ASSIGN_OR_RETURN(const std::vector<GroupTarget> targets, deps_.array.ListTargets(scope, group));
    if (std::any_of(targets.begin(), targets.end(), [&](const GroupTarget& t) { return t.target == target; })) {
      return absl::OkStatus();
    }
    added = deps_.array.AddTarget(scope, group, target);
    if (added.ok() || !(ExistsAlready(added) || IsOutcomeUnknown(added))) return added;
  }
  return added;
}

absl::Status AsyncGroups::Schedule(const Scope& scope, const std::string& group,
                                   const protector::group::v1::Policy& policy) {
  PROTECTOR_ASSIGN_OR_RETURN(const Group now, Find(scope, group));
  const absl::Duration frequency = absl::Seconds(std::max(policy.replication_interval(), kMinFrequencySeconds));
  const absl::Duration source = absl::Seconds(policy.source_retention() > 0 ? policy.source_retention() : 86400);
  const absl::Duration target = absl::Seconds(policy.target_retention() > 0 ? policy.target_retention() : 86400);
  GroupUpdate rules;
  if (now.frequency != frequency) rules.frequency = frequency;
  if (now.source_retention != source) rules.source_retention = source;
  if (now.target_retention != target) rules.target_retention = target;
  if (rules.frequency || rules.source_retention || rules.target_retention) {
    PROTECTOR_RETURN_IF_ERROR(deps_.array.UpdateGroup(scope, group, rules));
  }
  // Separately and last: from now on the array sends by itself.
  if (now.replication_enabled) return absl::OkStatus();
  return deps_.array.UpdateGroup(scope, group, {.replication_enabled = true});
}

absl::StatusOr<v1::Protection> AsyncGroups::Ensure(const Scope& scope, const v1::EnsureProtectionRequest& request) {
  const std::string& group_id = request.authority().group_id();
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Volume> volumes, inventory_.NeedLive(scope, request.disks()));
  std::vector<std::string> serials;
  for (const Volume& volume : volumes) serials.push_back(volume.serial);
  PROTECTOR_RETURN_IF_ERROR(inventory_.CheckOwner(group_id, serials));
  PROTECTOR_RETURN_IF_ERROR(inventory_.CheckPeer(scope, request.target_array()));
  // The claim and the disks are on record before anything of the group is on the array.
  PROTECTOR_RETURN_IF_ERROR(BeginRound(scope, request.name(), request.authority(), "", 0));
  // Whatever came from the other side came before this; what comes from now on belongs to a later round.
  const std::string face = FaceName(request.target_array(), request.name());
  PROTECTOR_ASSIGN_OR_RETURN(const std::optional<ProtectionRecord> other_way, deps_.state.Protection(face));
  if (other_way && other_way->group_id == group_id) {
    PROTECTOR_RETURN_IF_ERROR(BeginRound(scope, face, request.authority(), request.target_array(), 0));
  }
  PROTECTOR_RETURN_IF_ERROR(inventory_.RecordDisks(scope, group_id, request.disks()));
  PROTECTOR_RETURN_IF_ERROR(MakeGroup(scope, request.name()));
  PROTECTOR_RETURN_IF_ERROR(MatchMembers(scope, request.name(), group_id, request.disks()));
  PROTECTOR_RETURN_IF_ERROR(AddTarget(scope, request.name(), request.target_array()));
  PROTECTOR_RETURN_IF_ERROR(Schedule(scope, request.name(), request.policy()));
  return Get(scope, request.name(), "");
}

absl::Status AsyncGroups::AwaitFace(const Scope& scope, const std::string& face) {
  const absl::Time until = std::min(scope.deadline - absl::Milliseconds(500), deps_.clock.Now() + kFacePatience);
  while (true) {
    const absl::StatusOr<Group> found = Find(scope, face);
    if (found.ok()) return absl::OkStatus();
    if (DetailOf(found.status()).reason != "PROTECTION_NOT_FOUND") return found.status();
    if (scope.cancelled() || deps_.clock.Now() + kFaceInterval > until) return found.status();
    deps_.clock.SleepFor(kFaceInterval);
  }
}

absl::StatusOr<v1::Protection> AsyncGroups::Accept(const Scope& scope, const v1::AcceptProtectionRequest& request) {
  const std::string face = FaceName(request.source_array(), request.name());
  // If this side was the source in the epoch before, it has sorted out the past already, and the source may be sending.
  PROTECTOR_RETURN_IF_ERROR(BeginRound(scope, face, request.authority(), request.source_array(), 1));
  PROTECTOR_RETURN_IF_ERROR(AwaitFace(scope, face));
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<GroupTarget> targets, deps_.array.ListTargets(scope, face));
  const bool allowed =
      !targets.empty() && std::all_of(targets.begin(), targets.end(), [](const GroupTarget& t) { return t.allowed; });
  if (!allowed) {
    const absl::Status set = deps_.array.SetAllowed(scope, face, true);
    if (!set.ok() && !ExistsAlready(set)) return set;
  }
  return Get(scope, request.name(), request.source_array());
}

absl::StatusOr<v1::Protection> AsyncGroups::Get(const Scope& scope, const std::string& name,
                                                const std::string& source_array) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string here, inventory_.ArrayName(scope));
  const bool source_side = source_array.empty() || source_array == here;
  const std::string local = source_side ? name : FaceName(source_array, name);
  const std::string face = FaceName(source_side ? here : source_array, name);
  PROTECTOR_ASSIGN_OR_RETURN(const Group group, Find(scope, local));
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<GroupTarget> targets, deps_.array.ListTargets(scope, local));
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Transfer> transfers, deps_.array.ListTransfers(scope, local));
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<GroupSnapshot> snapshots, deps_.array.ListGroupSnapshots(scope, local));

  v1::Protection out;
  out.set_name(name);
  out.set_replication_type(protector::group::v1::ASYNC);
  out.set_lag_ms(-1);
  out.set_enabled(group.replication_enabled);
  out.set_allowed(!targets.empty() &&
                  std::all_of(targets.begin(), targets.end(), [](const GroupTarget& t) { return t.allowed; }));
  if (source_side) {
    PROTECTOR_ASSIGN_OR_RETURN(const std::vector<GroupVolume> members, deps_.array.ListGroupVolumes(scope, local));
    std::vector<std::string> names;
    for (const GroupVolume& member : members) names.push_back(member.volume);
    if (!names.empty()) {
      PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Volume> volumes,
                                 deps_.array.ListVolumes(scope, {.names = names, .destroyed = false}));
      for (const Volume& volume : volumes) *out.add_volumes() = ToProto(volume);
    }
  }
  PROTECTOR_ASSIGN_OR_RETURN(const std::optional<ProtectionRecord> record, deps_.state.Protection(local));
  absl::Time newest = absl::InfinitePast();
  for (const Transfer& transfer : transfers) {
    if (!transfer.Complete() || (record && IsStale(*record, transfer.name))) continue;
    for (const GroupSnapshot& snapshot : snapshots) {
      if (snapshot.name != transfer.name || snapshot.destroyed || snapshot.created < newest) continue;
      newest = snapshot.created;
      *out.mutable_newest() = ToPoint(face + "." + SuffixOf(transfer.name), transfer, snapshot.created);
    }
  }

  const std::string peer = source_side ? (targets.empty() ? "" : targets.front().target) : source_array;
  PROTECTOR_ASSIGN_OR_RETURN(const std::string link, inventory_.PeerStatus(scope, peer));
  const auto say = [&](v1::Protection::Health health, const std::string& detail) {
    out.set_health(health);
    out.set_detail(detail);
  };
  if (peer.empty()) {
    say(v1::Protection::BROKEN, "the group has no target array");
  } else if (link.empty()) {
    say(v1::Protection::BROKEN, "the array is not connected to " + peer);
  } else if (!out.allowed()) {
    say(v1::Protection::SUSPENDED, "the target does not allow the group");
  } else if (source_side && !group.replication_enabled) {
    say(v1::Protection::SUSPENDED, "the replication schedule is off");
  } else if (link != "connected") {
    say(v1::Protection::DEGRADED, "the connection to " + peer + " is \"" + link + "\"");
  } else if (!out.has_newest()) {
    say(v1::Protection::BASELINING, "the first transfer has not ended yet");
  } else {
    say(v1::Protection::HEALTHY, "");
  }
  return out;
}

absl::StatusOr<v1::Protection> AsyncGroups::Suspend(const Scope& scope, const v1::SuspendProtectionRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(Claim(request.name(), request.authority().group_id(), ""));
  PROTECTOR_ASSIGN_OR_RETURN(const Group group, Find(scope, request.name()));
  if (group.replication_enabled) {
    PROTECTOR_RETURN_IF_ERROR(deps_.array.UpdateGroup(scope, request.name(), {.replication_enabled = false}));
  }
  return Get(scope, request.name(), "");
}

absl::StatusOr<v1::Protection> AsyncGroups::Refuse(const Scope& scope, const v1::RefuseReplicationRequest& request) {
  const std::string face = FaceName(request.source_array(), request.name());
  PROTECTOR_RETURN_IF_ERROR(Find(scope, face).status());
  PROTECTOR_RETURN_IF_ERROR(Claim(face, request.authority().group_id(), request.source_array()));
  PROTECTOR_RETURN_IF_ERROR(deps_.array.SetAllowed(scope, face, false));
  return Get(scope, request.name(), request.source_array());
}

// Order: nothing is sent any more, then the group leaves its target, then it goes itself; the record last, so that a
// repeat after a crash knows that it was ours.
absl::Status AsyncGroups::Remove(const Scope& scope, const v1::RemoveProtectionRequest& request) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string here, inventory_.ArrayName(scope));
  const bool source_side = request.source_array().empty() || request.source_array() == here;
  const std::string local = source_side ? request.name() : FaceName(request.source_array(), request.name());
  PROTECTOR_RETURN_IF_ERROR(Claim(local, request.authority().group_id(), source_side ? "" : request.source_array()));
  const absl::StatusOr<Group> group = Find(scope, local);
  if (!group.ok() && DetailOf(group.status()).reason != "PROTECTION_NOT_FOUND") return group.status();
  if (group.ok() && source_side) {
    if (group->replication_enabled) {
      PROTECTOR_RETURN_IF_ERROR(deps_.array.UpdateGroup(scope, local, {.replication_enabled = false}));
    }
    PROTECTOR_ASSIGN_OR_RETURN(const std::vector<GroupTarget> targets, deps_.array.ListTargets(scope, local));
    for (const GroupTarget& target : targets) {
      const absl::Status removed = deps_.array.RemoveTarget(scope, local, target.target);
      if (!removed.ok() && !NotThere(removed)) return removed;
    }
    PROTECTOR_RETURN_IF_ERROR(deps_.array.UpdateGroup(scope, local, {.destroyed = true}));
  } else if (group.ok()) {
    const absl::Status refused = deps_.array.SetAllowed(scope, local, false);
    if (!refused.ok() && !NotThere(refused)) return refused;
    PROTECTOR_ASSIGN_OR_RETURN(const std::vector<GroupSnapshot> snapshots,
                               deps_.array.ListGroupSnapshots(scope, local));
    for (const GroupSnapshot& snapshot : snapshots) {
      if (snapshot.destroyed) continue;
      const absl::Status destroyed = deps_.array.DestroyGroupSnapshot(scope, snapshot.name);
      if (!destroyed.ok() && !NotThere(destroyed)) return destroyed;
    }
  }
  return deps_.state.ForgetProtection(local);
}

}  // namespace protector::storage
