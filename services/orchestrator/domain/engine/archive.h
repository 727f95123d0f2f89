#pragma once
// Operations that have settled. What finds one (whose it is, of which group, in which state, since when) stays in
// memory; the rest is read from the journal when it is asked for, so that a site may keep every operation it ever ran.
//
// Threads: one at a time, but for Read, which any may call. Ownership: the journal outlives it. Failure: the store's
// statuses.

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "services/orchestrator/domain/engine/journal.h"

namespace protector::orchestrator {

class Archive {
 public:
  explicit Archive(Journal& journal) : journal_(journal) {}

  // The header is in the journal already.
  void Add(const op::OperationRecord& header);
  // By operation id. A card has the id, type, state, group, times, revision and projects.
  const std::map<std::string, op::Operation>& cards() const { return cards_; }
  // All of it.
  absl::StatusOr<op::OperationRecord> Read(const op::Operation& card) const;

 private:
  Journal& journal_;
  std::map<std::string, op::Operation> cards_;
};

}  // namespace protector::orchestrator
