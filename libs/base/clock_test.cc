#include "libs/base/clock.h"

#include <catch2/catch.hpp>

namespace protector {

TEST_CASE("a manual clock moves only when told, and sleeping moves it") {
  ManualClock clock(absl::FromUnixSeconds(1000));
  CHECK(clock.Now() == absl::FromUnixSeconds(1000));
  clock.SleepFor(absl::Seconds(5));
  CHECK(clock.Now() == absl::FromUnixSeconds(1005));
  CHECK(clock.Monotonic() == absl::Seconds(5));
}

TEST_CASE("times are printed in UTC with whole seconds") {
  CHECK(Rfc3339(absl::FromUnixMillis(1748768677999)) == "2025-06-01T09:04:37Z");
  CHECK(Rfc3339(absl::InfinitePast()).empty());
}

}  // namespace protector
