#include "services/storage-pure/domain/async_points.h"

#include <fmt/format.h>

#include <algorithm>

#include "libs/base/error.h"
#include "services/storage-pure/domain/async_groups.h"
#include "services/storage-pure/domain/convert.h"
#include "services/storage-pure/domain/naming.h"

namespace protector::storage {
namespace {

constexpr absl::Duration kAllowedInterval = absl::Milliseconds(250);
constexpr absl::Duration kAllowedPatience = absl::Seconds(30);

std::optional<GroupSnapshot> FindSnapshot(const std::vector<GroupSnapshot>& snapshots, const std::string& name) {
  for (const GroupSnapshot& snapshot : snapshots) {
    if (snapshot.name == name) return snapshot;
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<v1::ListRecoveryPointsResponse> AsyncPoints::List(const Scope& scope,
                                                                 const v1::ListRecoveryPointsRequest& request) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string here, inventory_.ArrayName(scope));
  const bool source_side = request.source_array().empty() || request.source_array() == here;
  const std::string face = FaceName(source_side ? here : request.source_array(), request.name());
  const std::string local = source_side ? request.name() : face;
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Group> groups, deps_.array.ListGroups(scope, {local}));
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<GroupSnapshot> snapshots, deps_.array.ListGroupSnapshots(scope, local));
  // A face whose group is gone at its source may be gone as well while its snapshots are still good: they decide.
  if (groups.empty() && snapshots.empty()) return ProtectionNotFound(local);
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Transfer> transfers, deps_.array.ListTransfers(scope, local));

  PROTECTOR_ASSIGN_OR_RETURN(const std::optional<ProtectionRecord> record, deps_.state.Protection(local));
  std::vector<std::pair<absl::Time, v1::RecoveryPoint>> points;
  for (const Transfer& transfer : transfers) {
    if (record && IsStale(*record, transfer.name)) continue;
    const std::optional<GroupSnapshot> snapshot = FindSnapshot(snapshots, transfer.name);
    if (snapshot && snapshot->destroyed) continue;
    const absl::Time created = snapshot ? snapshot->created : transfer.started;
    points.emplace_back(created, ToPoint(face + "." + SuffixOf(transfer.name), transfer, created));
  }
  std::sort(points.begin(), points.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  v1::ListRecoveryPointsResponse response;
  bool named = false;
  for (auto& [created, point] : points) {
    if (point.complete() && !named) {  // of the newest usable one only: thousands of names for each would help nobody
      PROTECTOR_ASSIGN_OR_RETURN(const std::vector<std::string> volumes,
                                 deps_.array.ListVolumeSnapshots(scope, local + "." + SuffixOf(point.name())));
      for (const std::string& volume : volumes) point.add_volume_snapshots(volume);
      named = true;
    }
    *response.add_recovery_points() = std::move(point);
  }
  return response;
}

// The target allows a group at once, its source learns of it with the arrays' next exchange. A group snapshot that is
// made in between is sent to nobody, now or later.
absl::Status AsyncPoints::AwaitAllowed(const Scope& scope, const std::string& group) {
  const absl::Time until = std::min(scope.deadline - absl::Milliseconds(500), deps_.clock.Now() + kAllowedPatience);
  while (true) {
    PROTECTOR_ASSIGN_OR_RETURN(const std::vector<GroupTarget> targets, deps_.array.ListTargets(scope, group));
    const auto refused = std::find_if(targets.begin(), targets.end(), [](const GroupTarget& t) { return !t.allowed; });
    if (!targets.empty() && refused == targets.end()) return absl::OkStatus();
    if (targets.empty() || scope.cancelled() || deps_.clock.Now() + kAllowedInterval > until) {
      const std::string target = targets.empty() ? "" : refused->target;
      return Error(
                 absl::StatusCode::kFailedPrecondition, "REPLICATION_NOT_ALLOWED",
                 targets.empty()
                     ? fmt::format("protection group {} has no target array: a recovery point would go nowhere", group)
                     : fmt::format("array {} does not allow protection group {}: a recovery point would "
                                   "never arrive there",
                                   target, group))
          .Object("protection group " + group)
          .Remedy(targets.empty() ? "Let Protector set the replication up again (protector protection-group failback "
                                    "--reverse-replication), or add the target on the array."
                                  : fmt::format("Allow the protection group on array {}, then try again.", target));
    }
    deps_.clock.SleepFor(kAllowedInterval);
  }
}

