#include "libs/base/clock.h"

#include <chrono>
#include <thread>

namespace protector {

absl::Time SystemClock::Now() {
  return absl::FromChrono(std::chrono::system_clock::now());
}

absl::Duration SystemClock::Monotonic() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

void SystemClock::SleepFor(absl::Duration duration) {
  if (duration > absl::ZeroDuration()) std::this_thread::sleep_for(absl::ToChronoNanoseconds(duration));
}

absl::Time ManualClock::Now() {
  const std::lock_guard lock(mutex_);
  return now_;
}

absl::Duration ManualClock::Monotonic() {
  const std::lock_guard lock(mutex_);
  return elapsed_;
}

void ManualClock::SleepFor(absl::Duration duration) {
  if (duration > absl::ZeroDuration()) Advance(duration);
}

void ManualClock::Advance(absl::Duration duration) {
  const std::lock_guard lock(mutex_);
  now_ += duration;
  elapsed_ += duration;
}

void ManualClock::Jump(absl::Duration duration) {
  const std::lock_guard lock(mutex_);
  now_ += duration;
}

std::string Rfc3339(absl::Time time) {
  if (time == absl::InfinitePast()) return "";
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

}  // namespace protector
