// Fences, writable volumes on the target, and the end of old ones. Every call is idempotent by contract
// (proto/protector/storage/v1): names are derived from operation, group and disk, and a repeat adopts what is ours.
#include <fmt/format.h>

#include "services/orchestrator/domain/operations/basic_kind.h"

namespace protector::orchestrator {
namespace {

absl::StatusOr<std::string> SourceArray(const OperationContext& context, const Call& call, const Names& names) {
  PROTECTOR_ASSIGN_OR_RETURN(const sites::Site site, context.sites.GetSite(call, names.source));
  return site.array_name();
}

storage::FenceVolumesRequest FenceRequest(const Run& run, const Names& names, bool quiesce) {
  storage::FenceVolumesRequest request;
  *request.mutable_authority() = AuthorityOf(names);
  request.set_name(names.storage);
  request.set_replication_type(names.type);
  request.set_quiesce(quiesce);
  for (const groups::Member& member : run.document().members()) {
    const groups::Placement* placement = FindPlacement(member, names.source);
    if (placement == nullptr) continue;
    for (const groups::VolumePlacement& volume : placement->volumes()) {
      if (volume.serial().empty()) continue;
      storage::Disk& disk = *request.add_disks();
      disk.set_member_id(member.id());
      disk.set_index(volume.index());
      disk.set_serial(volume.serial());
    }
  }
  return request;
}

// No host of the source can write the group's volumes any more. A pod that is quiescing is asked again until it is
// demoted.
TaskKind::Work Fence(const OperationContext& context, const Run& run, const op::TaskRecord& task, const Call& base) {
  const bool lost = task.task().kind() == "fence-lost";
  Call call = base;
  if (lost) call.timeout = context.timeouts.lost_site;
  const Names names = NamesOf(run);
  return [&context, call, names, request = FenceRequest(run, names, task.task().kind() == "fence-source"),
          lost]() -> Verdict {
    const auto site = context.ports.For(names.source);
    if (!site.ok()) return Verdict::OfChange(site.status());
    const auto fenced = site->array->FenceVolumes(call, request);
    if (!fenced.ok()) {
      // Nobody waits for an array that does not answer; what it will say when it is back is the quarantine's matter.
      return lost ? Verdict::Failed(fenced.status()) : Verdict::OfChange(fenced.status());
    }
    if (fenced->fenced()) return Verdict::Done();
    return Verdict::Accepted();
  };
}

TaskKind::Work FenceAgain(const OperationContext& context, const Run& run, const op::TaskRecord& task,
                          const Call& call) {
  return [fence = Fence(context, run, task, call)]() -> Verdict {
    Verdict verdict = fence();
    if (verdict.kind == Verdict::Kind::kAccepted) return Verdict::Waiting(-1, "waiting until everything is sent");
    if (verdict.kind == Verdict::Kind::kUnknown) return Verdict::NotDone(verdict.status);
    return verdict;
  };
}

TaskKind::Work Suspend(const OperationContext& context, const Run& run, const op::TaskRecord&, const Call& call) {
  const Names names = NamesOf(run);
  storage::SuspendProtectionRequest request;
  *request.mutable_authority() = AuthorityOf(names);
  request.set_name(names.storage);
  request.set_replication_type(names.type);
  return [&context, call, names, request]() -> Verdict {
    // A pod's link has turned with the fence; it is the way back and stays.
    if (names.type == groups::SYNC) return Verdict::Done();
    const auto site = context.ports.For(names.source);
    if (!site.ok()) return Verdict::OfChange(site.status());
    const auto suspended = site->array->SuspendProtection(call, request);
    return suspended.ok() ? Verdict::Done() : Verdict::OfChange(suspended.status());
  };
}

TaskKind::Work Refuse(const OperationContext& context, const Run& run, const op::TaskRecord&, const Call& call) {
  const Names names = NamesOf(run);
  return [&context, call, names]() -> Verdict {
    const auto array = SourceArray(context, call, names);
    if (!array.ok()) return Verdict::OfQuestion(array.status());
    storage::RefuseReplicationRequest request;
    *request.mutable_authority() = AuthorityOf(names);
    request.set_name(names.storage);
    request.set_replication_type(names.type);
    request.set_source_array(*array);
    const auto site = context.ports.For(names.target);
    if (!site.ok()) return Verdict::OfChange(site.status());
    const auto refused = site->array->RefuseReplication(call, request);
    return refused.ok() ? Verdict::Done() : Verdict::OfChange(refused.status());
  };
}

TaskKind::Work Materialize(const OperationContext& context, const Run& run, const op::TaskRecord& task,
                           const Call& call) {
  const Names names = NamesOf(run);
  storage::MaterializeVolumesRequest request;
  *request.mutable_authority() = AuthorityOf(names);
  request.set_recovery_point(run.operation().recovery_point());
  request.set_name(names.storage);
  request.set_replication_type(names.type);
  const groups::Member& member = run.document().members(task.member());
  const groups::Placement* placement = FindPlacement(member, names.source);
  for (const groups::VolumeSpec& spec : member.server().volumes()) {
    storage::DiskToMaterialize& disk = *request.add_disks();
    disk.set_member_id(member.id());
    disk.set_index(spec.index());
    if (placement == nullptr) continue;
    for (const groups::VolumePlacement& volume : placement->volumes()) {
      if (volume.index() != spec.index()) continue;
      disk.set_source_volume(volume.array_volume());  // a pod's volume is found by it, without its prefix
      disk.set_source_serial(volume.serial());
    }
  }
  return [&context, call, names, request, object = task.task().object()]() mutable -> Verdict {
    if (request.disks().empty()) return Verdict::Done();
    const auto array = SourceArray(context, call, names);
    if (!array.ok()) return Verdict::OfQuestion(array.status());
    request.set_source_array(*array);
    const auto site = context.ports.For(names.target);
    if (!site.ok()) return Verdict::OfChange(site.status());
    const auto made = site->array->MaterializeVolumes(call, request);
    if (!made.ok()) return Verdict::OfChange(made.status());
    Verdict verdict = made->in_progress() ? Verdict::Accepted() : Verdict::Done();
    int up = 0;
    std::string error;
    bool may_pass = true;
    for (const storage::MaterializedDisk& disk : made->disks()) {
      if (!disk.error().empty()) {
        // Of several, the one that does not pass is told.
        if (may_pass) error = disk.error();
        may_pass = may_pass && disk.may_pass();
        continue;
      }
      if (disk.volume().id().empty() && disk.volume().serial().empty()) continue;
      ++up;
      verdict.outputs[fmt::format("name.{}", disk.index())] = disk.volume().name();
      verdict.outputs[fmt::format("id.{}", disk.index())] = disk.volume().id();
      verdict.outputs[fmt::format("serial.{}", disk.index())] = disk.volume().serial();
    }
    if (made->in_progress() || up == request.disks_size()) return verdict;
    if (!error.empty() && may_pass) {
      return Verdict::NotDone(Error(absl::StatusCode::kUnavailable, "DISK_NOT_UP", error)
                                  .Object(object)
                                  .Remedy("It is tried again; look at the array if it goes on.")
                                  .Site(names.target));
    }
    verdict.kind = Verdict::Kind::kFailed;
    verdict.status = Error(absl::StatusCode::kFailedPrecondition, "DISK_NOT_UP",
                           error.empty() ? "the recovery point does not have every volume" : error)
                         .Object(object)
                         .Remedy("Check the recovery point on the array, then retry the task.")
                         .Site(names.target);
    return verdict;
  };
}

TaskKind::Work MaterializeAgain(const OperationContext& context, const Run& run, const op::TaskRecord& task,
                                const Call& call) {
  return [again = Materialize(context, run, task, call)]() -> Verdict {
    Verdict verdict = again();
    if (verdict.kind == Verdict::Kind::kAccepted) return Verdict::Waiting(-1, "waiting until the pod is promoted");
    if (verdict.kind == Verdict::Kind::kUnknown) return Verdict::NotDone(verdict.status);
    return verdict;
  };
}

TaskKind::Work Retire(const OperationContext& context, const Run& run, const op::TaskRecord& task, const Call& call) {
  storage::RetireVolumesRequest request;
  *request.mutable_authority() = AuthorityOf(NamesOf(run));
  for (const std::string& serial : task.serials()) request.add_serials(serial);
  return [&context, call, request, site_name = task.task().site()]() -> Verdict {
    const auto site = context.ports.For(site_name);
    if (!site.ok()) return Verdict::OfChange(site.status());
    const auto retired = site->array->RetireVolumes(call, request);
    return retired.ok() ? Verdict::Done() : Verdict::OfChange(retired.status());
  };
}

}  // namespace

void AddStorageKinds(const OperationContext& context, Kinds& kinds) {
  Traits fence{.api = Api::kArray, .on_failure = OnFailure::kOperation, .look_group = "fencing"};
  fence.wait_limit = context.timeouts.transfer;
  Traits fence_lost{.api = Api::kArray, .on_failure = OnFailure::kTolerated, .look_group = "fencing"};
  fence_lost.wait_limit = context.timeouts.call;
  fence_lost.max_tries = 1;
  Traits fence_returned{.api = Api::kArray, .on_failure = OnFailure::kCleanup, .look_group = "fencing"};
  Traits materialize{.api = Api::kArray, .on_failure = OnFailure::kMember, .look_group = "promoting"};
  materialize.wait_limit = context.timeouts.import;
  const Traits tolerated{.api = Api::kArray, .on_failure = OnFailure::kTolerated, .max_tries = 4};
  const Traits cleanup{.api = Api::kArray, .on_failure = OnFailure::kCleanup};
  kinds.Add("fence-source", std::make_unique<WatchedKind>(context, fence, Fence, FenceAgain));
  kinds.Add("fence-lost", std::make_unique<WatchedKind>(context, fence_lost, Fence, FenceAgain));
  kinds.Add("fence-returned", std::make_unique<WatchedKind>(context, fence_returned, Fence, FenceAgain));
  kinds.Add("suspend-source", std::make_unique<SimpleKind>(context, tolerated, Suspend));
  kinds.Add("confirm-suspended", std::make_unique<SimpleKind>(context, cleanup, Suspend));
  kinds.Add("refuse-replication", std::make_unique<SimpleKind>(context, tolerated, Refuse));
  kinds.Add("materialize-volumes", std::make_unique<WatchedKind>(context, materialize, Materialize, MaterializeAgain));
  kinds.Add("retire-volumes", std::make_unique<SimpleKind>(context, cleanup, Retire));
}

}  // namespace protector::orchestrator
