#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "cli/protector/client/metadata.h"
#include "cli/protector/commands/commands.h"
#include "cli/protector/commands/protection_group/carry.h"
#include "cli/protector/commands/protection_group/group_calls.h"
#include "cli/protector/commands/show.h"
#include "libs/base/error.h"

namespace protector::cli {
namespace {

using Metadata = meta_pb::MetadataService;

std::string SyncStateText(meta_pb::SyncState state) {
  std::string text = meta_pb::SyncState_Name(state);
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

std::string RemedyFor(const meta_pb::SyncStatus& status, const std::string& group) {
  const std::string force = fmt::format("protector protection-group sync-force {}", group);
  const bool remote_leads =
      status.remote().epoch() > status.local().epoch() ||
      (status.remote().epoch() == status.local().epoch() && status.remote().version() > status.local().version());
  const std::string leader = remote_leads ? status.remote_site() : status.local_site();
  switch (status.state()) {
    case meta_pb::IN_SYNC:
      return "";
    case meta_pb::OUT_OF_SYNC:
      return fmt::format("It is being caught up by itself; `{}` with the credentials of {} does it now.", force,
                         leader);
    case meta_pb::UNREACHABLE:
      return fmt::format(
          "Restore {0} (`protector site validate {0}` says what is wrong), then `{1}`. If {0} is lost and was the primary site: "
          "failover --type unplanned.",
          status.remote_site(), force);
    case meta_pb::FAILED:
      return fmt::format("Mend what last_error names at {}, then `{}`.", status.remote_site(), force);
    case meta_pb::DIVERGED:
      return fmt::format(
          "`{}` with the credentials of {}, the site with the higher epoch: its versions win, the other site's are kept as superseded.",
          force, leader);
    default:
      return "Ask again.";
  }
}

Record SyncRecord(const meta_pb::SyncStatus& status, const std::string& group) {
  Record record;
  record.Add("protection_group", group)
      .Add("sync_status", SyncStateText(status.state()))
      .Add("local_site", status.local_site())
      .Add("local_version", status.local().version())
      .Add("local_epoch", status.local().epoch())
      .Add("remote_site", status.remote_site())
      .Add("remote_version", status.remote().version())
      .Add("remote_epoch", status.remote().epoch())
      .Add("last_sync_at", TimeText(status.has_last_sync_time(), status.last_sync_time()))
      .Add("next_retry_at", TimeText(status.has_next_retry_time(), status.next_retry_time()))
      .Add("failed_attempts", status.failed_attempts())
      .Add("last_error", status.last_error())
      .Add("remedy", RemedyFor(status, group));
  record.AddMachine("in_doubt_version", status.in_doubt_version())
      .AddMachine("local_hash", status.local().hash())
      .AddMachine("remote_hash", status.remote().hash())
      .AddMachine("local_primary_site", status.local().primary_site())
      .AddMachine("remote_primary_site", status.remote().primary_site())
      .AddMachine("group_id", status.group_id());
  return record;
}

absl::StatusOr<meta_pb::SyncStatus> AskStatus(Context& context, Session& session, const FoundGroup& found,
                                              const SiteAddress& site) {
  meta_pb::GetSyncStatusRequest request;
  request.set_group_id(found.document().id());
  CallHow how;
  how.project = ProjectOf(found.document(), site.name);
  how.timeout = context.timeout();
  return session.Call<Metadata>(site, &Metadata::StubInterface::GetSyncStatus, "GetSyncStatus", request, how);
}

absl::Status Status(Context& context) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, GroupArgument(context));
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  PROTECTOR_ASSIGN_OR_RETURN(const FoundGroup found, FindGroup(context, *session, name));
  PROTECTOR_ASSIGN_OR_RETURN(const meta_pb::SyncStatus status, AskStatus(context, *session, found, found.answered_by));
  return context.Show(SyncRecord(status, found.document().name()));
}

// Progress of a forced sync: for people on stdout, beside a machine's output on stderr.
class Progress {
 public:
  explicit Progress(Context& context)
      : context_(context), out_(context.for_people() ? context.world.out : context.world.err) {}
  void Say(const std::string& text) {
    if (!context_.quiet()) out_ << text << "\n" << std::flush;
  }
  void Step(const std::string& what, const std::string& result) { Say(fmt::format("  {:<36} {}", what, result)); }