absl::StatusOr<v1::RecoveryPoint> AsyncPoints::Create(const Scope& scope,
                                                      const v1::CreateRecoveryPointRequest& request) {
  const std::string& group = request.name();
  const std::string suffix = PointSuffix(request.authority().operation_id(), request.purpose());
  const std::string local = group + "." + suffix;
  PROTECTOR_ASSIGN_OR_RETURN(const std::string here, inventory_.ArrayName(scope));
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Group> groups, deps_.array.ListGroups(scope, {group}));
  if (groups.empty() || groups.front().destroyed) return ProtectionNotFound(group);
  PROTECTOR_RETURN_IF_ERROR(AwaitAllowed(scope, group));

  absl::Status made;
  for (int attempt = 0; attempt < 2; ++attempt) {
    made = deps_.array.CreateGroupSnapshot(scope, group, suffix);
    if (made.ok() || ExistsAlready(made) || !IsOutcomeUnknown(made)) break;
    // Sent, no answer: the name tells whether it was made.
    const absl::StatusOr<std::vector<GroupSnapshot>> probe = deps_.array.ListGroupSnapshots(scope, group);
    if (!probe.ok()) return OutcomeUnknownError("recovery point " + local, made);
    if (FindSnapshot(*probe, local)) break;
  }
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<GroupSnapshot> snapshots, deps_.array.ListGroupSnapshots(scope, group));
  const std::optional<GroupSnapshot> snapshot = FindSnapshot(snapshots, local);
  if (!snapshot)
    return made.ok() ? OutcomeUnknownError("recovery point " + local, absl::NotFoundError("not listed")) : made;
  if (snapshot->destroyed) {
    return Error(absl::StatusCode::kFailedPrecondition, "NO_RECOVERY_POINT", local + " was made and destroyed since")
        .Object("recovery point " + local)
        .Remedy("Recover the group snapshot on the array, or start a new operation.");
  }
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Transfer> transfers, deps_.array.ListTransfers(scope, local));
  return ToPoint(FaceName(here, group) + "." + suffix, transfers.empty() ? Transfer{} : transfers.front(),
                 snapshot->created);
}

absl::StatusOr<v1::RecoveryPoint> AsyncPoints::Get(const Scope& scope, const v1::GetRecoveryPointRequest& request) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string here, inventory_.ArrayName(scope));
  const bool source_side = request.source_array().empty() || request.source_array() == here;
  const std::string face = FaceName(source_side ? here : request.source_array(), request.name());
  const std::string suffix = request.recovery_point().find('.') == std::string::npos
                                 ? request.recovery_point()
                                 : SuffixOf(request.recovery_point());
  const std::string name = face + "." + suffix;
  if (request.recovery_point() != suffix && request.recovery_point() != name) {
    return Error(absl::StatusCode::kInvalidArgument, "NO_RECOVERY_POINT",
                 fmt::format("recovery point {} is not one of {}", request.recovery_point(), face))
        .Object("recovery point " + request.recovery_point())
        .Remedy("Use a name from the list of recovery points.");
  }
  const std::string group = source_side ? request.name() : face;
  const std::string local = group + "." + suffix;
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Transfer> transfers, deps_.array.ListTransfers(scope, local));
  v1::RecoveryPoint point;
  point.set_name(name);
  if (transfers.empty()) return point;  // the array has not heard of it yet: not complete, nothing sent
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<GroupSnapshot> snapshots, deps_.array.ListGroupSnapshots(scope, group));
  const std::optional<GroupSnapshot> snapshot = FindSnapshot(snapshots, local);
  point = ToPoint(name, transfers.front(), snapshot ? snapshot->created : transfers.front().started);
  if (!point.complete()) return point;
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<std::string> volumes, deps_.array.ListVolumeSnapshots(scope, local));
  for (const std::string& volume : volumes) point.add_volume_snapshots(volume);
  // Complete for the array, but a disk was not in the group when it was made: of no use.
  if (point.volume_snapshots_size() < request.expected_volumes()) point.set_complete(false);
  return point;
}

absl::Status AsyncPoints::NeedComplete(const Scope& scope, const std::string& point) {
  {
    const std::lock_guard lock(mutex_);
    if (complete_.contains(point)) return absl::OkStatus();
  }
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Transfer> transfers, deps_.array.ListTransfers(scope, point));
  if (transfers.empty() || !transfers.front().Complete()) {
    const std::string why = transfers.empty()
                                ? "it is not on this array"
                                : fmt::format("its transfer is at {:.0f} %", 100 * transfers.front().progress);
    return Error(absl::StatusCode::kFailedPrecondition, "NO_RECOVERY_POINT",
                 fmt::format("recovery point {} cannot be used: {}", point, why))
        .Object("recovery point " + point)
        .Remedy("Wait for the transfer, or use an earlier complete recovery point.");
  }
  const std::lock_guard lock(mutex_);
  if (complete_.size() > 1000) complete_.clear();
  complete_.insert(point);
  return absl::OkStatus();
}

}  // namespace protector::storage
