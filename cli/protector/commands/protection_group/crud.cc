#include <fmt/format.h>

#include "cli/protector/args/input.h"
#include "cli/protector/args/usage.h"
#include "cli/protector/commands/commands.h"
#include "cli/protector/commands/protection_group/group_calls.h"
#include "cli/protector/commands/protection_group/policy.h"
#include "cli/protector/commands/show.h"
#include "libs/base/error.h"

namespace protector::cli {
namespace {

using Groups = op_pb::GroupService;

absl::Status Create(Context& context) {
  const Arguments& given = context.arguments;
  const std::string name = given.Get("group");
  PROTECTOR_RETURN_IF_ERROR(CheckNewName("protection group", name));
  PROTECTOR_RETURN_IF_ERROR(CheckText("description", given.Get("description"), 1024));
  op_pb::CreateGroupRequest request;
  request.set_name(name);
  request.set_description(given.Get("description"));
  PROTECTOR_ASSIGN_OR_RETURN(const PolicyChange policy, ParsePolicy(given));
  *request.mutable_policy() = policy.policy;
  request.set_stop_immediately(policy.stop_immediately);
  request.set_replication_type(given.Get("replication-type") == "sync" ? group_pb::SYNC : group_pb::ASYNC);
  request.set_validate_only(given.Has("dry-run"));
  CallHow how;
  PROTECTOR_ASSIGN_OR_RETURN(how.request_id, context.RequestId());
  request.set_request_id(how.request_id);
  for (const char* option : {"primary-site", "secondary-site"}) {
    if (given.Has(option)) PROTECTOR_RETURN_IF_ERROR(CheckReference("site", given.Get(option)));
  }
  if (given.Has("primary-site") && given.Get("primary-site") == given.Get("secondary-site")) {
    return UsageError("the primary and the secondary site are the same").Remedy("A group has two sites.");
  }
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  PROTECTOR_ASSIGN_OR_RETURN(const std::string local, LocalName(*session));
  const std::string primary = given.Get("primary-site", local);
  PROTECTOR_ASSIGN_OR_RETURN(const SiteAddress site, FindSite(*session, primary));
  if (given.Has("secondary-site")) PROTECTOR_RETURN_IF_ERROR(FindSite(*session, given.Get("secondary-site")).status());
  PROTECTOR_ASSIGN_OR_RETURN(how.project, ProjectAt(*session, site));
  SetProject(how.project, request.mutable_project());
  request.set_primary_site(primary);
  request.set_secondary_site(given.Get("secondary-site"));
  how.timeout = std::max(context.timeout(), absl::Minutes(2));
  PROTECTOR_ASSIGN_OR_RETURN(const op_pb::Group group, (session->Call<Groups>(site, &Groups::StubInterface::CreateGroup,
                                                                              "CreateGroup", request, how)));
  for (const std::string& warning : group.warnings()) context.Warn(warning);
  if (given.Has("dry-run")) context.Explain("Dry run: nothing was created.");
  return context.Show(GroupRecord(group));
}

absl::Status List(Context& context) {
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  op_pb::ListGroupsRequest request;
  CallHow how;
  if (!context.arguments.Has("all-projects")) {
    PROTECTOR_ASSIGN_OR_RETURN(how.project, ProjectAt(*session, session->local()));
    SetProject(how.project, request.mutable_project());
  }
  std::vector<op_pb::Group> groups;
  do {
    PROTECTOR_ASSIGN_OR_RETURN(
        const auto page,
        (session->Call<Groups>(session->local(), &Groups::StubInterface::ListGroups, "ListGroups", request, how)));
    groups.insert(groups.end(), page.groups().begin(), page.groups().end());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  for (const op_pb::Group& group : groups) {
    for (const std::string& warning : group.warnings()) context.Warn(group.document().name() + ": " + warning);
  }
  return context.Show(GroupListing(groups));
}

absl::Status Show(Context& context) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, GroupArgument(context));
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  PROTECTOR_ASSIGN_OR_RETURN(const FoundGroup found, FindGroup(context, *session, name));
  return context.Show(GroupRecord(found.group));
}

absl::Status Set(Context& context) {
  const Arguments& given = context.arguments;
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, GroupArgument(context));
  if (!given.Has("description") && !given.Has("reset-status")) {
    return UsageError("nothing to change").Remedy("Give --description, or --reset-status with --reason.");
  }
  if (given.Has("reset-status") && given.Get("reason").empty()) {
    return UsageError("--reset-status needs --reason").Remedy("Say why: it is recorded in the group's history.");
  }
  PROTECTOR_RETURN_IF_ERROR(CheckText("description", given.Get("description"), 1024));
  op_pb::UpdateGroupRequest request;
  if (given.Has("description")) request.set_description(given.Get("description"));
  request.set_reset_status(given.Has("reset-status"));
  request.set_reason(given.Get("reason"));
  request.set_etag(given.Get("etag"));
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  PROTECTOR_ASSIGN_OR_RETURN(const FoundGroup found, FindGroup(context, *session, name));
  PROTECTOR_ASSIGN_OR_RETURN(const op_pb::Group group,
                             AskPrimary(context, *session, found, &Groups::StubInterface::UpdateGroup, "UpdateGroup",
                                        request, context.timeout()));
  return context.Show(GroupRecord(group));
}

