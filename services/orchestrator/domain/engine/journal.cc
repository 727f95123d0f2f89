#include "services/orchestrator/domain/engine/journal.h"

#include <fmt/format.h>

#include "libs/base/error.h"

namespace protector::orchestrator {
namespace {

const failpoint::Site kWrite("journal-write", &store::LostWrite);

constexpr char kHeaders[] = "operations";
constexpr char kPlans[] = "operation_plans";
constexpr char kTasks[] = "operation_tasks";

std::string TaskKey(const std::string& operation_id, int index) {
  return fmt::format("{}/{:06}", operation_id, index);
}

absl::Status Unreadable(const std::string& what) {
  return Error(absl::StatusCode::kDataLoss, "RECORD_UNREADABLE", fmt::format("the record of {} cannot be read", what))
      .Object(what)
      .Remedy("Restore the store from a backup, or start the program version that wrote it.");
}

}  // namespace

void Journal::Turn::Header(const Run& run) {
  batch_.Put(kHeaders, run.id(), run.header().SerializeAsString());
}

void Journal::Turn::Plan(const Run& run) {
  batch_.Put(kPlans, run.id(), run.plan()->SerializeAsString());
}

void Journal::Turn::Task(const Run& run, int index) {
  batch_.Put(kTasks, TaskKey(run.id(), index), run.task(index).SerializeAsString());
}

absl::Status Journal::Write(const Turn& turn) {
  return failpoint::Around(kWrite, [&] { return store_.Transaction(turn.batch()).status(); });
}

absl::StatusOr<std::vector<op::OperationRecord>> Journal::LoadHeaders() {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<store::Record> records, store_.ListAll(kHeaders));
  std::vector<op::OperationRecord> headers;
  for (const store::Record& record : records) {
    if (!headers.emplace_back().ParseFromString(record.value)) return Unreadable("operation " + record.key);
  }
  return headers;
}

absl::StatusOr<op::OperationRecord> Journal::LoadHeader(const std::string& operation_id) {
  PROTECTOR_ASSIGN_OR_RETURN(const store::Record stored, store_.Get(kHeaders, operation_id));
  op::OperationRecord header;
  if (!header.ParseFromString(stored.value)) return Unreadable("operation " + operation_id);
  return header;
}

absl::StatusOr<std::unique_ptr<Run>> Journal::LoadRun(op::OperationRecord header) {
  const std::string id = header.operation().id();
  auto plan = std::make_shared<op::PlanRecord>();
  PROTECTOR_ASSIGN_OR_RETURN(const store::Record stored, store_.Get(kPlans, id));
  if (!plan->ParseFromString(stored.value)) return Unreadable("operation " + id);
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<store::Record> records, store_.ListAll(kTasks, id + "/"));
  std::vector<op::TaskRecord> tasks;
  tasks.reserve(records.size());
  for (const store::Record& record : records) {
    if (!tasks.emplace_back().ParseFromString(record.value)) return Unreadable("task " + record.key);
  }
  return std::make_unique<Run>(std::move(header), std::move(plan), std::move(tasks));
}

}  // namespace protector::orchestrator
