// Changes that a cloud takes and gives up, or carries out when nobody waits any more.
#include <utility>

#include "libs/base/error.h"
#include "services/orchestrator/domain/operations/lab.h"

namespace protector::orchestrator::fake {

TEST_CASE("P10: a deletion that Nova accepts and gives up is asked for once more, then a human is") {
  Lab lab;
  const auto started = lab.Failover("site-b");
  REQUIRE(started.ok());
  SECTION("what was in its way has passed") {
    lab.world.failing_deletions = 1;
    const absl::Duration began = lab.clock.Monotonic();
    REQUIRE(lab.UntilClean("site-b", started->id()));
    CHECK(lab.clock.Monotonic() - began < absl::Minutes(5));  // not the limit of the wait
    CHECK(lab.Get("site-b", started->id()).state() == op::COMPLETED);
  }
  SECTION("it stays") {
    lab.world.failing_deletions = 1000;
    REQUIRE(lab.UntilEnded("site-b", started->id()));
    const op::Operation ended = lab.Get("site-b", started->id());
    CHECK(ended.state() == op::COMPLETED_WITH_ERRORS);
    REQUIRE(ended.problems_size() > 0);
    CHECK(ended.problems(0).reason() == "SERVER_NOT_DELETED");
    CHECK(ended.problems(0).remedy().find("retry") != std::string::npos);
    lab.world.failing_deletions = 0;
    REQUIRE(lab.b.engine().Retry(lab.Action(started->id())).ok());
    REQUIRE(lab.UntilClean("site-b", started->id()));
  }
  CHECK(lab.world.site("site-a").servers.empty());
}

TEST_CASE("P2: an import whose request timed out is given as long again to arrive before another one is sent") {
  Lab lab;
  constexpr absl::Duration kDeadline = absl::Seconds(30);  // OperationContext's own
  std::string first;                                       // import that meets the fault
  std::vector<absl::Duration> sent;
  bool cut = false;
  SECTION("timed out") {}
  SECTION("cut at once: nothing to wait for") {
    cut = true;
  }
  lab.world.fault = [&](const std::string& call) {
    if (first.empty() && call.rfind("site-b.import", 0) == 0) first = call;
    if (first.empty() || call != first) return Fault::kNone;
    sent.push_back(lab.clock.Monotonic());
    if (sent.size() > 1) return Fault::kNone;
    if (!cut) lab.clock.Advance(kDeadline);
    return Fault::kLostBefore;
  };
  const auto started = lab.Failover("site-b");
  REQUIRE(started.ok());
  REQUIRE(lab.UntilClean("site-b", started->id()));
  REQUIRE(sent.size() == 2);
  CHECK((sent[1] - sent[0] >= 2 * kDeadline) == !cut);
  CHECK(lab.Get("site-b", started->id()).state() == op::COMPLETED);
}

TEST_CASE("P10: a failed import that Cinder does not let go of is told of, also when the next one's answer is lost") {
  Lab lab;
  Fault fate = Fault::kNone;
  SECTION("the next one is answered") {}
  SECTION("it refuses the order to let go") {
    lab.world.refuses_to_forget = true;
  }
  SECTION("the next one's answer is lost") {
    fate = Fault::kLostAfter;
  }
  SECTION("the next one is lost") {
    fate = Fault::kLostBefore;
  }
  lab.world.failing_imports = 1;
  const auto started = lab.Failover("site-b");
  REQUIRE(started.ok());
  REQUIRE(lab.UntilEnded("site-b", started->id()));
  bool met = false;
  lab.world.fault = [&](const std::string& call) {
    return call.rfind("site-b.import", 0) == 0 && !std::exchange(met, true) ? fate : Fault::kNone;
  };
  REQUIRE(lab.b.engine().Retry(lab.Action(started->id())).ok());
  REQUIRE(lab.UntilEnded("site-b", started->id()));
  const op::Operation ended = lab.Get("site-b", started->id());
  INFO(ended.ShortDebugString());
  CHECK(ended.state() == op::COMPLETED);
  int told = 0;
  for (const std::string& warning : ended.warnings()) {
    told += warning.find("whose import failed, is left in Cinder") != std::string::npos;
  }
  CHECK(told == 1);
}

TEST_CASE("P10: the old direction is switched off in the end, also when its array was away while the group moved") {
  Lab lab;
  REQUIRE(lab.world.site("site-a").enabled);
  int lost = 4;  // all that a move tries before it goes on without
  lab.world.fault = [&](const std::string& call) {
    return call.rfind("site-a.suspend-protection", 0) == 0 && lost-- > 0 ? Fault::kLostBefore : Fault::kNone;
  };
  const auto started = lab.Failover("site-b");
  REQUIRE(started.ok());
  REQUIRE(lab.UntilClean("site-b", started->id()));
  CHECK(lost < 0);
  CHECK_FALSE(lab.world.site("site-a").enabled);
}

}  // namespace protector::orchestrator::fake
