#include "services/metadata-sync/domain/retry_loop.h"

#include <catch2/catch.hpp>
#include <future>
#include <memory>

#include "services/metadata-sync/domain/test_support.h"

namespace protector::metadata_sync {
namespace {

TEST_CASE("the thread compares at start, when woken and when a waited-for peer calls, and ends when stopped") {
  Pair pair;
  std::atomic<int> asked = 0;
  pair.a.wire.faults.lose_answer = [&] {
    ++asked;
    return true;
  };
  metrics::Registry registry;
  RetryOptions options;
  options.first_backoff = options.max_backoff = options.interval = absl::Hours(1);
  RetryLoop loop(pair.a.process->synchroniser, pair.a.process->repository, pair.a.wire, pair.clock, options, {},
                 registry);
  const auto wait_for = [&](int count) {
    const absl::Time give_up = absl::Now() + absl::Seconds(10);
    while (asked < count && absl::Now() < give_up) std::this_thread::yield();
    return asked >= count;
  };
  loop.Start();
  CHECK(wait_for(1));
  loop.Wake();
  CHECK(wait_for(2));
  // The peer's call ends the hour's pause at once. (Repeated, because the second round may still be on its way.)
  const absl::Time give_up = absl::Now() + absl::Seconds(10);
  while (asked < 3 && absl::Now() < give_up) loop.PeerSeen();
  CHECK(asked >= 3);
  loop.Stop();
  CHECK(registry.Text().find("protector_metadata_peer_reachable 0") != std::string::npos);
}

TEST_CASE("a group that one site has never heard of comes with the first round") {
  Pair pair;
  Document document = MakeDocument("web");
  REQUIRE(pair.a.process->synchroniser.Commit(Request(document, 0)).ok());
  Site late("site-b", "site-a", pair.clock);
  late.wire.other = &pair.a;
  CHECK(late.process->loop.Round());
  CHECK(late.Head(document.id()).version() == 1);
}

}  // namespace
}  // namespace protector::metadata_sync
