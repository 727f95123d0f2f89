// Replication: is it well, which recovery point, fresh recovery points, and building it (before a failback, and in
// reverse).
#include <fmt/format.h>

#include <algorithm>

#include "services/orchestrator/domain/operations/basic_kind.h"
#include "services/orchestrator/domain/times.h"

namespace protector::orchestrator {
namespace {

int VolumesOf(const groups::GroupDocument& document) {
  int volumes = 0;
  for (const groups::Member& member : document.members()) volumes += member.server().volumes_size();
  return volumes;
}

std::string Millis(const google::protobuf::Timestamp& time) {
  return std::to_string(absl::ToUnixMillis(FromProto(time)));
}

absl::StatusOr<std::string> ArrayName(const OperationContext& context, const Call& call, const std::string& site) {
  PROTECTOR_ASSIGN_OR_RETURN(const sites::Site found, context.sites.GetSite(call, site));
  if (found.array_name().empty()) {
    return Error(absl::StatusCode::kFailedPrecondition, "SITE_INCOMPLETE",
                 fmt::format("site {} does not say which array it uses", site))
        .Object("site " + site)
        .Remedy(fmt::format("Set it with: protector site set --array-name NAME {}", site));
  }
  return found.array_name();
}

absl::Status NoRecoveryPoint(const Names& names, const std::string& array, const std::string& why) {
  return Error(absl::StatusCode::kFailedPrecondition, "NO_RECOVERY_POINT",
               fmt::format("no usable replicated snapshot of {}:{} on the array of {}{}", array, names.storage,
                           names.target, why))
      .Object("protection group " + names.storage)
      .Remedy(
          "Check that pure_pg_name of the policy is the name on the array, and that its replication has completed "
          "at least one cycle; restore replication before trying again.")
      .Site(names.target);
}

std::vector<std::string> RpoWarning(absl::Duration age, int minutes) {
  if (minutes <= 0 || age <= absl::Minutes(minutes)) return {};
  return {fmt::format("the newest complete recovery point is {} old; the objective is {} minutes",
                      absl::FormatDuration(absl::Trunc(age, absl::Seconds(1))), minutes)};
}

// Planned: the group or pod is healthy. An async group whose first transfer runs is good enough: the final snapshot is
// sent whole whatever came before it.
TaskKind::Work CheckReplication(const OperationContext& context, const Run& run, const op::TaskRecord&,
                                const Call& call) {
  return [&context, call, names = NamesOf(run), force = run.operation().force(),
          minutes = run.document().policy().rpo_minutes()]() -> Verdict {
    const auto source = context.ports.For(names.source);
    if (!source.ok()) return Verdict::OfQuestion(source.status());
    storage::GetProtectionRequest request;
    request.set_name(names.storage);
    request.set_replication_type(names.type);
    const auto protection = source->array->GetProtection(call, request);
    if (!protection.ok()) return Verdict::OfQuestion(protection.status());
    Verdict verdict = Verdict::Done();
    if (protection->newest().has_data_time()) {
      verdict.warnings = RpoWarning(context.clock.Now() - FromProto(protection->newest().data_time()), minutes);
    }
    using Health = storage::Protection;
    if (protection->health() == Health::HEALTHY) return verdict;
    if (protection->health() == Health::BASELINING && names.type == groups::ASYNC) {
      verdict.warnings.push_back("the first transfer of the group has not ended; the move waits for it");
      return verdict;
    }
    if (force && protection->health() != Health::BROKEN) {
      verdict.warnings.push_back(
          fmt::format("replication of {} is not healthy: {}", names.storage, protection->detail()));
      return verdict;
    }
    const bool pod = names.type == groups::SYNC;
    // A connection that was cut for a moment comes back by itself: nothing has been touched yet, so it is worth a wait.
    const auto code = protection->health() == Health::DEGRADED ? absl::StatusCode::kUnavailable
                                                               : absl::StatusCode::kFailedPrecondition;
    return Verdict::OfQuestion(
        Error(code, pod ? "POD_DEGRADED" : "REPLICATION_NOT_HEALTHY",
              fmt::format("{} {} is not healthy: {}", pod ? "pod" : "protection group", names.storage,
                          protection->detail()))
            .Object(fmt::format("{} {}", pod ? "pod" : "protection group", names.storage))
            .Remedy("Resolve what the array says, then try again; the readiness check shows the present state.")
            .Site(names.source));
  };
}

// The newest complete recovery point on the target, or the one that was asked for.
TaskKind::Work PickRecoveryPoint(const OperationContext& context, const Run& run, const op::TaskRecord&,
                                 const Call& call) {
  return [&context, call, names = NamesOf(run), wanted = run.header().wanted_recovery_point(),
          volumes = VolumesOf(run.document()), minutes = run.document().policy().rpo_minutes()]() -> Verdict {
    const auto array = ArrayName(context, call, names.source);
    if (!array.ok()) return Verdict::OfQuestion(array.status());
    const auto target = context.ports.For(names.target);
    if (!target.ok()) return Verdict::OfQuestion(target.status());
    storage::ListRecoveryPointsRequest request;
    request.set_name(names.storage);
    request.set_replication_type(names.type);
    request.set_source_array(*array);
    const auto points = target->array->ListRecoveryPoints(call, request);
    if (!points.ok()) {
      if (points.status().code() == absl::StatusCode::kNotFound) {
        return Verdict::Failed(NoRecoveryPoint(names, *array, ": " + MessageOf(points.status())));
      }
      return Verdict::OfQuestion(points.status());
    }
    int skipped = 0;
    for (const storage::RecoveryPoint& point : points->recovery_points()) {
      if (!wanted.empty() && point.name() != wanted) continue;
      const bool whole = point.volume_snapshots().empty() || point.volume_snapshots_size() >= volumes;
      if (!point.complete() || !whole) {
        ++skipped;
        continue;
      }
      const absl::Time data_time = FromProto(point.data_time());
      Verdict verdict =
          Verdict::Done({{"recovery_point", point.name()}, {"recovery_point_time", Millis(point.data_time())}});
      const absl::Duration age = absl::Trunc(context.clock.Now() - data_time, absl::Seconds(1));
      verdict.detail = fmt::format("{}, {} old", point.name(), absl::FormatDuration(age));
      if (skipped > 0) verdict.warnings.push_back(fmt::format("{} newer recovery points are not complete", skipped));
      for (const std::string& warning : RpoWarning(age, minutes)) verdict.warnings.push_back(warning);
      return verdict;
    }
    return Verdict::Failed(
        NoRecoveryPoint(names, *array, skipped > 0 ? fmt::format(" ({} are there, none complete)", skipped) : ""));
  };
}

// A recovery point of all volumes now, and its arrival on the target. The name is derived from operation and purpose: a
// repeat adopts it.
TaskKind::Work CreatePoint(const OperationContext& context, const Run& run, const op::TaskRecord& task,
                           const Call& call) {
  const std::string purpose = task.task().kind() == "presync" ? "presync" : "final";
  return [&context, call, purpose, names = NamesOf(run)]() -> Verdict {
    const auto source = context.ports.For(names.source);
    if (!source.ok()) return Verdict::OfChange(source.status());
    storage::CreateRecoveryPointRequest request;
    *request.mutable_authority() = AuthorityOf(names);
    request.set_name(names.storage);
    request.set_replication_type(names.type);
    request.set_purpose(purpose);
    const auto point = source->array->CreateRecoveryPoint(call, request);
    if (!point.ok()) return Verdict::OfChange(point.status());
    return Verdict::Accepted({{"recovery_point", point->name()}, {"recovery_point_time", Millis(point->data_time())}});
  };
}

TaskKind::Work LookAtPoint(const OperationContext& context, const Run& run, const op::TaskRecord& task,
                           const Call& call) {
  const auto output = task.outputs().find("recovery_point");
  const std::string name = output == task.outputs().end() ? "" : output->second;
  return [&context, call, name, names = NamesOf(run), volumes = VolumesOf(run.document())]() -> Verdict {
    const auto array = ArrayName(context, call, names.source);
    if (!array.ok()) return Verdict::OfQuestion(array.status());
    const auto target = context.ports.For(names.target);
    if (!target.ok()) return Verdict::OfQuestion(target.status());
    storage::GetRecoveryPointRequest request;
    request.set_recovery_point(name);
    request.set_name(names.storage);
    request.set_replication_type(names.type);
    request.set_source_array(*array);
    request.set_expected_volumes(volumes);
    const auto point = target->array->GetRecoveryPoint(call, request);
    // Its first record on the target comes some time after the snapshot.
    if (!point.ok() && point.status().code() == absl::StatusCode::kNotFound) return Verdict::Waiting(0, "not begun");
    if (!point.ok() && DetailOf(point.status()).reason == "NO_RECOVERY_POINT") return Verdict::Waiting(0, "not begun");
    if (!point.ok()) return Verdict::OfQuestion(point.status());
    if (!point->complete()) {
      return Verdict::Waiting(std::clamp(point->progress(), 0.0, 1.0),
                              fmt::format("{:.0f}% sent", 100 * point->progress()));
    }
    std::map<std::string, std::string> outputs = {{"recovery_point", point->name()}};
    if (point->has_data_time()) outputs["recovery_point_time"] = Millis(point->data_time());
    return Verdict::Done(std::move(outputs));
  };
}

std::vector<storage::Disk> DisksOn(const groups::GroupDocument& document, const std::string& site) {
  std::vector<storage::Disk> disks;
  for (const groups::Member& member : document.members()) {
    const groups::Placement* placement = FindPlacement(member, site);
    if (placement == nullptr) continue;
    for (const groups::VolumePlacement& volume : placement->volumes()) {
      if (volume.serial().empty()) continue;
      storage::Disk& disk = disks.emplace_back();
      disk.set_member_id(member.id());
      disk.set_index(volume.index());
      disk.set_serial(volume.serial());
    }
  }
  return disks;
}

// The disks that this operation brought up on its target.
std::vector<storage::Disk> NewDisks(const Run& run) {
  std::vector<storage::Disk> disks;
  for (int i = 0; i < run.size(); ++i) {
    const op::TaskRecord& task = run.task(i);
    if (task.task().kind() != "materialize-volumes") continue;
    for (const groups::VolumeSpec& spec : run.document().members(task.member()).server().volumes()) {
      const auto serial = task.outputs().find(fmt::format("serial.{}", spec.index()));
      if (serial == task.outputs().end() || serial->second.empty()) continue;
      storage::Disk& disk = disks.emplace_back();
      disk.set_member_id(task.member_id());
      disk.set_index(spec.index());
      disk.set_serial(serial->second);
    }
  }
  return disks;
}

// Replication from one site to the other, its source side. `from` serves the group.
TaskKind::Work Ensure(const OperationContext& context, const Run& run, const Call& call, const std::string& from,
                      const std::string& to, const std::vector<storage::Disk>& disks) {
  storage::EnsureProtectionRequest request;
  const Names names = NamesOf(run);
  *request.mutable_authority() = AuthorityOf(names);
  request.set_name(StorageName(run.document(), from));
  request.set_replication_type(names.type);
  *request.mutable_policy() = run.document().policy();
  for (const storage::Disk& disk : disks) *request.add_disks() = disk;
  if (StorageName(run.document(), to) != request.name()) request.set_target_name(StorageName(run.document(), to));
  return [&context, call, request, from, to]() mutable -> Verdict {
    const auto array = ArrayName(context, call, to);
    if (!array.ok()) return Verdict::OfQuestion(array.status());
    request.set_target_array(*array);
    const auto site = context.ports.For(from);
    if (!site.ok()) return Verdict::OfChange(site.status());
    const auto protection = site->array->EnsureProtection(call, request);
    return protection.ok() ? Verdict::Done() : Verdict::OfChange(protection.status());
  };
}

// Its target side.
TaskKind::Work Accept(const OperationContext& context, const Run& run, const Call& call, const std::string& from,
                      const std::string& to) {
  storage::AcceptProtectionRequest request;
  const Names names = NamesOf(run);
  *request.mutable_authority() = AuthorityOf(names);
  request.set_name(StorageName(run.document(), from));
  request.set_replication_type(names.type);
  if (StorageName(run.document(), to) != request.name()) request.set_target_name(StorageName(run.document(), to));
  return [&context, call, request, from, to]() mutable -> Verdict {
    const auto array = ArrayName(context, call, from);
    if (!array.ok()) return Verdict::OfQuestion(array.status());
    request.set_source_array(*array);
    const auto site = context.ports.For(to);
    if (!site.ok()) return Verdict::OfChange(site.status());
    const auto protection = site->array->AcceptProtection(call, request);
    return protection.ok() ? Verdict::Done() : Verdict::OfChange(protection.status());
  };
}

// The first transfer of the reverse direction. Old data is kept until it has ended.
TaskKind::Work LookAtBaseline(const OperationContext& context, const Run& run, const op::TaskRecord&,
                              const Call& call) {
  const std::string name = StorageName(run.document(), run.operation().target_site());
  const bool left_out = run.StateOf(TaskId("reprotect", "ensure-reverse")) == op::SKIPPED;
  return [&context, call, name, left_out, names = NamesOf(run)]() -> Verdict {
    if (left_out) {
      return Verdict::Failed(Error(absl::StatusCode::kFailedPrecondition, "NOT_PROTECTED",
                                   "replication back was left out, so old volumes are kept on " + names.source)
                                 .Object("protection group " + name)
                                 .Remedy("Retire them on the array when they are certainly not needed."));
    }
    const auto target = context.ports.For(names.target);
    if (!target.ok()) return Verdict::OfQuestion(target.status());
    storage::GetProtectionRequest request;
    request.set_name(name);
    request.set_replication_type(names.type);
    const auto protection = target->array->GetProtection(call, request);
    if (!protection.ok()) return Verdict::OfQuestion(protection.status());
    if (protection->health() == storage::Protection::HEALTHY) return Verdict::Done();
    return Verdict::Waiting(
        -1, fmt::format("waiting for the first transfer to {}: {}", names.source, protection->detail()));
  };
}

}  // namespace

void AddReplicationKinds(const OperationContext& context, Kinds& kinds) {
  const Traits question{.api = Api::kArray, .changes = false, .on_failure = OnFailure::kOperation, .max_tries = 5};
  const Traits change{.api = Api::kArray, .on_failure = OnFailure::kOperation};
  const Traits cleanup{.api = Api::kArray, .on_failure = OnFailure::kCleanup};
  Traits point{.api = Api::kArray, .on_failure = OnFailure::kOperation, .look_group = "recovery-point"};
  point.wait_limit = context.timeouts.transfer;
  Traits baseline{.api = Api::kArray, .changes = false, .on_failure = OnFailure::kCleanup, .look_group = "baseline"};
  baseline.look_min = absl::Milliseconds(500);
  baseline.look_max = absl::Seconds(3);

  kinds.Add("check-replication", std::make_unique<SimpleKind>(context, question, CheckReplication));
  kinds.Add("pick-recovery-point", std::make_unique<SimpleKind>(context, question, PickRecoveryPoint));
  kinds.Add("presync", std::make_unique<WatchedKind>(context, point, CreatePoint, LookAtPoint));
  kinds.Add("final-snapshot", std::make_unique<WatchedKind>(context, point, CreatePoint, LookAtPoint));
  kinds.Add("ensure-protection", std::make_unique<SimpleKind>(
                                     context, change, [](const auto& c, const Run& run, const auto&, const Call& call) {
                                       const op::Operation& operation = run.operation();
                                       return Ensure(c, run, call, operation.source_site(), operation.target_site(),
                                                     DisksOn(run.document(), operation.source_site()));
                                     }));
  kinds.Add(
      "accept-protection",
      std::make_unique<SimpleKind>(context, change, [](const auto& c, const Run& run, const auto&, const Call& call) {
        return Accept(c, run, call, run.operation().source_site(), run.operation().target_site());
      }));
  kinds.Add(
      "ensure-reverse",
      std::make_unique<SimpleKind>(context, cleanup, [](const auto& c, const Run& run, const auto&, const Call& call) {
        const op::Operation& operation = run.operation();
        return Ensure(c, run, call, operation.target_site(), operation.source_site(), NewDisks(run));
      }));
  kinds.Add(
      "accept-reverse",
      std::make_unique<SimpleKind>(context, cleanup, [](const auto& c, const Run& run, const auto&, const Call& call) {
        return Accept(c, run, call, run.operation().target_site(), run.operation().source_site());
      }));
  kinds.Add("wait-baseline",
            std::make_unique<WatchedKind>(
                context, baseline,
                [](const auto&, const auto&, const auto&, const auto&) { return [] { return Verdict::Accepted(); }; },
                LookAtBaseline));
}

}  // namespace protector::orchestrator
