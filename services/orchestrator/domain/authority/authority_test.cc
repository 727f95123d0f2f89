#include "services/orchestrator/domain/authority/authority.h"

#include <catch2/catch.hpp>

#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "libs/store/memory_store.h"

namespace protector::orchestrator {
namespace {

storage::Authority Of(int64_t epoch) {
  storage::Authority authority;
  authority.set_group_id("g1");
  authority.set_epoch(epoch);
  return authority;
}

}  // namespace

TEST_CASE("P5: an overtaken epoch is refused, also after a restart") {
  ManualClock clock(absl::UnixEpoch());
  store::MemoryStore store(clock);
  {
    EpochGuard guard(store, "site-a");
    CHECK(guard.Admit(Of(2)).ok());
    CHECK(guard.Admit(Of(2)).ok());
    CHECK(guard.Admit(Of(3)).ok());
  }
  EpochGuard restarted(store, "site-a");
  const absl::Status status = restarted.Admit(Of(2));
  CHECK(status.code() == absl::StatusCode::kAborted);
  CHECK(DetailOf(status).reason == "STALE_EPOCH");
  CHECK(*restarted.Known("g1") == 3);
}

TEST_CASE("P5: an epoch that could not be remembered admits nothing") {
  ManualClock clock(absl::UnixEpoch());
  store::MemoryStore store(clock);
  EpochGuard guard(store, "site-a");
  store.BeforeWrite([](const store::Batch&) { return absl::ResourceExhaustedError("disk full"); });
  CHECK(guard.Admit(Of(2)).code() == absl::StatusCode::kResourceExhausted);
}

TEST_CASE("a change without an epoch is refused") {
  ManualClock clock(absl::UnixEpoch());
  store::MemoryStore store(clock);
  EpochGuard guard(store, "site-a");
  CHECK(guard.Admit(Of(0)).code() == absl::StatusCode::kInvalidArgument);
}

}  // namespace protector::orchestrator