 private:
  Context& context_;
  std::ostream& out_;
};

absl::Status Force(Context& context) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, GroupArgument(context));
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  PROTECTOR_ASSIGN_OR_RETURN(const FoundGroup found, FindGroup(context, *session, name));
  const std::string group = found.document().name();
  const SiteAddress& here = session->local();
  Progress progress(context);
  progress.Say(fmt::format("Force sync of {} initiated", group));
  PROTECTOR_ASSIGN_OR_RETURN(const meta_pb::SyncStatus before, AskStatus(context, *session, found, here));
  const std::string remote =
      before.remote_site().empty() ? found.OtherThan(found.answered_by.name) : before.remote_site();
  const bool reachable = before.state() != meta_pb::UNREACHABLE;
  progress.Step("checking connectivity of " + remote,
                reachable ? "reachable" : "NOT reachable from " + before.local_site());
  progress.Step("gathering metadata of " + before.local_site(),
                fmt::format("version {} (epoch {})", before.local().version(), before.local().epoch()));
  absl::StatusOr<meta_pb::SyncStatus> after = absl::UnavailableError("");
  int sent = 0;
  if (reachable) {
    meta_pb::ForceSyncRequest request;
    request.set_group_id(found.document().id());
    request.set_reason(context.arguments.Get("reason"));
    CallHow how;
    how.project = ProjectOf(found.document(), found.answered_by.name);
    how.timeout = std::max(context.timeout(), absl::Minutes(1));
    const auto forced = session->Call<Metadata>(here, &Metadata::StubInterface::ForceSync, "ForceSync", request, how);
    PROTECTOR_RETURN_IF_ERROR(forced.status());
    for (const meta_pb::Version& version : forced->superseded()) {
      context.Warn(fmt::format("version {} of epoch {} of {} was superseded; it is kept in the history",
                               version.version(), version.epoch(), remote));
    }
    sent = forced->versions_sent();
    after = forced->status();
  } else {
    // The sites do not reach each other, but this machine may reach both.
    PROTECTOR_ASSIGN_OR_RETURN(sent, CarryVersions(*session, found, remote, before));
    after = AskStatus(context, *session, found, here);
    PROTECTOR_RETURN_IF_ERROR(after.status());
    progress.Step("carried by this machine to " + remote, "done");
  }
  progress.Step("pushing to " + remote,
                sent == 0 ? "nothing was missing" : fmt::format("{} version{} sent", sent, sent == 1 ? "" : "s"));
  if (reachable && after->state() != meta_pb::IN_SYNC) {
    return Error(absl::StatusCode::kUnavailable, "SYNC_FAILED",
                 fmt::format("the sites are still {}: {}", SyncStateText(after->state()), after->last_error()))
        .Object(fmt::format("protection group {}", group))
        .Site(remote)
        .Remedy(RemedyFor(*after, group));
  }
  progress.Say(fmt::format(
      "Sync completed successfully: both sites are now at version {}",
      before.local().version() > after->local().version() ? before.local().version() : after->local().version()));
  return context.for_people() ? absl::OkStatus() : context.Show(SyncRecord(*after, group));
}

}  // namespace

std::vector<Command> GroupSyncCommands() {
  return {
      {.path = {"protection-group", "sync-status"},
       .summary = "Show whether both sites hold the same metadata of the group.",
       .description =
           "Asks the local site, which asks the other one now; changes nothing. sync_status is IN SYNC, OUT OF SYNC, UNREACHABLE, FAILED or DIVERGED; "
           "when it is not IN SYNC, remedy says what to do.",
       .options = {GroupOption()},
       .examples = {"protector protection-group sync-status prod-web-app",
                    "protector protection-group sync-status prod-web-app -f value -c sync_status"},
       .shape = Shape::kObject,
       .run = Status},
      {.path = {"protection-group", "sync-force"},
       .summary = "Bring the other site's metadata of the group to this site's version.",
       .description =
           "Run with the credentials of the site where the VMs run. Sends the versions that the other site misses; where the sites have diverged, the higher epoch "
           "wins and the other site's versions are kept in its history. Refused from the site with the lower epoch. If the sites do not reach each other but "
           "this machine reaches both, the versions are carried by it.",
       .options = {GroupOption(), {.name = "--reason", .value = "TEXT", .help = "Why; recorded."}},
       .examples = {"protector protection-group sync-force prod-web-app"},
       .shape = Shape::kObject,
       .run = Force,
       .exit_codes = "3 when refused (lower epoch), 4 when the other site does not answer"},
  };
}

}  // namespace protector::cli
