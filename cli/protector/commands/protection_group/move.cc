#include <fmt/format.h>

#include <functional>

#include "cli/protector/args/input.h"
#include "cli/protector/args/usage.h"
#include "cli/protector/commands/commands.h"
#include "cli/protector/commands/protection_group/group_calls.h"
#include "cli/protector/commands/protection_group/mappings.h"
#include "cli/protector/commands/show.h"
#include "cli/protector/progress/watch.h"
#include "libs/base/error.h"

namespace protector::cli {
namespace {

using Groups = op_pb::GroupService;
using Operations = op_pb::OperationService;

// The start checks both sites before it answers.
constexpr absl::Duration kStartTimeout = absl::Minutes(2);

template <typename Request>
using Start = ::grpc::Status (Operations::StubInterface::*)(::grpc::ClientContext*, const Request&, op_pb::Operation*);

// The answer to "which site has to survive?" comes from the local metadata; the site that is asked knows better if it
// is old.
template <typename Request>
absl::StatusOr<std::pair<op_pb::Operation, SiteAddress>> StartAt(Session& session, const FoundGroup& found,
                                                                 std::string site, Start<Request> method,
                                                                 const char* name, Request request,
                                                                 const std::string& unreachable_remedy) {
  request.set_group(found.document().id());
  for (bool again = false;; again = true) {
    PROTECTOR_ASSIGN_OR_RETURN(const SiteAddress address, FindSite(session, site));
    CallHow how;
    how.project = ProjectOf(found.document(), site);
    how.request_id = request.request_id();
    how.timeout = std::max(session.options().timeout, kStartTimeout);
    SetProject(how.project, request.mutable_project());
    const auto started = session.Call<Operations>(address, method, name, request, how);
    if (started.ok()) return std::pair(*started, address);
    const std::string instead = SiteToAskInstead(started.status());
    if (again || instead.empty() || instead == site) {
      return NoAnswer(started.status())
                 ? RemoteUnreachable(started.status(), site, found.document().name(), unreachable_remedy)
                 : started.status();
    }
    site = instead;
  }
}

// What follows the start is the same for both verbs: show it, or stay with it until its end.
absl::Status Conclude(Context& context, Session& session, const FoundGroup& found, const op_pb::Operation& started,
                      const SiteAddress& site) {
  const bool dry_run = context.arguments.Has("dry-run");
  if (!context.arguments.Has("wait") || dry_run) {
    PROTECTOR_RETURN_IF_ERROR(context.Show(OperationRecord(started, /*brief=*/true)));
    for (const std::string& warning : started.warnings()) context.Warn(warning);
    if (dry_run) context.Explain("Dry run: every check passed, nothing was changed.");
    return dry_run || !HasEnded(started) ? absl::OkStatus() : Verdict(started);
  }
  for (const std::string& warning : started.warnings()) context.Warn(warning);
  WatchOptions options;
  options.until_clean = context.arguments.Has("until-clean");
  options.project = ProjectOf(found.document(), site.name);
  PROTECTOR_ASSIGN_OR_RETURN(const op_pb::Operation ended, WatchToEnd(context, session, site, started.id(), options));
  PROTECTOR_RETURN_IF_ERROR(context.Show(OperationRecord(ended, /*brief=*/false)));
  SayWhatIsLeft(context, ended);
  return Verdict(ended);
}

absl::Status CheckMoveArguments(const Context& context) {
  if (context.arguments.Has("until-clean") && !context.arguments.Has("wait"))
    return UsageError("--until-clean needs --wait");
  return absl::OkStatus();
}

absl::Status Failover(Context& context) {
  const Arguments& given = context.arguments;
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, GroupArgument(context));
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Pair> pairs, ParseMappings(given));
  PROTECTOR_RETURN_IF_ERROR(CheckMoveArguments(context));
  const bool unplanned = given.Get("type") == "unplanned";
  if (given.Has("recovery-point")) {
    PROTECTOR_RETURN_IF_ERROR(CheckReference("recovery point", given.Get("recovery-point")));
    if (!unplanned) {
      return UsageError("--recovery-point needs --type unplanned")
          .Remedy("A planned failover makes its own recovery point after the VMs have stopped.");
    }
  }
  op_pb::StartFailoverRequest request;
  PROTECTOR_ASSIGN_OR_RETURN(*request.mutable_request_id(), context.RequestId());
  request.set_type(unplanned ? op_pb::UNPLANNED_FAILOVER : op_pb::PLANNED_FAILOVER);
  PutMappings(pairs, request.mutable_mappings());
  request.set_force(given.Has("force"));
  request.set_recovery_point(given.Get("recovery-point"));
  request.set_validate_only(given.Has("dry-run"));
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  PROTECTOR_ASSIGN_OR_RETURN(const FoundGroup found, FindGroup(context, *session, name));
  const std::string target = found.OtherThan(found.document().primary_site());
  PROTECTOR_ASSIGN_OR_RETURN(const auto started,
                             StartAt<op_pb::StartFailoverRequest>(
                                 *session, found, target, &Operations::StubInterface::StartFailover, "StartFailover",
                                 request, "A failover is run by the site moved to, which has to be reachable."));
  return Conclude(context, *session, found, started.first, started.second);
}

