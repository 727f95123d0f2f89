// Commits of the group's document. Each reads the head, looks at how it stands to the operation, changes a copy and
// commits it on top of that head. A repeat finds the change made (Standing) or makes it again to the same effect
// (documents.h), so an answer that was lost does no harm.
#include <fmt/format.h>

#include <map>

#include "libs/base/ids.h"
#include "services/orchestrator/domain/operations/basic_kind.h"
#include "services/orchestrator/domain/operations/documents.h"

namespace protector::orchestrator {
namespace {

struct CommitPlan {
  std::string site;    // whose metadata-sync commits
  std::string reason;  // for the history
  bool alone = false;  // go on without the peer
  bool adopt = false;  // the committed document becomes what the operation works on
  // Changes the head; or says what stands against it; or that nothing is to be done (kDone).
  std::function<Verdict(groups::GroupDocument& head, Standing standing)> change;
};

Verdict Go() {
  return Verdict::Waiting();
}

Verdict Contradicted(const groups::GroupDocument& head) {
  return Verdict::Contradiction(
      fmt::format("the group's document is not as this operation left it (epoch {}, primary site {}, held by \"{}\")",
                  head.epoch(), head.primary_site(), head.active_operation_id()),
      "protection group " + head.name(),
      "Look at the group's history. Resume when the document is right again; cancel or leave the operation otherwise.");
}

TaskKind::Work CommitWork(const OperationContext& context, const Run& run, const op::TaskRecord& task, const Call& call,
                          CommitPlan plan) {
  return [&context, call, plan = std::move(plan), operation = run.operation(), record = run.plan(),
          task_id = task.task().id()]() -> Verdict {
    const auto site = context.ports.For(plan.site);
    if (!site.ok()) return Verdict::OfQuestion(site.status());
    metadata::GetDocumentRequest ask;
    ask.set_group_id(operation.group_id());
    const auto head = site->metadata->GetDocument(call, ask);
    if (!head.ok()) return Verdict::OfQuestion(head.status());
    groups::GroupDocument document = head->document();
    Verdict verdict = plan.change(document, StandingOf(document, operation));
    int64_t version = head->version().version();
    if (verdict.kind == Verdict::Kind::kWaiting) {
      metadata::CommitRequest request;
      *request.mutable_document() = document;
      request.set_base_version(version);
      request.set_reason(plan.reason);
      request.set_allow_peer_unreachable(plan.alone);
      // The same change on the same version is the same request.
      request.set_request_id(DerivedUuid(fmt::format("{}|{}|{}", operation.id(), task_id, version)));
      const auto committed = site->metadata->Commit(call, request);
      if (!committed.ok()) return Verdict::OfChange(committed.status());
      document = committed->document();
      version = committed->version().version();
      verdict = Verdict::Done();
      if (!committed->peer_has_it()) verdict.outputs["alone"] = "1";
    }
    if (verdict.kind != Verdict::Kind::kDone) return verdict;
    verdict.outputs["version"] = std::to_string(version);
    if (plan.adopt) {
      verdict.plan = std::make_shared<op::PlanRecord>(*record);
      *verdict.plan->mutable_document() = document;
      verdict.plan->set_version(version);
    }
    return verdict;
  };
}

TaskKind::Work BeginOperation(const OperationContext& context, const Run& run, const op::TaskRecord& task,
                              const Call& call) {
  CommitPlan plan;
  plan.site = run.operation().source_site();
  plan.reason = fmt::format("{} {} began", run.operation().type() == op::FAILBACK ? "failback" : "failover", run.id());
  plan.adopt = true;
  plan.change = [operation = run.operation(), record = run.plan()](groups::GroupDocument& head, Standing standing) {
    if (standing == Standing::kHeld) return Verdict::Done();
    if (standing != Standing::kBefore) {
      return Verdict::Failed(
          Error(absl::StatusCode::kAborted, "GROUP_BUSY",
                fmt::format("operation {} is running on protection group {}", head.active_operation_id(), head.name()))
              .Object("operation " + head.active_operation_id())
              .Remedy("Wait for it, then start again."));
    }
    Begin(head, operation, record->document());
    return Go();
  };
  return CommitWork(context, run, task, call, std::move(plan));
}

TaskKind::Work ClaimEpoch(const OperationContext& context, const Run& run, const op::TaskRecord& task,
                          const Call& call) {
  CommitPlan plan;
  const bool unplanned = run.operation().type() == op::UNPLANNED_FAILOVER;
  plan.site = run.operation().target_site();
  plan.reason = fmt::format("{}: epoch {} claimed by {}", run.id(), run.operation().epoch() + 1, plan.site);
  plan.alone = unplanned;
  plan.adopt = true;
  plan.change = [operation = run.operation(), unplanned](groups::GroupDocument& head, Standing standing) {
    if (standing == Standing::kClaimed) return Verdict::Done();
    // An unplanned failover may take over a group that a planned one of the same epoch left held.
    const bool may = standing == Standing::kHeld ||
                     (unplanned && head.epoch() == operation.epoch() && head.primary_site() == operation.source_site());
    if (!may) return Contradicted(head);
    Claim(head, operation);
    return Go();
  };
  return CommitWork(context, run, task, call, std::move(plan));
}

// Changes that come after the claim, on the target; `free` ones also when the group is at rest already.
TaskKind::Work AfterClaim(const OperationContext& context, const Run& run, const op::TaskRecord& task, const Call& call,
                          const std::string& reason, const std::function<void(groups::GroupDocument&)>& change) {
  CommitPlan plan;
  plan.site = run.operation().target_site();
  plan.reason = fmt::format("{} {}", run.id(), reason);
  plan.alone = run.operation().type() == op::UNPLANNED_FAILOVER;
  plan.change = [change, deferred = task.deferred()](groups::GroupDocument& head, Standing standing) {
    if (standing == Standing::kSuperseded && deferred) return Verdict::Superseded("a later operation has taken over");
    if (standing != Standing::kClaimed && standing != Standing::kResult) return Contradicted(head);
    const std::string before = head.SerializeAsString();
    change(head);
    return head.SerializeAsString() == before ? Verdict::Done() : Go();
  };
  return CommitWork(context, run, task, call, std::move(plan));
}

// The changes need results of many tasks: they are applied here, to a skeleton, before the work leaves; the work then
// carries a copy of the run's records.
std::shared_ptr<const Run> CopyOf(const Run& run) {
  std::vector<op::TaskRecord> tasks;
  tasks.reserve(static_cast<size_t>(run.size()));
  for (int i = 0; i < run.size(); ++i) tasks.push_back(run.task(i));
  return std::make_shared<const Run>(run.header(), run.plan(), std::move(tasks));
}

// What the group's volumes are called on the target's array: Cinder renames what it takes over. The next unplanned move
// finds a volume's copy on the other side by that name, when this side can no more be asked.
absl::Status RefreshNames(const OperationContext& context, const Call& call, const std::string& target,
                          groups::GroupDocument& head) {
  storage::DescribeVolumesRequest ask;
  std::map<std::string, groups::VolumePlacement*> by_id;
  for (groups::Member& member : *head.mutable_members()) {
    groups::Placement* placement = FindPlacement(member, target);
    if (placement == nullptr) continue;
    for (groups::VolumePlacement& volume : *placement->mutable_volumes()) {
      if (volume.array_volume_id().empty()) continue;
      by_id[volume.array_volume_id()] = &volume;
      ask.add_array_volume_ids(volume.array_volume_id());
    }
  }
  if (by_id.empty()) return absl::OkStatus();
  PROTECTOR_ASSIGN_OR_RETURN(const SitePorts site, context.ports.For(target));
  PROTECTOR_ASSIGN_OR_RETURN(const storage::DescribeVolumesResponse found, site.array->DescribeVolumes(call, ask));
  for (const storage::ArrayVolume& volume : found.volumes()) {
    const auto known = by_id.find(volume.id());
    if (known != by_id.end()) known->second->set_array_volume(volume.name());
  }
  return absl::OkStatus();
}

TaskKind::Work CommitResult(const OperationContext& context, const Run& run, const op::TaskRecord& task,
                            const Call& call) {
  const bool deferred = run.operation().type() == op::UNPLANNED_FAILOVER;
  CommitPlan plan;
  plan.site = run.operation().target_site();
  plan.reason = run.id() + " members brought up";
  plan.alone = deferred;
  plan.change = [&context, call, copy = CopyOf(run), deferred, now = context.clock.Now()](groups::GroupDocument& head,
                                                                                          Standing standing) {
    if (standing != Standing::kClaimed && standing != Standing::kResult) return Contradicted(head);
    const std::string before = head.SerializeAsString();
    Result(head, *copy, deferred, now);
    // Best effort: the members are up, and an array that does not answer now must not keep that from the record. The
    // names are then those that Cinder gives by its defaults.
    RefreshNames(context, call, copy->operation().target_site(), head).IgnoreError();
    return head.SerializeAsString() == before ? Verdict::Done() : Go();
  };
  return CommitWork(context, run, task, call, std::move(plan));
}

TaskKind::Work AbortOperation(const OperationContext& context, const Run& run, const op::TaskRecord& task,
                              const Call& call) {
  CommitPlan plan;
  plan.site = run.operation().source_site();
  plan.reason = run.id() + " rolled back";
  plan.change = [operation = run.operation()](groups::GroupDocument& head, Standing standing) {
    if (standing != Standing::kHeld) return Verdict::Done();
    Abort(head, operation);
    return Go();
  };
  return CommitWork(context, run, task, call, std::move(plan));
}

}  // namespace

void AddMetadataKinds(const OperationContext& context, Kinds& kinds) {
  const auto traits = [](OnFailure on_failure, int tries) {
    return Traits{.api = Api::kMetadata, .on_failure = on_failure, .max_tries = tries, .leave_out = LeaveOut::kNever};
  };
  const auto add = [&](const std::string& name, const Traits& kind_traits, SimpleKind::Begin begin) {
    kinds.Add(name, std::make_unique<SimpleKind>(context, kind_traits, std::move(begin)));
  };
  add("begin-operation", traits(OnFailure::kOperation, 6), BeginOperation);
  add("claim-epoch", traits(OnFailure::kOperation, 12), ClaimEpoch);
  add("abort-operation", traits(OnFailure::kOperation, 12), AbortOperation);
  add("commit-result", traits(OnFailure::kOperation, 20), CommitResult);
  add("commit-error", traits(OnFailure::kTolerated, 4),
      [](const OperationContext& c, const Run& run, const op::TaskRecord& task, const Call& call) {
        const std::string why = run.header().cause().cause();
        return AfterClaim(
            c, run, task, call, "failed",
            [operation = run.operation(), why](groups::GroupDocument& head) { Fail(head, operation, why); });
      });
  add("commit-cleaned", traits(OnFailure::kCleanup, 8),
      [](const OperationContext& c, const Run& run, const op::TaskRecord& task, const Call& call) {
        return AfterClaim(c, run, task, call, "source cleaned",
                          [copy = CopyOf(run)](groups::GroupDocument& head) { Cleaned(head, *copy); });
      });
  add("commit-retired", traits(OnFailure::kCleanup, 8),
      [](const OperationContext& c, const Run& run, const op::TaskRecord& task, const Call& call) {
        return AfterClaim(c, run, task, call, "old volumes retired",
                          [copy = CopyOf(run)](groups::GroupDocument& head) { Retired(head, *copy); });
      });
}

}  // namespace protector::orchestrator
