#pragma once
// Time and waiting as things that are handed in, so that no rule of the product depends on the machine's clock and no
// test has to sleep.
//
// Threads: every method may be called from any thread. Ownership: callers keep a Clock alive longer than its users.
// Failure: none; a clock that jumps is possible, so durations are measured with Monotonic().

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "absl/time/time.h"

namespace protector {

class Clock {
 public:
  virtual ~Clock() = default;

  // Wall time, for records that people read and that are compared between sites. May jump.
  virtual absl::Time Now() = 0;

  // Time since an arbitrary start; never goes backwards. For measuring and for deadlines.
  virtual absl::Duration Monotonic() = 0;

  // Blocks the caller for `duration` (not at all when it is zero or negative).
  virtual void SleepFor(absl::Duration duration) = 0;
};

// The machine's clock.
class SystemClock final : public Clock {
 public:
  absl::Time Now() override;
  absl::Duration Monotonic() override;
  void SleepFor(absl::Duration duration) override;
};

// A clock that stands still until it is told to move. SleepFor advances it, so that a loop which waits runs at once.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(absl::Time start) : now_(start) {}
  absl::Time Now() override;
  absl::Duration Monotonic() override;
  void SleepFor(absl::Duration duration) override;
  void Advance(absl::Duration duration);
  // The time of day is set, forwards or backwards; Monotonic() knows nothing of it.
  void Jump(absl::Duration duration);

 private:
  std::mutex mutex_;
  absl::Time now_;
  absl::Duration elapsed_ = absl::ZeroDuration();
};

// RFC 3339 in UTC with whole seconds, as the product prints times: 2026-01-31T09:04:37Z. Empty for the infinite past.
std::string Rfc3339(absl::Time time);

}  // namespace protector