absl::Status Failback(Context& context) {
  const Arguments& given = context.arguments;
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, GroupArgument(context));
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Pair> pairs, ParseMappings(given));
  PROTECTOR_RETURN_IF_ERROR(CheckMoveArguments(context));
  op_pb::StartFailbackRequest request;
  PROTECTOR_ASSIGN_OR_RETURN(*request.mutable_request_id(), context.RequestId());
  PutMappings(pairs, request.mutable_mappings());
  request.set_force(given.Has("force"));
  request.set_reverse_replication(given.Has("reverse-replication"));
  request.set_accept_data_loss(given.Has("accept-data-loss"));
  request.set_validate_only(given.Has("dry-run"));
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  PROTECTOR_ASSIGN_OR_RETURN(const FoundGroup found, FindGroup(context, *session, name));
  PROTECTOR_ASSIGN_OR_RETURN(
      const auto started,
      StartAt<op_pb::StartFailbackRequest>(
          *session, found, found.document().home_site(), &Operations::StubInterface::StartFailback, "StartFailback",
          request, "A failback is run by the home site, which has to be recovered and reachable."));
  return Conclude(context, *session, found, started.first, started.second);
}

absl::Status Check(Context& context) {
  const Arguments& given = context.arguments;
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, GroupArgument(context));
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Pair> pairs, ParseMappings(given));
  op_pb::CheckGroupRequest request;
  PutMappings(pairs, request.mutable_mappings());
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  PROTECTOR_ASSIGN_OR_RETURN(const FoundGroup found, FindGroup(context, *session, name));
  const std::string target = given.Get("target-site", found.OtherThan(found.document().primary_site()));
  request.set_group(found.document().id());
  request.set_target_site(target);
  const auto ask = [&](const SiteAddress& site) {
    CallHow how;
    how.project = ProjectOf(found.document(), site.name);
    how.timeout = std::max(context.timeout(), absl::Minutes(2));
    SetProject(how.project, request.mutable_project());
    return session->Call<Groups>(site, &Groups::StubInterface::CheckGroup, "CheckGroup", request, how);
  };
  PROTECTOR_ASSIGN_OR_RETURN(const SiteAddress site, FindSite(*session, target));
  absl::StatusOr<op_pb::CheckGroupResponse> checked = ask(site);
  if (!checked.ok() && NoAnswer(checked.status()) && found.answered_by.name != target) {
    context.Warn(fmt::format("{} does not answer; asking {}", target, Label(found.answered_by)));
    checked = ask(found.answered_by);
  }
  PROTECTOR_RETURN_IF_ERROR(checked.status());
  Listing listing;
  listing.columns = {{"check"}, {"object"}, {"site"}, {"result"}, {"detail"}, {"remedy"}};
  int blockers = 0;
  for (const auto& finding : checked->findings()) {
    blockers += finding.severity() == protector::peer::v1::Finding::BLOCKER ? 1 : 0;
    listing.rows.push_back({finding.check(), finding.object(), finding.site(),
                            Lower(protector::peer::v1::Finding::Severity_Name(finding.severity())), finding.detail(),
                            finding.remedy()});
  }
  PROTECTOR_RETURN_IF_ERROR(context.Show(listing));
  if (checked->ready()) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, "CHECK_FAILED",
               fmt::format("protection group {} is not ready for a move to {}: {} blocker{}", found.document().name(),
                           target, blockers, blockers == 1 ? "" : "s"))
      .Object(fmt::format("protection group {}", found.document().name()))
      .Remedy("Each blocker's remedy is in its row above.");
}

std::vector<Option> WithMappings(std::vector<Option> options) {
  for (const Option& option : MappingOptions()) options.push_back(option);
  return options;
}

