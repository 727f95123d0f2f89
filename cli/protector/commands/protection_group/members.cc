#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/protector/args/input.h"
#include "cli/protector/args/usage.h"
#include "cli/protector/commands/commands.h"
#include "cli/protector/commands/protection_group/group_calls.h"
#include "cli/protector/commands/show.h"
#include "libs/base/error.h"

namespace protector::cli {
namespace {

using Groups = op_pb::GroupService;

// Capturing many VMs and setting up their replication takes its time.
constexpr absl::Duration kMemberTimeout = absl::Minutes(5);

absl::StatusOr<std::vector<std::string>> References(const Arguments& given, const char* argument,
                                                    const std::string& what) {
  std::vector<std::string> names = given.All(argument);
  std::set<std::string> seen;
  for (const std::string& name : names) {
    PROTECTOR_RETURN_IF_ERROR(CheckReference(what, name));
    if (!seen.insert(name).second)
      return UsageError(fmt::format("the {} '{}' was named twice", what, name)).Remedy("Name each one once.");
  }
  return names;
}

absl::Status Add(Context& context) {
  const Arguments& given = context.arguments;
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, GroupArgument(context));
  op_pb::AddMembersRequest request;
  PROTECTOR_ASSIGN_OR_RETURN(const auto servers, References(given, "server", "server"));
  PROTECTOR_ASSIGN_OR_RETURN(const auto depends_on, References(given, "depends-on", "member"));
  PROTECTOR_ASSIGN_OR_RETURN(const int64_t boot_order, given.Int("boot-order", 0, -1000, 1000));
  request.mutable_servers()->Add(servers.begin(), servers.end());
  request.mutable_depends_on()->Add(depends_on.begin(), depends_on.end());
  request.set_boot_order(static_cast<int32_t>(boot_order));
  request.set_validate_only(given.Has("dry-run"));
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  PROTECTOR_ASSIGN_OR_RETURN(const FoundGroup found, FindGroup(context, *session, name));
  PROTECTOR_ASSIGN_OR_RETURN(const op_pb::Group group,
                             AskPrimary(context, *session, found, &Groups::StubInterface::AddMembers, "AddMembers",
                                        request, std::max(context.timeout(), kMemberTimeout)));
  for (const std::string& warning : group.warnings()) context.Warn(warning);
  if (given.Has("dry-run")) context.Explain("Dry run: nothing was added.");
  return context.Show(MemberListing(group.document()));
}

absl::Status Remove(Context& context) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, GroupArgument(context));
  op_pb::RemoveMembersRequest request;
  PROTECTOR_ASSIGN_OR_RETURN(const auto members, References(context.arguments, "member", "member"));
  request.mutable_members()->Add(members.begin(), members.end());
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  PROTECTOR_ASSIGN_OR_RETURN(const FoundGroup found, FindGroup(context, *session, name));
  PROTECTOR_ASSIGN_OR_RETURN(const op_pb::Group group,
                             AskPrimary(context, *session, found, &Groups::StubInterface::RemoveMembers,
                                        "RemoveMembers", request, std::max(context.timeout(), kMemberTimeout)));
  return context.Show(MemberListing(group.document()));
}

absl::Status List(Context& context) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, GroupArgument(context));
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  PROTECTOR_ASSIGN_OR_RETURN(const FoundGroup found, FindGroup(context, *session, name));
  return context.Show(MemberListing(found.document()));
}

}  // namespace

std::vector<Command> GroupMemberCommands() {
  return {
      {.path = {"protection-group", "add-member"},
       .summary = "Protect VMs: capture them and replicate their volumes.",
       .description =
           "Captures each server with its ports and volumes, puts the volumes under the group's replication, and records all of it on both sites. "
           "All servers are added or none. The servers keep running.",
       .options = {GroupOption(),
                   {.name = "server",
                    .value = "",
                    .help = "Names or ids of servers on the primary site.",
                    .required = true,
                    .repeat = true},
                   {.name = "--boot-order",
                    .value = "N",
                    .help = "Members with a smaller number boot first (default 0)."},
                   {.name = "--depends-on",
                    .value = "MEMBER",
                    .help = "Member that has to be ACTIVE first; may be repeated.",
                    .repeat = true,
                    .names = Names::kMember},
                   {.name = "--dry-run", .value = "", .help = "Check only."},
                   RequestIdOption()},
       .examples = {"protector protection-group add-member prod-web-app db-1 --boot-order 0",
                    "protector protection-group add-member prod-web-app web-1 web-2 --depends-on db-1"},
       .shape = Shape::kList,
       .run = Add},
      {.path = {"protection-group", "remove-member"},
       .summary = "End the protection of VMs; they keep running.",
       .description =
           "Takes the members' volumes out of replication and the members out of the group. Servers and volumes are left as they are.",
       .options = {GroupOption(),
                   {.name = "member",
                    .value = "",
                    .help = "Member names, member ids or server ids.",
                    .required = true,
                    .repeat = true,
                    .names = Names::kMember},
                   RequestIdOption()},
       .examples = {"protector protection-group remove-member prod-web-app web-2"},
       .shape = Shape::kList,
       .run = Remove},
      {.path = {"protection-group", "members"},
       .summary = "List the members: where they run, their volumes, networks and addresses.",
       .description = "Shows what was captured of each member; changes nothing.",
       .options = {GroupOption()},
       .examples = {"protector protection-group members prod-web-app"},
       .shape = Shape::kList,
       .run = List},
  };
}

}  // namespace protector::cli
