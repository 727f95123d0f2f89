#pragma once
// Operations on disk. Everything that one turn of the engine decides is one transaction: outcomes, and the intents that
// follow from them. Records: "operations" (headers), "operation_plans" (document and plans), "operation_tasks"
// ("<operation>/<position>").
//
// Threads: as the store; a Turn is used by one thread. Ownership: the store outlives it. Failure: the store's statuses.

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/store/store.h"
#include "services/orchestrator/domain/engine/run.h"

namespace protector::orchestrator {

class Journal {
 public:
  explicit Journal(store::Store& store) : store_(store) {}

  // The writes of one turn.
  class Turn {
   public:
    void Header(const Run& run);
    void Plan(const Run& run);
    void Task(const Run& run, int index);
    bool empty() const { return batch_.empty(); }
    const store::Batch& batch() const { return batch_; }

   private:
    store::Batch batch_;
  };
  absl::Status Write(const Turn& turn);

  absl::StatusOr<std::vector<op::OperationRecord>> LoadHeaders();
  absl::StatusOr<op::OperationRecord> LoadHeader(const std::string& operation_id);
  absl::StatusOr<std::unique_ptr<Run>> LoadRun(op::OperationRecord header);

 private:
  store::Store& store_;
};

}  // namespace protector::orchestrator
