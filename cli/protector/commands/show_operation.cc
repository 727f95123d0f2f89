#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cli/protector/commands/show.h"

namespace protector::cli {
namespace {

std::string Percent(int progress) {
  return fmt::format("{}%", progress);
}

std::string StateText(op_pb::State state) {
  return Lower(op_pb::State_Name(state));
}

json::Value StepNames(const op_pb::Operation& operation, const std::function<bool(op_pb::State)>& wanted) {
  json::Value names = json::Value::Array();
  for (const op_pb::Step& step : operation.steps()) {
    if (wanted(step.state())) names.Append(step.name());
  }
  return names;
}

bool Failed(op_pb::State state) {
  return state == op_pb::FAILED;
}

json::Value ProblemJson(const op_pb::Problem& problem) {
  return json::Value::Object({{"step", problem.step()},
                              {"task", problem.task()},
                              {"cause", problem.cause()},
                              {"object", problem.object()},
                              {"remedy", problem.remedy()},
                              {"reason", problem.reason()},
                              {"site", problem.site()},
                              {"time", TimeText(problem.has_time(), problem.time())}});
}

json::Value StepsJson(const op_pb::Operation& operation) {
  json::Value steps = json::Value::Array();
  for (const op_pb::Step& step : operation.steps()) {
    json::Value entry = json::Value::Object({{"name", step.name()},
                                             {"status", StateText(step.state())},
                                             {"progress", Percent(static_cast<int>(step.progress() * 100))},
                                             {"started_at", TimeText(step.has_start_time(), step.start_time())},
                                             {"completed_at", TimeText(step.has_end_time(), step.end_time())},
                                             {"detail", step.detail()}});
    json::Value tasks = json::Value::Array();
    for (const op_pb::Task& task : step.tasks()) {
      tasks.Append(json::Value::Object(
          {{"id", task.id()},
           {"kind", task.kind()},
           {"object", task.object()},
           {"site", task.site()},
           {"status", StateText(task.state())},
           {"outcome", task.outcome() == op_pb::OUTCOME_UNSPECIFIED ? "" : Lower(op_pb::Outcome_Name(task.outcome()))},
           {"attempts", task.attempts()},
           {"started_at", TimeText(task.has_start_time(), task.start_time())},
           {"completed_at", TimeText(task.has_end_time(), task.end_time())},
           {"detail", task.detail()},
           {"problem", task.has_problem() ? ProblemJson(task.problem()) : json::Value(nullptr)}}));
    }
    if (tasks.size() > 0) entry.Set("tasks", std::move(tasks));
    steps.Append(std::move(entry));
  }
  return steps;
}

json::Value MembersJson(const op_pb::Operation& operation) {
  json::Value members = json::Value::Array();
  for (const op_pb::MemberResult& member : operation.members()) {
    members.Append(json::Value::Object(
        {{"name", member.name()},
         {"member_id", member.member_id()},
         {"server_id", member.server_id()},
         {"status", member.status()},
         {"downtime_ms", member.downtime_ms()},
         {"addresses", std::vector<std::string>(member.addresses().begin(), member.addresses().end())},
         {"problem", member.problem()}}));
  }
  return members;
}

json::Value MappingsJson(const op_pb::Operation& operation) {
  json::Value mappings = json::Value::Array();
  for (const group_pb::Mapping& mapping : operation.mappings().mappings()) {
    mappings.Append(json::Value::Object({{"kind", Lower(group_pb::MappingKind_Name(mapping.kind()))},
                                         {"source", mapping.source()},
                                         {"target", mapping.target()}}));
  }
  return mappings;
}

}  // namespace

std::string ErrorMessage(const op_pb::Operation& operation) {
  if (!operation.hold_reason().empty()) return operation.hold_reason();
  const bool ended_badly = operation.state() == op_pb::FAILED || operation.state() == op_pb::ROLLED_BACK ||
                           operation.state() == op_pb::CANCELLED || operation.state() == op_pb::CANCELLING ||
                           operation.state() == op_pb::COMPLETED_WITH_ERRORS;
  const bool step_failed = std::any_of(operation.steps().begin(), operation.steps().end(),
                                       [](const op_pb::Step& step) { return Failed(step.state()); });
  if ((!ended_badly && !step_failed) || operation.problems().empty()) return "";
  const op_pb::Problem& last = *operation.problems().rbegin();
  return (last.step().empty() ? "" : last.step() + ": ") + ProblemText(last);
}

Record OperationRecord(const op_pb::Operation& operation, bool brief) {
  Record record;
  const auto completed = [](op_pb::State state) {
    return state == op_pb::COMPLETED || state == op_pb::COMPLETED_WITH_ERRORS;
  };
  const auto pending = [](op_pb::State state) {
    return state == op_pb::PENDING || state == op_pb::RUNNING || state == op_pb::PAUSED;
  };
  record.Add("operation_id", operation.id())
      .Add("operation_type", OperationTypeText(operation.type()))
      .Add("status", StateText(operation.state()))
      .Add("progress", Percent(operation.progress()));
  if (brief) record.Add("source_site", operation.source_site()).Add("target_site", operation.target_site());
  record.Add("started_at", TimeText(operation.has_start_time(), operation.start_time()))
      .Add("completed_at", TimeText(operation.has_end_time(), operation.end_time()))
      .Add("steps_completed", StepNames(operation, completed))
      .Add("steps_failed", StepNames(operation, Failed))
      .Add("error_message", ErrorMessage(operation));
  record.Add("type", MannerText(operation.type())).Add("protection_group", operation.group_name());
  if (!brief) record.Add("source_site", operation.source_site()).Add("target_site", operation.target_site());
  record.Add("steps_pending", StepNames(operation, pending))
      .Add("recovery_point", operation.recovery_point())
      .Add("recovery_point_time", TimeText(operation.has_recovery_point_time(), operation.recovery_point_time()))
      .Add("warnings", std::vector<std::string>(operation.warnings().begin(), operation.warnings().end()))
      .Add("serving", operation.conditions().serving())
      .Add("protected", operation.conditions().protected_())
      .Add("clean", operation.conditions().clean());
  record.AddMachine("conditions_reason", operation.conditions().reason())
      .AddMachine("progress_percent", operation.progress())
      .AddMachine("hold_reason", operation.hold_reason())
      .AddMachine("steps_skipped", StepNames(operation, [](op_pb::State state) { return state == op_pb::SKIPPED; }))
      .AddMachine("steps", StepsJson(operation))
      .AddMachine("members", MembersJson(operation))
      .AddMachine("mappings", MappingsJson(operation))
      .AddMachine("past_point_of_no_return", operation.past_point_of_no_return())
      .AddMachine("force", operation.force())
      .AddMachine("reverse_replication", operation.reverse_replication())
      .AddMachine("accept_data_loss", operation.accept_data_loss())
      .AddMachine("group_id", operation.group_id())
      .AddMachine("epoch", operation.epoch())
      .AddMachine("metadata_version", operation.metadata_version())
      .AddMachine("request_id", operation.request_id());
  json::Value problems = json::Value::Array();
  for (const op_pb::Problem& problem : operation.problems()) problems.Append(ProblemJson(problem));
  record.AddMachine("problems", std::move(problems));
  json::Value spent = json::Value::Object();
  for (const auto& [what, ms] :
       std::map<std::string, int64_t>(operation.time_spent_ms().begin(), operation.time_spent_ms().end()))
    spent.Set(what, ms);
  record.AddMachine("time_spent_ms", std::move(spent));
  if (brief) {
    for (size_t i = 6; i < record.fields.size(); ++i) record.fields[i].machine_only = true;
  }
  return record;
}

Listing OperationListing(const std::vector<op_pb::Operation>& operations) {
  Listing listing;
  listing.columns = {
      {"operation_id"},       {"operation_type"}, {"type"},        {"protection_group"}, {"status"},
      {"progress"},           {"source_site"},    {"target_site"}, {"started_at"},       {"completed_at"},
      {"error_message", true}};
  for (const op_pb::Operation& operation : operations) {
    listing.rows.push_back({operation.id(), OperationTypeText(operation.type()), MannerText(operation.type()),
                            operation.group_name(), StateText(operation.state()), Percent(operation.progress()),
                            operation.source_site(), operation.target_site(),
                            TimeText(operation.has_start_time(), operation.start_time()),
                            TimeText(operation.has_end_time(), operation.end_time()), ErrorMessage(operation)});
  }
  return listing;
}

Listing MemberResults(const op_pb::Operation& operation) {
  Listing listing;
  listing.columns = {{"name"}, {"server_id"}, {"status"}, {"downtime_s"}, {"addresses"}, {"problem"}};
  for (const op_pb::MemberResult& member : operation.members()) {
    json::Value downtime = nullptr;
    if (member.downtime_ms() > 0) downtime = static_cast<double>(member.downtime_ms()) / 1000.0;
    listing.rows.push_back({member.name(), member.server_id(), member.status(), downtime,
                            std::vector<std::string>(member.addresses().begin(), member.addresses().end()),
                            member.problem()});
  }
  return listing;
}

Listing TaskListing(const op_pb::Operation& operation) {
  Listing listing;
  listing.columns = {{"task"}, {"object"}, {"site"}, {"status"}, {"attempts"}, {"detail"}, {"problem"}};
  for (const op_pb::Step& step : operation.steps()) {
    for (const op_pb::Task& task : step.tasks()) {
      listing.rows.push_back({task.id(), task.object(), task.site(), StateText(task.state()), task.attempts(),
                              task.detail(), task.has_problem() ? ProblemText(task.problem()) : ""});
    }
  }
  return listing;
}

}  // namespace protector::cli
