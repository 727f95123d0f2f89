// How a request is taken: made again it finds what it began, wherever and however late it comes; at a bad moment it
// waits a little.
#include "libs/base/error.h"
#include "services/orchestrator/domain/operations/lab.h"

namespace protector::orchestrator::fake {

TEST_CASE("A request id that is known answers with its operation") {
  Lab lab;
  const auto first = lab.Failover("site-b");
  REQUIRE(first.ok());
  lab.requests = 0;
  const auto again = lab.Failover("site-b");
  REQUIRE(again.ok());
  CHECK(again->id() == first->id());
}

TEST_CASE("P2: a request made again after its move has ended begins no move in the other direction") {
  Lab lab;
  const auto type = GENERATE(op::PLANNED_FAILOVER, op::UNPLANNED_FAILOVER);
  Point point{"site-a:pg-prod.scheduled", lab.clock.Now(), lab.clock.Now(), {}};
  for (const std::string& serial : lab.world.site("site-a").protected_serials) point.writes[serial] = 0;
  lab.world.site("site-b").points[point.name] = point;
  const auto first = lab.Failover("site-b", type);
  REQUIRE(first.ok());
  REQUIRE(lab.UntilEnded("site-b", first->id()));
  lab.world.SyncMetadata();
  REQUIRE(lab.world.head("site-a").primary_site() == "site-b");
  lab.requests = 0;
  const auto again = lab.Failover("site-a", type);  // the site that a failover would be run by now
  REQUIRE_FALSE(again.ok());
  CHECK(DetailOf(again.status()).reason == "NOT_TARGET_SITE");
  CHECK(DetailOf(again.status()).object == "site-b");
  lab.requests = 0;
  const auto there = lab.Failover("site-b", type);
  REQUIRE(there.ok());
  CHECK(there->id() == first->id());
  SECTION("another request does") {
    if (type == op::UNPLANNED_FAILOVER) return;  // site-a has to be quarantined first, which is another test's business
    REQUIRE(lab.UntilClean("site-b", first->id()));
    const auto back = lab.Failover("site-a");
    REQUIRE(back.ok());
    REQUIRE(lab.UntilClean("site-a", back->id()));
    CHECK(lab.world.head("site-a").primary_site() == "site-a");
    lab.requests = 0;
    const auto old = lab.Failover("site-b", type);  // the first one, once more
    REQUIRE(old.ok());
    CHECK(old->id() == first->id());
  }
}

TEST_CASE("The last 16 moves are on record, each once") {
  Lab lab;
  std::string last;
  for (int i = 0; i < 18; ++i) {
    const std::string site = i % 2 == 0 ? "site-b" : "site-a";
    const auto moved = lab.Failover(site);
    REQUIRE(moved.ok());
    REQUIRE(lab.UntilClean(site, moved->id()));
    last = moved->id();
  }
  const groups::GroupDocument& head = lab.world.head("site-a");
  REQUIRE(head.moves_size() == 16);
  CHECK(head.moves(0).request_id() == "request 3");
  CHECK(head.moves(15).request_id() == "request 18");
  CHECK(head.moves(15).operation_id() == last);
  CHECK(head.moves(15).site() == "site-a");
}

TEST_CASE("A move that meets a commit on its way between the sites waits a moment for it, and not for more") {
  Lab lab;
  SECTION("at its start") {
    lab.world.commits_on_their_way = 3;
    const auto started = lab.Failover("site-b");
    REQUIRE(started.ok());
    REQUIRE(lab.UntilClean("site-b", started->id()));
    CHECK(lab.Get("site-b", started->id()).state() == op::COMPLETED);
  }
  SECTION("in its first task") {
    const auto started = lab.Failover("site-b");
    REQUIRE(started.ok());
    lab.world.commits_on_their_way = 3;
    REQUIRE(lab.UntilClean("site-b", started->id()));
    CHECK(lab.Get("site-b", started->id()).state() == op::COMPLETED);
  }
  SECTION("the sites stay apart") {
    lab.world.commits_on_their_way = 1000;
    const absl::Duration began = lab.clock.Monotonic();
    const auto refused = lab.Failover("site-b");
    CHECK(DetailOf(refused.status()).reason == "OUT_OF_SYNC");
    CHECK(lab.clock.Monotonic() - began < absl::Seconds(5));
  }
}

TEST_CASE(
    "A connection of the arrays that is cut for a moment holds a planned failover up, one that stays cut ends it") {
  Lab lab;
  SECTION("a moment") {
    lab.world.cut_looks = 3;
    const auto started = lab.Failover("site-b");
    REQUIRE(started.ok());
    REQUIRE(lab.UntilClean("site-b", started->id()));
    CHECK(lab.Get("site-b", started->id()).state() == op::COMPLETED);
  }
  SECTION("it stays") {
    lab.world.cut_looks = 1000;
    const auto started = lab.Failover("site-b");
    REQUIRE(started.ok());
    REQUIRE(lab.UntilEnded("site-b", started->id()));
    const op::Operation ended = lab.Get("site-b", started->id());
    CHECK(ended.state() == op::ROLLED_BACK);
    REQUIRE(ended.problems_size() > 0);
    CHECK(ended.problems(0).reason() == "REPLICATION_NOT_HEALTHY");
    CHECK(ended.problems(0).cause().find("connecting") != std::string::npos);
    CHECK(Running(lab.world.site("site-a")) == 2);
  }
}

}  // namespace protector::orchestrator::fake
