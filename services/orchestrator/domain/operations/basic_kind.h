#pragma once
// A kind whose traits are fixed, with what most kinds need.
//
// Threads: as TaskKind. Ownership: the context outlives it. Failure: none of its own.

#include <utility>

#include "libs/base/error.h"
#include "services/orchestrator/domain/engine/log_lines.h"
#include "services/orchestrator/domain/operations/kinds.h"

namespace protector::orchestrator {

class BasicKind : public TaskKind {
 public:
  BasicKind(const OperationContext& context, Traits traits) : context_(context), traits_(std::move(traits)) {}
  Traits TraitsOf(const Run&, const op::TaskRecord& task) const override {
    Traits traits = traits_;
    // Pending work waits for the other site as long as it takes.
    if (task.deferred()) traits.patient = true;
    return traits;
  }

 protected:
  static Call CallOf(const Run& run, const op::TaskRecord& task, absl::Duration timeout) {
    Call call(timeout, run.operation().request_id());
    call.purpose = PurposeOf(run, task);
    return call;
  }
  Call CallOf(const Run& run, const op::TaskRecord& task) const { return CallOf(run, task, context_.timeouts.call); }

  const OperationContext& context_;
  const Traits traits_;
};

// A kind made of one function; for questions and for changes that are idempotent by contract.
class SimpleKind final : public BasicKind {
 public:
  using Begin = std::function<Work(const OperationContext&, const Run&, const op::TaskRecord&, const Call&)>;
  SimpleKind(const OperationContext& context, Traits traits, Begin begin)
      : BasicKind(context, std::move(traits)), begin_(std::move(begin)) {}
  Work Act(const Run& run, const op::TaskRecord& task) const override {
    return begin_(context_, run, task, CallOf(run, task));
  }

 private:
  Begin begin_;
};

// One that is waited for by looking at each task by itself.
class WatchedKind final : public BasicKind {
 public:
  using Begin = std::function<Work(const OperationContext&, const Run&, const op::TaskRecord&, const Call&)>;
  WatchedKind(const OperationContext& context, Traits traits, Begin begin, Begin look)
      : BasicKind(context, std::move(traits)), begin_(std::move(begin)), look_(std::move(look)) {}
  Work Act(const Run& run, const op::TaskRecord& task) const override {
    return begin_(context_, run, task, CallOf(run, task));
  }
  Looks Look(const Run& run, const std::vector<const op::TaskRecord*>& tasks) const override {
    std::vector<Work> looks;
    for (const op::TaskRecord* task : tasks) looks.push_back(look_(context_, run, *task, CallOf(run, *task)));
    return [looks = std::move(looks)] {
      std::vector<Verdict> verdicts;
      for (const Work& look : looks) verdicts.push_back(look());
      return verdicts;
    };
  }

 private:
  Begin begin_;
  Begin look_;
};

}  // namespace protector::orchestrator
