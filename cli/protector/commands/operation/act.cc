#include <fmt/format.h>

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

using Operations = op_pb::OperationService;
using Method = ::grpc::Status (Operations::StubInterface::*)(::grpc::ClientContext*,
                                                             const op_pb::OperationActionRequest&, op_pb::Operation*);

absl::Status Act(Context& context, Method method, const char* name, bool needs_reason) {
  const Arguments& given = context.arguments;
  PROTECTOR_ASSIGN_OR_RETURN(const std::string id, OperationArgument(context));
  op_pb::OperationActionRequest request;
  if (given.Has("task")) PROTECTOR_RETURN_IF_ERROR(CheckReference("task", given.Get("task")));
  if (needs_reason && given.Get("reason").empty())
    return UsageError("--reason is empty").Remedy("Say why: it is recorded with the operation.");
  PROTECTOR_RETURN_IF_ERROR(CheckText("reason", given.Get("reason"), 1024));
  request.set_task(given.Get("task"));
  request.set_reason(given.Get("reason"));
  PROTECTOR_ASSIGN_OR_RETURN(*request.mutable_request_id(), context.RequestId());
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  PROTECTOR_ASSIGN_OR_RETURN(const FoundOperation found, FindOperation(context, *session, id, false));
  request.set_id(found.operation.id());
  CallHow how;
  how.project = found.project;
  how.request_id = request.request_id();
  PROTECTOR_ASSIGN_OR_RETURN(op_pb::Operation after,
                             (session->Call<Operations>(found.site, method, name, request, how)));
  if (!given.Has("wait")) return context.Show(OperationRecord(after, /*brief=*/false));
  WatchOptions options;
  options.project = found.project;
  PROTECTOR_ASSIGN_OR_RETURN(after, WatchToEnd(context, *session, found.site, after.id(), options));
  PROTECTOR_RETURN_IF_ERROR(context.Show(OperationRecord(after, /*brief=*/false)));
  // A cancel that was waited for has done what was asked when everything is as before.
  if (std::string(name) == "CancelOperation")
    return after.state() == op_pb::CANCELLED ? absl::OkStatus() : Verdict(after);
  return Verdict(after);
}

Command Action(const char* verb, const char* summary, const char* description, Method method, const char* name,
               std::vector<Option> options, bool needs_reason = false) {
  options.insert(options.begin(), OperationOption());
  options.push_back({.name = "--wait", .value = "", .help = "Stay until the operation has ended, with live progress."});
  options.push_back(RequestIdOption());
  return {.path = {"operation", verb},
          .summary = summary,
          .description = description,
          .options = options,
          .examples = {fmt::format(
              "protector operation {} op-7f3a2b1c{}", verb,
              needs_reason ? " --task recreate_vms/create-server/web-2 --reason 'flavor is gone'" : "")},
          .shape = Shape::kObject,
          .run = [method, name, needs_reason](Context& context) { return Act(context, method, name, needs_reason); },
          .exit_codes = "3 when the operation's status does not allow it"};
}

}  // namespace

std::vector<Command> OperationActionCommands() {
  const Option reason{.name = "--reason", .value = "TEXT", .help = "Why; recorded."};
  const Option needed_reason{.name = "--reason", .value = "TEXT", .help = "Why; recorded.", .required = true};
  return {
      Action(
          "cancel", "Roll an operation back, as long as that is possible.",
          "Until the storage is switched, everything is put back: VMs run again on the source site, nothing is left on the target. After that it is refused "
          "(PAST_POINT_OF_NO_RETURN): the operation can only go forward.",
          &Operations::StubInterface::CancelOperation, "CancelOperation", {reason}),
      Action("pause", "Start no further task; running ones end.",
             "The operation stays where it is until `operation resume`.", &Operations::StubInterface::PauseOperation,
             "PauseOperation", {reason}),
      Action("resume", "Go on after a pause, or after the engine has held the operation.",
             "Look at `operation show` first: it says why the operation is held.",
             &Operations::StubInterface::ResumeOperation, "ResumeOperation", {reason}),
      Action(
          "retry", "Try failed tasks again, and what is pending after the operation.",
          "Without --task: everything that failed, and pending reprotect and cleanup now. What was done is not done twice.",
          &Operations::StubInterface::RetryOperation, "RetryOperation",
          {{.name = "--task", .value = "TASK", .help = "Only this task or step (see `operation show --tasks`)."},
           reason}),
      Action(
          "skip", "Leave out a failed task or a pending step.",
          "The operation goes on without it; the reason is recorded. What needs its result is left out with it: a member that "
          "lacks a volume is not started on the target, and keeps its server and data on the source. Tasks that the "
          "operation rests on (its metadata, fencing) cannot be left out.",
          &Operations::StubInterface::SkipTask, "SkipTask",
          {{.name = "--task",
            .value = "TASK",
            .help = "Task or step to leave out (see `operation show --tasks`).",
            .required = true},
           needed_reason},
          true),
  };
}

}  // namespace protector::cli
