// Protection groups, their snapshots and transfers. Groups are addressed by name: their ids came only with REST 2.26.
#include <algorithm>

#include "libs/base/error.h"
#include "services/storage-pure/adapters/flasharray/client.h"
#include "services/storage-pure/adapters/flasharray/decode.h"
#include "services/storage-pure/adapters/flasharray/errors.h"

namespace protector::storage::flasharray {
namespace {

const failpoint::Site kCreateGroup("array-create-group", &LostCall);
const failpoint::Site kUpdateGroup("array-update-group", &LostCall);
const failpoint::Site kDestroyGroup("array-destroy-group", &LostCall);
const failpoint::Site kAddGroupVolumes("array-add-group-volumes", &LostCall);
const failpoint::Site kRemoveGroupVolumes("array-remove-group-volumes", &LostCall);
const failpoint::Site kAddTarget("array-add-target", &LostCall);
const failpoint::Site kRemoveTarget("array-remove-target", &LostCall);
const failpoint::Site kAllow("array-allow-replication", &LostCall);
const failpoint::Site kDisallow("array-disallow-replication", &LostCall);
const failpoint::Site kCreateGroupSnapshot("array-create-group-snapshot", &LostCall);
const failpoint::Site kDestroyGroupSnapshot("array-destroy-group-snapshot", &LostCall);

json::Value Retention(absl::Duration duration) {
  // Everything for this long, and nothing longer: what stays is exactly what the policy says.
  return json::Value::Object({{"all_for_sec", absl::ToInt64Seconds(duration)}, {"days", 0}, {"per_day", 0}});
}

}  // namespace

absl::StatusOr<std::vector<Group>> Client::ListGroups(const Scope& scope, const std::vector<std::string>& names) {
  absl::StatusOr<std::vector<json::Value>> items = names.empty()
                                                       ? session_.List(scope, "/protection-groups", {})
                                                       : ListMatching(scope, "/protection-groups", {}, "name", names);
  if (!items.ok()) return items.status();
  std::vector<Group> groups;
  std::transform(items->begin(), items->end(), std::back_inserter(groups), DecodeGroup);
  return groups;
}

absl::Status Client::CreateGroup(const Scope& scope, const std::string& name) {
  return Change(scope, kCreateGroup,
                {.method = "POST",
                 .path = "/protection-groups",
                 .query = Query().Add("names", name),
                 .idempotency = http::Idempotency::kNotIdempotent,
                 .object = name});
}

absl::Status Client::UpdateGroup(const Scope& scope, const std::string& name, const GroupUpdate& update) {
  json::Value schedule;
  if (update.replication_enabled) schedule.Set("enabled", *update.replication_enabled);
  if (update.frequency) schedule.Set("frequency", absl::ToInt64Milliseconds(*update.frequency));
  json::Value body = json::Value::Object();
  if (!schedule.IsNull()) body.Set("replication_schedule", schedule);
  if (update.source_retention) body.Set("source_retention", Retention(*update.source_retention));
  if (update.target_retention) body.Set("target_retention", Retention(*update.target_retention));
  if (update.destroyed) body.Set("destroyed", *update.destroyed);
  return Change(scope, update.destroyed ? kDestroyGroup : kUpdateGroup,
                {.method = "PATCH",
                 .path = "/protection-groups",
                 .query = Query().Add("names", name),
                 .body = std::move(body),
                 .object = name});
}

absl::StatusOr<std::vector<GroupVolume>> Client::ListGroupVolumes(const Scope& scope, const std::string& group) {
  Query query;
  query.AddIf(!group.empty(), "group_names", group);
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<json::Value> items,
                             ListIfThere(scope, "/protection-groups/volumes", query, kOldest));
  std::vector<GroupVolume> members;
  std::transform(items.begin(), items.end(), std::back_inserter(members), DecodeGroupVolume);
  return members;
}

absl::Status Client::AddGroupVolumes(const Scope& scope, const std::string& group,
                                     const std::vector<std::string>& volumes) {
  return Change(scope, kAddGroupVolumes,
                {.method = "POST",
                 .path = "/protection-groups/volumes",
                 .query = Query().Add("group_names", group).AddList("member_names", volumes),
                 .idempotency = http::Idempotency::kNotIdempotent,
                 .object = group});
}

