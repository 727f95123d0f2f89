#pragma once
// One operation in memory: its header, what it works on, its tasks and the graph between them. Pure state: each change
// of one task costs only its edges.
//
// A task is *settled* when nothing more will come of it by itself: completed, skipped, failed, or blocked (something it
// needs has failed). `after` edges need success (or a skip); `after_settled` edges need only the end.
//
// Threads: one at a time (the engine's lock). Ownership: owns its records. Failure: none; unknown ids give -1 or "".

#include <array>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/time/time.h"
#include "protector/operation/v1/record.pb.h"
#include "services/orchestrator/domain/engine/limits.h"
#include "services/orchestrator/ports/contracts.h"

namespace protector::orchestrator {

class Run {
 public:
  Run(op::OperationRecord header, std::shared_ptr<const op::PlanRecord> plan, std::vector<op::TaskRecord> tasks);

  const std::string& id() const { return header_.operation().id(); }
  const op::OperationRecord& header() const { return header_; }
  op::OperationRecord& mutable_header() { return header_; }
  const op::Operation& operation() const { return header_.operation(); }
  op::Operation& mutable_operation() { return *header_.mutable_operation(); }

  const std::shared_ptr<const op::PlanRecord>& plan() const { return plan_; }
  void set_plan(std::shared_ptr<const op::PlanRecord> plan) { plan_ = std::move(plan); }
  const groups::GroupDocument& document() const { return plan_->document(); }

  int size() const { return static_cast<int>(tasks_.size()); }
  const op::TaskRecord& task(int index) const { return tasks_[static_cast<size_t>(index)]; }
  op::TaskRecord& mutable_task(int index) { return tasks_[static_cast<size_t>(index)]; }
  int Find(const std::string& task_id) const;
  // An output of a task by id; "" when there is none.
  std::string Output(const std::string& task_id, const std::string& key) const;
  op::State StateOf(const std::string& task_id) const;  // STATE_UNSPECIFIED: no such task

  // Adds tasks; `after` in them are positions in the whole list. Returns the first new position.
  int Append(std::vector<op::TaskRecord> tasks);

  bool Ready(int index) const;
  bool Settled(int index) const;
  bool Blocked(int index) const { return nodes_[static_cast<size_t>(index)].blocked; }
  // The tasks that need this one's success.
  const std::vector<int>& NeededBy(int index) const { return nodes_[static_cast<size_t>(index)].success_of; }
  // Moves a task to a settled state and its effects through the graph. Returns tasks that have become ready.
  std::vector<int> Settle(int index, op::State state);
  // Computes the graph's counters anew: after humans made settled tasks pending again.
  void Rebuild();

  int unsettled_main() const { return unsettled_main_; }
  int unsettled_deferred() const { return unsettled_deferred_; }

  // Kept by the engine: tasks whose work is on a worker now.
  std::set<int> working;
  // To be published, to be written (the header), to be written (every task).
  bool changed = false;
  bool header_changed = false;
  bool rewrite_all = false;

  // Time accounting: between two calls, the elapsed time is shared by those who were being waited for.
  void Account(absl::Duration now);
  void StoreSpent();
  void Spend(Spender spender, int by) { waiting_for_[static_cast<size_t>(spender)] += by; }

 private:
  struct Node {
    int waits_success = 0;
    int waits_settled = 0;
    bool blocked = false;
    std::vector<int> success_of;  // tasks that need this one's success
    std::vector<int> settled_of;  // tasks that need this one's end
  };
  Node& node(int index) { return nodes_[static_cast<size_t>(index)]; }
  static bool Succeeded(op::State state) { return state == op::COMPLETED || state == op::SKIPPED; }
  void Link(int index);
  void NowSettled(int index, std::vector<int>& ready);
  void Block(int index, std::vector<int>& ready);
  int& UnsettledOf(int index) { return task(index).deferred() ? unsettled_deferred_ : unsettled_main_; }

  op::OperationRecord header_;
  std::shared_ptr<const op::PlanRecord> plan_;
  std::vector<op::TaskRecord> tasks_;
  std::vector<Node> nodes_;
  std::unordered_map<std::string, int> by_id_;
  int unsettled_main_ = 0;
  int unsettled_deferred_ = 0;
  std::array<int, static_cast<size_t>(Spender::kCount)> waiting_for_{};
  absl::Duration accounted_at_ = -absl::InfiniteDuration();
  std::array<absl::Duration, static_cast<size_t>(Spender::kCount)> spent_{};
};

// True once the operation itself has ended (pending work may remain).
bool Ended(op::State state);

}  // namespace protector::orchestrator
