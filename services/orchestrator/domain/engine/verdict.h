#pragma once
// What an attempt, a probe or a look at a task's object found.
//
// Threads: values. Failure: none.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "protector/operation/v1/record.pb.h"
#include "services/orchestrator/ports/contracts.h"

namespace protector::orchestrator {

struct Verdict {
  enum class Kind {
    kDone,           // the object is as it should be
    kAccepted,       // the change was accepted; wait for its end
    kWaiting,        // (look) not there yet; (probe) may happen yet, so act on nothing
    kAgain,          // (look) a further attempt of kind `variant` is due
    kNotDone,        // certainly without effect; `status` says why (OK from a probe: there is simply no trace)
    kUnknown,        // may have happened; `status` says what was seen
    kFailed,         // ended wrong; trying again by itself is of no use
    kContradiction,  // reality contradicts the journal: hold
    kSuperseded,     // another operation has taken this work over
  };
  Kind kind = Kind::kDone;
  absl::Status status;
  std::string variant;
  std::map<std::string, std::string> outputs;
  std::vector<std::string> warnings;
  std::string detail;
  double progress = -1;  // -1: unchanged
  // Set by tasks that renew what the operation works on; kept durably with their outcome.
  std::shared_ptr<op::PlanRecord> plan = nullptr;

  static Verdict Done(std::map<std::string, std::string> outputs = {});
  static Verdict Accepted(std::map<std::string, std::string> outputs = {});
  static Verdict Waiting(double progress = -1, const std::string& detail = "");
  static Verdict Again(const std::string& variant, std::map<std::string, std::string> outputs = {});
  static Verdict NotDone(absl::Status status = absl::OkStatus());
  static Verdict Failed(absl::Status status);
  static Verdict Contradiction(const std::string& what, const std::string& object, const std::string& remedy);
  static Verdict Superseded(const std::string& why);
  // Of a question that failed: nothing was changed.
  static Verdict OfQuestion(const absl::Status& status);
  // Of a change that failed: refused (certain), throttled (certain), or its answer was lost (unknown).
  static Verdict OfChange(const absl::Status& status);
};

// Worth trying again by itself: the other side did not answer, was busy, throttled, or lost a race.
bool IsTransient(const absl::Status& status);
// Throttled or out of quota: slow down.
bool IsThrottled(const absl::Status& status);

}  // namespace protector::orchestrator
