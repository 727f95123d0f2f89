#include "services/orchestrator/domain/engine/log_lines.h"

#include <fmt/format.h>

#include <cctype>
#include <utility>

#include "services/orchestrator/domain/times.h"

namespace protector::orchestrator {
namespace {

// As the command line shows states.
std::string Lower(std::string name) {
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return name;
}

std::string StateName(op::State state) {
  return Lower(op::State_Name(state));
}

std::vector<log::Field> FieldsOf(const Run& run, const op::TaskRecord& record) {
  std::vector<log::Field> fields = log::Field::Of(PurposeOf(run, record));
  fields.emplace_back("request_id", run.operation().request_id());
  fields.emplace_back("object", record.task().object());
  fields.emplace_back("on_site", record.task().site());
  fields.emplace_back("attempts", record.task().attempts());
  return fields;
}

int64_t Milliseconds(const google::protobuf::Timestamp& from, const google::protobuf::Timestamp& to) {
  return absl::ToInt64Milliseconds(FromProto(to) - FromProto(from));
}

}  // namespace

int64_t EpochNow(const Run& run) {
  return run.operation().epoch() + (run.operation().past_point_of_no_return() ? 1 : 0);
}

Purpose PurposeOf(const Run& run, const op::TaskRecord& record) {
  return {run.id(), record.task().step(), record.task().id(), EpochNow(run)};
}

std::string DescriptionOf(const Run& run) {
  const op::Operation& operation = run.operation();
  return fmt::format("{} of {} from {} to {}, {}{}", Lower(op::OperationType_Name(operation.type())),
                     operation.group_name(), operation.source_site(), operation.target_site(),
                     StateName(operation.state()), operation.force() ? ", by force" : "");
}

void LogAccepted(const log::Logger& logger, const Run& run) {
  const op::Operation& operation = run.operation();
  logger.Info("operation accepted", {{"operation", run.id()},
                                     {"type", Lower(op::OperationType_Name(operation.type()))},
                                     {"group", operation.group_name()},
                                     {"epoch", operation.epoch()},
                                     {"source_site", operation.source_site()},
                                     {"target_site", operation.target_site()},
                                     {"request_id", operation.request_id()}});
}

void LogSettled(const log::Logger& logger, const Run& run, const op::TaskRecord& record) {
  const op::Task& task = record.task();
  std::vector<log::Field> fields = FieldsOf(run, record);
  fields.emplace_back("state", StateName(task.state()));
  if (task.has_start_time()) fields.emplace_back("duration_ms", Milliseconds(task.start_time(), task.end_time()));
  if (!task.detail().empty()) fields.emplace_back("detail", task.detail());
  logger.Info("task ended", std::move(fields));
}

void LogRetry(const log::Logger& logger, const Run& run, const op::TaskRecord& record, const absl::Status& why) {
  logger.Warning("task is tried again", why, FieldsOf(run, record));
}

void LogEnded(const log::Logger& logger, const Run& run) {
  const op::Operation& operation = run.operation();
  logger.Info("operation ended", {{"operation", run.id()},
                                  {"group", operation.group_name()},
                                  {"epoch", EpochNow(run)},
                                  {"state", StateName(operation.state())},
                                  {"duration_ms", Milliseconds(operation.start_time(), operation.end_time())},
                                  {"problems", operation.problems_size()},
                                  {"request_id", operation.request_id()}});
}

}  // namespace protector::orchestrator
