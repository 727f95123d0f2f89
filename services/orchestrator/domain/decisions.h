#pragma once
// What this site decides about operations and groups, for whoever keeps a record of it (libs/audit).
//
// Threads: called from any; may block for as long as a write to the disk takes. Ownership: outlives who decides.
// Failure: none that would hold a decision up; the record's keeper tells of it.

#include <string>

namespace protector::orchestrator {

class Decisions {
 public:
  virtual ~Decisions() = default;
  // `what`: "operation accepted", "operation ended", "point of no return passed", "rolling back", "quarantine".
  // `about`: in words. `evidence`: what to look at.
  virtual void Note(const std::string& what, const std::string& about, const std::string& evidence,
                    const std::string& request_id) = 0;
};

class NoDecisions final : public Decisions {
 public:
  void Note(const std::string&, const std::string&, const std::string&, const std::string&) override {}
};

}  // namespace protector::orchestrator
