#pragma once
// Who may act on a group here: the highest epoch that this site has confirmed for each group, kept durably. A change
// that carries a lower one comes from an orchestrator that was overtaken, and is refused (promise P5).
//
// Threads: safe for all. Ownership: the store outlives it. Failure: STALE_EPOCH (ABORTED), or the store's own error, in
// which case nothing may be done.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/store/store.h"
#include "protector/storage/v1/storage.pb.h"
#include "services/orchestrator/ports/contracts.h"

namespace protector::orchestrator {

class EpochGuard {
 public:
  EpochGuard(store::Store& store, std::string site) : store_(store), site_(std::move(site)) {}

  // OK when `authority` is not behind what is known; a higher epoch is remembered before this returns.
  absl::Status Admit(const storage::Authority& authority);
  // Remembers an epoch that was learnt from metadata.
  absl::Status Learn(const std::string& group_id, int64_t epoch);
  // 0: none is known.
  absl::StatusOr<int64_t> Known(const std::string& group_id);

 private:
  store::Store& store_;
  const std::string site_;
};

}  // namespace protector::orchestrator