absl::Status Client::RemoveGroupVolumes(const Scope& scope, const std::string& group,
                                        const std::vector<std::string>& volumes) {
  return Change(scope, kRemoveGroupVolumes,
                {.method = "DELETE",
                 .path = "/protection-groups/volumes",
                 .query = Query().Add("group_names", group).AddList("member_names", volumes),
                 .idempotency = http::Idempotency::kNotIdempotent,
                 .object = group});
}

absl::StatusOr<std::vector<GroupTarget>> Client::ListTargets(const Scope& scope, const std::string& group) {
  PROTECTOR_ASSIGN_OR_RETURN(
      const std::vector<json::Value> items,
      ListIfThere(scope, "/protection-groups/targets", Query().Add("group_names", group), kOldest));
  std::vector<GroupTarget> targets;
  std::transform(items.begin(), items.end(), std::back_inserter(targets), DecodeGroupTarget);
  return targets;
}

absl::Status Client::AddTarget(const Scope& scope, const std::string& group, const std::string& target) {
  return Change(scope, kAddTarget,
                {.method = "POST",
                 .path = "/protection-groups/targets",
                 .query = Query().Add("group_names", group).Add("member_names", target),
                 .idempotency = http::Idempotency::kNotIdempotent,
                 .object = group});
}

absl::Status Client::RemoveTarget(const Scope& scope, const std::string& group, const std::string& target) {
  return Change(scope, kRemoveTarget,
                {.method = "DELETE",
                 .path = "/protection-groups/targets",
                 .query = Query().Add("group_names", group).Add("member_names", target),
                 .idempotency = http::Idempotency::kNotIdempotent,
                 .object = group});
}

absl::Status Client::SetAllowed(const Scope& scope, const std::string& face, bool allowed) {
  return Change(scope, allowed ? kAllow : kDisallow,
                {.method = "PATCH",
                 .path = "/protection-groups/targets",
                 .query = Query().Add("group_names", face),
                 .body = json::Value::Object({{"allowed", allowed}}),
                 .object = face});
}

absl::StatusOr<std::vector<GroupSnapshot>> Client::ListGroupSnapshots(const Scope& scope, const std::string& group) {
  const Query query = Query().Add("filter", Equals("name", group + ".*"));
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<json::Value> items,
                             session_.List(scope, "/protection-group-snapshots", query));
  std::vector<GroupSnapshot> snapshots;
  std::transform(items.begin(), items.end(), std::back_inserter(snapshots), DecodeGroupSnapshot);
  return snapshots;
}

absl::StatusOr<std::vector<Transfer>> Client::ListTransfers(const Scope& scope, const std::string& name) {
  // A snapshot that was just made may have no record yet; the array then says that it does not exist.
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<json::Value> items,
                             ListIfThere(scope, "/protection-group-snapshots/transfer",
                                         Query().Add("names", name).Add("destroyed", "false"), kTransferTokens));
  std::vector<Transfer> transfers;
  std::transform(items.begin(), items.end(), std::back_inserter(transfers), DecodeTransfer);
  return transfers;
}

absl::Status Client::CreateGroupSnapshot(const Scope& scope, const std::string& group, const std::string& suffix) {
  return Change(
      scope, kCreateGroupSnapshot,
      {.method = "POST",
       .path = "/protection-group-snapshots",
       .query = Query().Add("source_names", group).Add("replicate_now", "true").Add("apply_retention", "true"),
       .body = json::Value::Object({{"suffix", suffix}}),
       .idempotency = http::Idempotency::kNotIdempotent,
       .object = group + "." + suffix});
}

absl::Status Client::DestroyGroupSnapshot(const Scope& scope, const std::string& name) {
  return Change(scope, kDestroyGroupSnapshot,
                {.method = "PATCH",
                 .path = "/protection-group-snapshots",
                 .query = Query().Add("names", name),
                 .body = json::Value::Object({{"destroyed", true}}),
                 .object = name});
}

}  // namespace protector::storage::flasharray