absl::Status Delete(Context& context) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, GroupArgument(context));
  op_pb::DeleteGroupRequest request;
  request.set_force(context.arguments.Has("force"));
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  PROTECTOR_ASSIGN_OR_RETURN(const FoundGroup found, FindGroup(context, *session, name));
  PROTECTOR_RETURN_IF_ERROR(AskPrimary(context, *session, found, &Groups::StubInterface::DeleteGroup, "DeleteGroup",
                                       request, std::max(context.timeout(), absl::Minutes(2)))
                                .status());
  context.Explain(fmt::format("Protection group {} deleted; its VMs were left as they are.", found.document().name()));
  return absl::OkStatus();
}

}  // namespace

std::vector<Command> GroupCommands() {
  std::vector<Option> create = {
      {.name = "group", .value = "", .help = "Name of the new group.", .required = true},
      {.name = "--primary-site",
       .value = "SITE",
       .help = "Where its VMs run (default: the site of the credentials).",
       .names = Names::kSite},
      {.name = "--secondary-site",
       .value = "SITE",
       .help = "Where they are to be brought up (default: the only other site).",
       .names = Names::kSite},
      {.name = "--replication-type",
       .value = "TYPE",
       .help = "async (snapshots, default) or sync (pod). Cannot be changed later.",
       .choices = {"async", "sync"}},
      {.name = "--description", .value = "TEXT", .help = "Free text."},
      {.name = "--dry-run", .value = "", .help = "Check only."},
      RequestIdOption(),
  };
  for (const Option& option : PolicyOptions()) create.push_back(option);
  return {
      {.path = {"protection-group", "create"},
       .summary = "Make a protection group, without members.",
       .description =
           "Makes a group on both sites. Both have to be reachable, and the project mapped (`tenant-mapping create`). Nothing is replicated "
           "until members are added.",
       .options = create,
       .examples =
           {"protector protection-group create prod-web-app --secondary-site site-b --replication-type async --replication-interval 300"},
       .shape = Shape::kObject,
       .run = Create},
      {.path = {"protection-group", "list"},
       .summary = "List the project's protection groups.",
       .description = "Reads the local site's metadata; changes nothing.",
       .options = {{.name = "--all-projects", .value = "", .help = "Groups of every project."}},
       .examples = {"protector protection-group list", "protector protection-group list -f value -c name"},
       .shape = Shape::kList,
       .run = List},
      {.path = {"protection-group", "show"},
       .summary = "Show a protection group: status, primary site, conditions, what is pending.",
       .description =
           "Reads the local site's metadata; changes nothing. -f json also has members, mappings and project ids.",
       .options = {GroupOption()},
       .examples = {"protector protection-group show prod-web-app",
                    "protector protection-group show prod-web-app -f value -c status"},
       .shape = Shape::kObject,
       .run = Show},
      {.path = {"protection-group", "set"},
       .summary = "Change a group's description, or lead it out of status error.",
       .description =
           "Changes the group's metadata on both sites; both have to be reachable. --reset-status frees a group that is in status error, or "
           "held by an operation that neither site runs any more, and gives it the status at rest of its primary site; it touches no VM "
           "and no volume, and is recorded with its reason.",
       .options = {GroupOption(),
                   {.name = "--description", .value = "TEXT", .help = "New description."},
                   {.name = "--reset-status",
                    .value = "",
                    .help = "Out of status error, free of a lost operation; needs --reason."},
                   {.name = "--reason", .value = "TEXT", .help = "Why; recorded in the history."},
                   {.name = "--etag",
                    .value = "HASH",
                    .help = "Refuse if the group has changed since (see show -f json)."},
                   RequestIdOption()},
       .examples = {"protector protection-group set prod-web-app --description 'web shop'",
                    "protector protection-group set prod-web-app --reset-status --reason 'array cleaned by hand'"},
       .shape = Shape::kObject,
       .run = Set},
      {.path = {"protection-group", "delete"},
       .summary = "Delete a protection group; its VMs and volumes stay.",
       .description =
           "Takes replication apart on both arrays and forgets the group. VMs, volumes and their data are left as they are.",
       .options = {GroupOption(),
                   {.name = "--force", .value = "", .help = "Although it has members."},
                   RequestIdOption()},
       .examples = {"protector protection-group delete prod-web-app --force"},
       .run = Delete},
  };
}

}  // namespace protector::cli
