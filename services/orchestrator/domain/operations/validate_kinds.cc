// validate_sites: both sites, fresh captures, and the target's cloud as it is now.
#include <fmt/format.h>

#include <map>

#include "services/orchestrator/domain/operations/basic_kind.h"
#include "services/orchestrator/domain/sync_status.h"

namespace protector::orchestrator {
namespace {

constexpr char kUnreachable[] = "Cannot modify protection group: remote site unreachable";

absl::Status PeerUnreachable(const std::string& site, const absl::Status& cause) {
  return Error(absl::StatusCode::kUnavailable, "REMOTE_SITE_UNREACHABLE",
               fmt::format("{} ({}: {})", kUnreachable, site, MessageOf(cause)))
      .Object("site " + site)
      .Remedy(
          fmt::format("Restore {} and check it with: protector site validate {}. If it is lost, use --type unplanned.",
                      site, site));
}

std::vector<std::string> SkewWarning(const OperationContext& context, const std::string& site, int64_t clock_ms) {
  const absl::Duration skew = absl::AbsDuration(context.clock.Now() - absl::FromUnixMillis(clock_ms));
  if (clock_ms == 0 || skew <= context.timeouts.clock_skew) return {};
  return {fmt::format("the clocks of the sites differ by {} ({})", absl::FormatDuration(skew), site)};
}

// Both sites up, same version and epoch, nothing else running on the group.
TaskKind::Work CheckSites(const OperationContext& context, const Run& run, const op::TaskRecord&, const Call& call) {
  return [&context, call, names = NamesOf(run)]() -> Verdict {
    const auto source = context.ports.For(names.source);
    if (!source.ok()) return Verdict::OfQuestion(source.status());
    const auto target = context.ports.For(names.target);
    if (!target.ok()) return Verdict::OfQuestion(target.status());
    peer::GetStandingRequest ask;
    ask.set_group_id(names.group_id);
    const auto standing = source->cloud->GetStanding(call, ask);
    if (!standing.ok()) return Verdict::OfQuestion(PeerUnreachable(names.source, standing.status()));
    const auto sync = SettledSyncStatus(*target->metadata, call, names.group_id, context.clock);
    if (!sync.ok()) return Verdict::OfQuestion(sync.status());
    if (sync->state() != metadata::IN_SYNC) {
      return Verdict::Failed(
          Error(absl::StatusCode::kFailedPrecondition, "OUT_OF_SYNC",
                fmt::format("the sites do not hold the same version of the group ({}, {} has {}, {} has {})",
                            metadata::SyncState_Name(sync->state()), names.target, sync->local().version(),
                            names.source, sync->remote().version()))
              .Object("protection group " + names.group_id)
              .Remedy("Bring them together with: protector protection-group sync-force, on the primary site."));
    }
    Verdict verdict = Verdict::Done();
    verdict.warnings = SkewWarning(context, names.source, standing->clock_ms());
    return verdict;
  };
}

// Unplanned: what is left of the source. Never fails.
TaskKind::Work CheckSource(const OperationContext& context, const Run& run, const op::TaskRecord&, const Call& base) {
  Call call = base;
  call.timeout = context.timeouts.lost_site;
  return [&context, call, names = NamesOf(run)]() -> Verdict {
    peer::GetStandingRequest ask;
    ask.set_group_id(names.group_id);
    const auto source = context.ports.For(names.source);
    const bool answers = source.ok() && source->cloud->GetStanding(call, ask).ok();
    return Verdict::Done({{"source_answers", answers ? "1" : "0"}});
  };
}

// The members as they are now; what the plan's document says of them is replaced.
TaskKind::Work CaptureMembers(const OperationContext& context, const Run& run, const op::TaskRecord&,
                              const Call& base) {
  Call call = base;
  call.timeout = context.timeouts.big_call;
  return [&context, call, names = NamesOf(run), plan = run.plan()]() -> Verdict {
    const auto source = context.ports.For(names.source);
    if (!source.ok()) return Verdict::OfQuestion(source.status());
    peer::CaptureMembersRequest request;
    request.set_group_id(names.group_id);
    const auto captured = source->cloud->CaptureMembers(call, request);
    if (!captured.ok()) return Verdict::OfQuestion(captured.status());
    std::map<std::string, const groups::Member*> fresh;
    for (const groups::Member& member : captured->members()) fresh[member.id()] = &member;
    Verdict verdict = Verdict::Done();
    verdict.plan = std::make_shared<op::PlanRecord>(*plan);
    for (groups::Member& member : *verdict.plan->mutable_document()->mutable_members()) {
      const auto found = fresh.find(member.id());
      if (found == fresh.end()) {
        return Verdict::Failed(Error(absl::StatusCode::kNotFound, "SERVER_NOT_FOUND",
                                     fmt::format("member {} is not there any more", member.server().name()))
                                   .Object("member " + member.server().name())
                                   .Remedy("Remove it from the group, or bring the server back.")
                                   .Site(names.source));
      }
      *member.mutable_server() = found->second->server();
      *member.mutable_captured_at() = found->second->captured_at();
      const groups::Placement* placement = FindPlacement(*found->second, names.source);
      groups::Placement* ours = FindPlacement(member, names.source);
      if (placement != nullptr && ours != nullptr) *ours = *placement;
    }
    return verdict;
  };
}

// Everything that the move needs of the target's cloud, checked now; the plans that come out are what will be asked
// for.
TaskKind::Work CheckTarget(const OperationContext& context, const Run& run, const op::TaskRecord&, const Call& base) {
  Call call = base;
  call.timeout = context.timeouts.big_call;
  peer::CheckTargetRequest request;
  *request.mutable_group() = run.document();
  *request.mutable_mappings() = run.operation().mappings();
  return
      [&context, call, request, plan = run.plan(), names = NamesOf(run), force = run.operation().force()]() -> Verdict {
        const auto planned = context.target.Plan(call, request);
        if (!planned.ok()) return Verdict::OfQuestion(planned.status());
        Verdict verdict = Verdict::Done();
        std::map<std::string, const op::MemberPlan*> plans;
        for (const op::MemberPlan& member : planned->plans) plans[member.member_id()] = &member;
        verdict.plan = std::make_shared<op::PlanRecord>(*plan);
        verdict.plan->clear_members();
        bool complete = true;
        for (const groups::Member& member : plan->document().members()) {
          const auto found = plans.find(member.id());
          complete = complete && found != plans.end();
          op::MemberPlan& ours = *verdict.plan->add_members();
          if (found != plans.end()) ours = *found->second;
          ours.set_member_id(member.id());
        }
        std::string blockers;
        const peer::Finding* first = nullptr;
        for (const peer::Finding& finding : planned->findings) {
          if (finding.severity() == peer::Finding::OK) continue;
          if (finding.severity() == peer::Finding::BLOCKER && !(force && complete)) {
            blockers += (blockers.empty() ? "" : "; ") + finding.detail();
            if (first == nullptr) first = &finding;
          } else {
            verdict.warnings.push_back(fmt::format("{}: {}", finding.object(), finding.detail()));
          }
        }
        if (first != nullptr) {
          return Verdict::Failed(Error(absl::StatusCode::kFailedPrecondition, "CHECK_FAILED", blockers)
                                     .Object(first->object())
                                     .Remedy(first->remedy())
                                     .Site(names.target));
        }
        if (!complete) {
          return Verdict::Failed(Error(absl::StatusCode::kFailedPrecondition, "CHECK_FAILED",
                                       "not every member can be planned on " + names.target)
                                     .Object("site " + names.target)
                                     .Remedy("Run protector protection-group check to see what is missing."));
        }
        return verdict;
      };
}

}  // namespace

void AddValidateKinds(const OperationContext& context, Kinds& kinds) {
  const auto question = [](Api api, int tries) {
    return Traits{.api = api, .changes = false, .on_failure = OnFailure::kOperation, .max_tries = tries};
  };
  kinds.Add("check-sites", std::make_unique<SimpleKind>(context, question(Api::kPeer, 4), CheckSites));
  kinds.Add("check-source", std::make_unique<SimpleKind>(context, question(Api::kPeer, 1), CheckSource));
  kinds.Add("capture-members", std::make_unique<SimpleKind>(context, question(Api::kPeer, 4), CaptureMembers));
  kinds.Add("check-target", std::make_unique<SimpleKind>(context, question(Api::kNova, 6), CheckTarget));
}

}  // namespace protector::orchestrator
