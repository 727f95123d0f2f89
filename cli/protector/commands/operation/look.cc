#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "cli/protector/args/input.h"
#include "cli/protector/args/usage.h"
#include "cli/protector/commands/commands.h"
#include "cli/protector/commands/operation/find.h"
#include "cli/protector/commands/operation/options.h"
#include "cli/protector/commands/show.h"
#include "cli/protector/progress/watch.h"
#include "libs/base/error.h"

namespace protector::cli {
namespace {

absl::Status List(Context& context) {
  const Arguments& given = context.arguments;
  op_pb::ListOperationsRequest request;
  if (given.Has("group")) PROTECTOR_RETURN_IF_ERROR(CheckReference("protection group", given.Get("group")));
  request.set_group(given.Get("group"));
  for (const std::string& word : given.All("status")) {
    op_pb::State state;
    std::string upper = word;
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (!op_pb::State_Parse(upper, &state)) return UsageError(fmt::format("'{}' is not a status", word));
    request.add_states(state);
  }
  PROTECTOR_ASSIGN_OR_RETURN(const int64_t limit, given.Int("limit", 100, 1, 100000));
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  PROTECTOR_ASSIGN_OR_RETURN(
      const auto operations,
      ListOperationsEverywhere(context, *session, request, given.Has("all-projects"), static_cast<size_t>(limit)));
  return context.Show(OperationListing(operations));
}

absl::Status Show(Context& context) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string id, OperationArgument(context));
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  const bool tasks = context.arguments.Has("tasks") || !context.for_people();
  PROTECTOR_ASSIGN_OR_RETURN(const FoundOperation found, FindOperation(context, *session, id, tasks));
  PROTECTOR_RETURN_IF_ERROR(context.Show(OperationRecord(found.operation, /*brief=*/false)));
  if (!context.for_people() || !context.style().columns.empty()) return absl::OkStatus();
  if (context.arguments.Has("members")) PROTECTOR_RETURN_IF_ERROR(context.Show(MemberResults(found.operation)));
  if (context.arguments.Has("tasks")) PROTECTOR_RETURN_IF_ERROR(context.Show(TaskListing(found.operation)));
  return absl::OkStatus();
}

absl::Status Watch(Context& context) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string id, OperationArgument(context));
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  PROTECTOR_ASSIGN_OR_RETURN(const FoundOperation found, FindOperation(context, *session, id, false));
  WatchOptions options;
  options.until_clean = context.arguments.Has("until-clean");
  options.return_on_hold = false;
  options.project = found.project;
  PROTECTOR_ASSIGN_OR_RETURN(const op_pb::Operation ended,
                             WatchToEnd(context, *session, found.site, found.operation.id(), options));
  PROTECTOR_RETURN_IF_ERROR(context.Show(OperationRecord(ended, /*brief=*/false)));
  SayWhatIsLeft(context, ended);
  return Verdict(ended);
}

}  // namespace

Option OperationOption() {
  return {.name = "operation",
          .value = "",
          .help = "Id of the operation, or its first characters (at least 8 after op-).",
          .required = true,
          .names = Names::kOperation};
}

std::vector<Command> OperationCommands() {
  return {
      {.path = {"operation", "list"},
       .summary = "List operations, most recent first.",
       .description =
           "Asks both sites, because an operation is kept by the site that was moved to. A site that does not answer is said on stderr. Changes nothing.",
       .options =
           {{.name = "--group", .value = "GROUP", .help = "Only this protection group's.", .names = Names::kGroup},
            {.name = "--status",
             .value = "STATUS",
             .help = "Only these; may be repeated.",
             .repeat = true,
             .choices = {"pending", "running", "paused", "completed", "completed_with_errors", "failed", "cancelling",
                         "cancelled", "rolled_back"}},
            {.name = "--limit", .value = "N", .help = "At most so many (default 100)."},
            {.name = "--all-projects", .value = "", .help = "Operations of every project."}},
       .examples = {"protector operation list", "protector operation list --group prod-web-app --status running"},
       .shape = Shape::kList,
       .run = List},
      {.path = {"operation", "show"},
       .summary = "Show an operation: status, progress, steps, what failed.",
       .description = "Changes nothing. -f json also has every step, task, member and problem.",
       .options = {OperationOption(),
                   {.name = "--members",
                    .value = "",
                    .help = "Also a table of the members: server on the target, status, downtime."},
                   {.name = "--tasks", .value = "", .help = "Also a table of every task."}},
       .examples = {"protector operation show op-7f3a2b1c-6c1f-4f0e-9a43-1d1f0e6c2b7a",
                    "protector operation show op-7f3a2b1c -f json"},
       .shape = Shape::kObject,
       .run = Show},
      {.path = {"operation", "watch"},
       .summary = "Follow an operation until it has ended, with live progress.",
       .description =
           "A bar and the steps on a terminal, a line for each change elsewhere. Ctrl-C ends only the watching.",
       .options = {OperationOption(),
                   {.name = "--until-clean", .value = "", .help = "Stay also for reverse replication and cleanup."}},
       .examples = {"protector operation watch op-7f3a2b1c"},
       .shape = Shape::kObject,
       .run = Watch,
       .exit_codes = "0 only if the operation completed; 130 when left with Ctrl-C"},
  };
}

}  // namespace protector::cli
