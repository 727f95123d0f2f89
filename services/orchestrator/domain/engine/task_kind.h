#pragma once
// What a kind of task does. The engine asks a kind for *work* on its own thread, under its lock: the kind copies there
// what the work needs. The work runs on a worker, calls ports, and sees nothing of the engine.
//
// Order for a kind that changes something: the intent is made durable -> Act. After a crash, or an answer that was
// lost, Probe comes first: it finds the effect by its mark or by the object's own id and says kDone / kAccepted
// (adopt), kNotDone (no trace: act again) or kContradiction (hold). A kind whose call is idempotent by contract needs
// no probe of its own: the default says kNotDone, and the repeated call adopts.
//
// Threads: the methods are called by one thread at a time; works run anywhere. Ownership: kinds outlive the engine.
// Failure: verdicts.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/orchestrator/domain/engine/limits.h"
#include "services/orchestrator/domain/engine/verdict.h"

namespace protector::orchestrator {

class Run;

// What the failure of one task means.
enum class OnFailure {
  kMember,     // its member does not come up; the others go on
  kOperation,  // the whole operation: rolls back before the point of no return, fails after it
  kTolerated,  // a warning; whoever waits for it waits only for its end
  kCleanup,    // the move is done all the same; the work stays pending
};

// What leaving out a failed task (a human's skip) takes with it.
enum class LeaveOut {
  kAlone,           // whoever waits for it goes on
  kWithDependents,  // what needs its success is left out as well: of its member, and of no other
  kNever,           // the operation rests on it
};

struct Traits {
  Api api = Api::kNone;
  bool changes = true;  // false: a question; needs no intent
  OnFailure on_failure = OnFailure::kMember;
  // Tasks of one look group and operation are looked at with one call. Empty: nothing to wait for.
  std::string look_group = {};
  absl::Duration look_min = absl::Milliseconds(100);
  absl::Duration look_max = absl::Seconds(5);
  absl::Duration wait_limit = absl::InfiniteDuration();  // then it fails
  int max_tries = 8;                                     // automatic ones, while failures are transient
  bool patient = false;                                  // no limit on tries: it waits for the other site
  std::optional<LeaveOut> leave_out = {};                // unset: by what its failure means
};

// kOperation: kNever; kTolerated: kAlone; else kWithDependents.
LeaveOut LeaveOutOf(const Traits& traits);

class TaskKind {
 public:
  using Work = std::function<Verdict()>;
  using Looks = std::function<std::vector<Verdict>()>;

  virtual ~TaskKind() = default;
  virtual Traits TraitsOf(const Run& run, const op::TaskRecord& task) const = 0;
  // Mark and state before, for the intent.
  virtual void FillIntent(const Run& run, const op::TaskRecord& task, op::Intent& intent) const;
  virtual Work Probe(const Run& run, const op::TaskRecord& task) const;
  virtual Work Act(const Run& run, const op::TaskRecord& task) const = 0;
  // One verdict for each task, in their order.
  virtual Looks Look(const Run& run, const std::vector<const op::TaskRecord*>& tasks) const;
};

}  // namespace protector::orchestrator
