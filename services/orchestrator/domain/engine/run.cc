#include "services/orchestrator/domain/engine/run.h"

namespace protector::orchestrator {

bool Ended(op::State state) {
  switch (state) {
    case op::COMPLETED:
    case op::COMPLETED_WITH_ERRORS:
    case op::FAILED:
    case op::CANCELLED:
    case op::ROLLED_BACK:
      return true;
    default:
      return false;
  }
}

Run::Run(op::OperationRecord header, std::shared_ptr<const op::PlanRecord> plan, std::vector<op::TaskRecord> tasks)
    : header_(std::move(header)), plan_(std::move(plan)), tasks_(std::move(tasks)) {
  for (size_t i = 0; i < spent_.size(); ++i) {
    const auto found = operation().time_spent_ms().find(SpenderName(static_cast<Spender>(i)));
    if (found != operation().time_spent_ms().end()) spent_[i] = absl::Milliseconds(found->second);
  }
  nodes_.resize(tasks_.size());
  for (int i = 0; i < size(); ++i) Link(i);
  Rebuild();
}

void Run::Link(int index) {
  by_id_[task(index).task().id()] = index;
  for (int before : task(index).after()) node(before).success_of.push_back(index);
  for (int before : task(index).after_settled()) node(before).settled_of.push_back(index);
}

int Run::Append(std::vector<op::TaskRecord> tasks) {
  const int first = size();
  for (op::TaskRecord& task : tasks) tasks_.push_back(std::move(task));
  nodes_.resize(tasks_.size());
  for (int i = first; i < size(); ++i) Link(i);
  Rebuild();
  header_.set_tasks(size());
  header_changed = true;
  return first;
}

int Run::Find(const std::string& task_id) const {
  const auto found = by_id_.find(task_id);
  return found == by_id_.end() ? -1 : found->second;
}

std::string Run::Output(const std::string& task_id, const std::string& key) const {
  const int index = Find(task_id);
  if (index < 0) return "";
  const auto found = task(index).outputs().find(key);
  return found == task(index).outputs().end() ? "" : found->second;
}

op::State Run::StateOf(const std::string& task_id) const {
  const int index = Find(task_id);
  return index < 0 ? op::STATE_UNSPECIFIED : task(index).task().state();
}

bool Run::Settled(int index) const {
  const op::State state = task(index).task().state();
  return Succeeded(state) || state == op::FAILED || Blocked(index);
}

bool Run::Ready(int index) const {
  const Node& node = nodes_[static_cast<size_t>(index)];
  return node.waits_success == 0 && node.waits_settled == 0 && !node.blocked && !Settled(index);
}

std::vector<int> Run::Settle(int index, op::State state) {
  std::vector<int> ready;
  const bool was_settled = Settled(index);
  const bool had_succeeded = Succeeded(task(index).task().state());
  mutable_task(index).mutable_task()->set_state(state);
  node(index).blocked = false;
  changed = true;
  if (Succeeded(state) && !had_succeeded) {
    for (int next : node(index).success_of) {
      if (--node(next).waits_success == 0 && Ready(next)) ready.push_back(next);
    }
  }
  if (!was_settled) NowSettled(index, ready);
  if (!Succeeded(state)) {
    for (int next : node(index).success_of) Block(next, ready);
  }
  return ready;
}

void Run::NowSettled(int index, std::vector<int>& ready) {
  --UnsettledOf(index);
  for (int next : node(index).settled_of) {
    if (--node(next).waits_settled == 0 && Ready(next)) ready.push_back(next);
  }
}

void Run::Block(int index, std::vector<int>& ready) {
  if (Settled(index)) return;
  node(index).blocked = true;
  NowSettled(index, ready);
  for (int next : node(index).success_of) Block(next, ready);
}

void Run::Rebuild() {
  for (Node& node : nodes_) {
    node.waits_success = node.waits_settled = 0;
    node.blocked = false;
  }
  // Blocked is what a failed task reaches over success edges.
  std::vector<int> front;
  for (int i = 0; i < size(); ++i) {
    if (task(i).task().state() == op::FAILED) front.push_back(i);
  }
  while (!front.empty()) {
    const int at = front.back();
    front.pop_back();
    for (int next : node(at).success_of) {
      const op::State state = task(next).task().state();
      if (node(next).blocked || Succeeded(state) || state == op::FAILED) continue;
      node(next).blocked = true;
      front.push_back(next);
    }
  }
  unsettled_main_ = unsettled_deferred_ = 0;
  for (int i = 0; i < size(); ++i) {
    if (!Settled(i)) ++UnsettledOf(i);
    if (!Succeeded(task(i).task().state())) {
      for (int next : node(i).success_of) ++node(next).waits_success;
    }
    if (!Settled(i)) {
      for (int next : node(i).settled_of) ++node(next).waits_settled;
    }
  }
}

void Run::Account(absl::Duration now) {
  if (accounted_at_ != -absl::InfiniteDuration() &&
      !(Ended(operation().state()) || operation().state() == op::PAUSED)) {
    const absl::Duration elapsed = now - accounted_at_;
    int kinds = 0;
    for (int waiting : waiting_for_) kinds += waiting > 0 ? 1 : 0;
    for (size_t i = 0; i < spent_.size(); ++i) {
      if (kinds == 0 && i == static_cast<size_t>(Spender::kOwn)) spent_[i] += elapsed;
      if (kinds > 0 && waiting_for_[i] > 0) spent_[i] += elapsed / kinds;
    }
  }
  accounted_at_ = now;
}

void Run::StoreSpent() {
  for (size_t i = 0; i < spent_.size(); ++i) {
    (*mutable_operation().mutable_time_spent_ms())[SpenderName(static_cast<Spender>(i))] =
        absl::ToInt64Milliseconds(spent_[i]);
  }
}

}  // namespace protector::orchestrator
