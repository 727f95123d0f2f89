#pragma once
// Who may change a group's objects: only a caller that knows the group's highest epoch, and one after the other.
//
// The highest epoch is on disk before a call that raised it does anything, so a superseded orchestrator is refused even
// after a restart. It is compared under the group's lock, so a call that waited for one with a higher epoch is refused
// as well.
//
// Threads: safe for all. Ownership: state outlives it; a Held may be moved and gives the lock back when it ends.
// Failure: STALE_EPOCH (ABORTED); DEADLINE_EXCEEDED when the lock was not free in time.

#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "protector/storage/v1/storage.pb.h"
#include "services/storage-pure/domain/state.h"
#include "services/storage-pure/ports/scope.h"

namespace protector::storage {

class AuthorityGuard {
 public:
  // Exclusive: nothing else happens to the group meanwhile. Shared: calls that work on different disks.
  enum class Mode { kExclusive, kShared };

  class Held {
   public:
    Held(std::shared_ptr<std::shared_timed_mutex> mutex, Mode mode) : mutex_(std::move(mutex)), mode_(mode) {}
    Held(Held&&) = default;
    Held& operator=(Held&&) = delete;
    ~Held();

   private:
    std::shared_ptr<std::shared_timed_mutex> mutex_;
    Mode mode_;
  };

  AuthorityGuard(State& state, Clock& clock) : state_(state), clock_(clock) {}

  absl::StatusOr<Held> Admit(const Scope& scope, const v1::Authority& authority, Mode mode);

 private:
  absl::Status CheckEpoch(const v1::Authority& authority);

  State& state_;
  Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<std::shared_timed_mutex>> locks_;  // one for each group ever changed
  std::mutex epoch_mutex_;
};

}  // namespace protector::storage