const std::vector<Option> kAfterStart = {
    {.name = "--wait",
     .value = "",
     .help = "Stay until the operation has ended, with live progress; the exit code then says how it ended."},
    {.name = "--until-clean", .value = "", .help = "With --wait: stay also for reverse replication and cleanup."},
    {.name = "--dry-run", .value = "", .help = "Check everything, change nothing, say what would be done."},
};

}  // namespace

std::vector<Command> GroupMoveCommands() {
  std::vector<Option> failover = WithMappings({GroupOption()});
  failover.push_back(
      {.name = "--type",
       .value = "TYPE",
       .help =
           "planned (default): stop, final snapshot, no write lost. unplanned: from the newest complete recovery point.",
       .choices = {"planned", "unplanned"}});
  failover.push_back({.name = "--force",
                      .value = "",
                      .help = "Go on in spite of findings that can be forced; each is recorded. Can lose data."});
  failover.push_back({.name = "--recovery-point",
                      .value = "NAME",
                      .help = "Unplanned: use this one instead of the newest complete one."});
  std::vector<Option> failback = WithMappings({GroupOption()});
  failback.push_back({.name = "--reverse-replication",
                      .value = "",
                      .help = "Build replication back to the home site first where it does not work yet."});
  failback.push_back(
      {.name = "--accept-data-loss", .value = "", .help = "Give up what was written since the failover; recorded."});
  failback.push_back({.name = "--force", .value = "", .help = "As for failover."});
  for (std::vector<Option>* options : {&failover, &failback}) {
    options->insert(options->end(), kAfterStart.begin(), kAfterStart.end());
    options->push_back(RequestIdOption());
  }
  std::vector<Option> check = WithMappings({GroupOption()});
  check.push_back({.name = "--target-site",
                   .value = "SITE",
                   .help = "Site to move to (default: the one that is not primary).",
                   .names = Names::kSite});
  return {
      {.path = {"protection-group", "check"},
       .summary = "Check now whether the group could be moved: sites, sync, replication, mappings, quotas.",
       .description =
           "Asks both sites and the arrays; changes nothing. Every check has a row with what was found and what to do.",
       .options = check,
       .examples =
           {"protector protection-group check prod-web-app",
            "protector protection-group check prod-web-app --network-mapping net-primary-web=net-secondary-web"},
       .shape = Shape::kList,
       .run = Check,
       .exit_codes = "3 when there is a blocker"},
      {.path = {"protection-group", "failover"},
       .summary = "Move the group's VMs from its primary site to the other one.",
       .description =
           "Planned: VMs are stopped on the primary site, a last snapshot is replicated, volumes and VMs are brought up on the other site, replication is "
           "turned round, the source is cleaned. Until the storage is switched, a failure or `operation cancel` rolls everything back. "
           "Unplanned: for a primary site that is lost; VMs come up from the newest complete recovery point, and what was written after it is gone. "
           "Can be started with either site's credentials; unplanned needs the surviving site only. Mappings on the command line count "
           "more than stored ones.",
       .options = failover,
       .examples =
           {"protector protection-group failover prod-web-app --network-mapping net-primary-web=net-secondary-web net-primary-db=net-secondary-db "
            "--flavor-mapping m1.large=m2.large --wait",
            "protector protection-group failover prod-web-app --type unplanned --network-mapping net-primary-web=net-secondary-web net-primary-db=net-secondary-db",
            "protector protection-group failover prod-web-app --dry-run"},
       .shape = Shape::kObject,
       .run = Failover,
       .exit_codes = "with --wait: 0 only if the operation completed; 130 when left with Ctrl-C (it goes on)"},
      {.path = {"protection-group", "failback"},
       .summary = "Move the group's VMs back to their home site.",
       .description =
           "The planned steps in the other direction; the group has to be failed_over and the home site recovered, in sync and reachable. Refuses to lose "
           "what was written since the failover: without working replication back it asks for --reverse-replication (or an explicit --accept-data-loss).",
       .options = failback,
       .examples =
           {"protector protection-group failback prod-web-app --reverse-replication --network-mapping net-secondary-web=net-primary-web "
            "net-secondary-db=net-primary-db --wait"},
       .shape = Shape::kObject,
       .run = Failback,
       .exit_codes = "with --wait: 0 only if the operation completed; 130 when left with Ctrl-C (it goes on)"},
  };
}

}  // namespace protector::cli
