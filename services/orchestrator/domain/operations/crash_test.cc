// Operations whose program dies at every write of its journal, or whose calls lose their answers: the outcome stays the
// same.
#include <random>

#include "libs/base/error.h"
#include "services/orchestrator/domain/operations/lab.h"

namespace protector::orchestrator::fake {

TEST_CASE("P4: an answer that is lost, before or after the effect, is looked into and happens once") {
  const Fault fault = GENERATE(Fault::kLostBefore, Fault::kLostAfter, Fault::kThrottled);
  Lab lab(3, 2);
  std::map<std::string, int> calls;
  // Every change loses its first answer.
  lab.world.fault = [&](const std::string& call) { return ++calls[call] == 1 ? fault : Fault::kNone; };
  const auto started = lab.Failover("site-b");
  REQUIRE(started.ok());
  REQUIRE(lab.UntilClean("site-b", started->id()));
  const op::Operation done = lab.Get("site-b", started->id());
  for (const auto& problem : done.problems()) UNSCOPED_INFO(problem.task() << ": " << problem.cause());
  CHECK(done.state() == op::COMPLETED);
  CheckOnce(lab.world);
  CHECK(lab.world.site("site-b").ports.size() == 3);
  CHECK(lab.world.site("site-b").volumes.size() == 6);
}

namespace {

struct Course {
  std::string picture;
  int writes = 0;
};

// The whole of an operation with its pending work, with a death at one write of its journal (0: none).
Course Run(op::OperationType type, int death, bool after, unsigned seed, int second = 0, bool lossy = false) {
  Lab lab(2, 2, seed);
  std::string site = "site-b";
  if (type == op::FAILBACK) {
    const auto over = lab.Failover("site-b");
    REQUIRE(over.ok());
    REQUIRE(lab.UntilClean("site-b", over->id()));
    site = "site-a";
  }
  if (type == op::UNPLANNED_FAILOVER) {
    Point point{"site-a:pg-prod.scheduled", lab.clock.Now(), lab.clock.Now(), {}};
    for (const std::string& serial : lab.world.site("site-a").protected_serials) point.writes[serial] = 7;
    lab.world.site("site-b").points[point.name] = point;
    lab.world.site("site-a").up = false;
  }
  Program& program = lab.On(site);
  const int before = program.writes();
  if (death > 0) program.DieAt(death, after);
  program.ThenDieAfter(second);
  std::mt19937 chance(seed);
  if (lossy) {
    lab.world.fault = [&chance](const std::string&) {
      const auto drawn = chance() % 20;
      return drawn == 0   ? Fault::kLostBefore
             : drawn == 1 ? Fault::kLostAfter
             : drawn == 2 ? Fault::kThrottled
                          : Fault::kNone;
    };
  }
  const auto start = [&] {
    return type == op::FAILBACK ? lab.Failback() : [&] {
      lab.requests = 0;
      return lab.Failover(site, type);
    }();
  };
  auto started = start();
  for (int ask = 0; !started.ok() && ask < 4; ++ask) {  // died while it was being accepted: the client asks again
    program.Boot();
    const auto known = program.engine().List([](const op::Operation& one) { return !Ended(one.state()); }, "", 1);
    REQUIRE(known.ok());
    started = known->operations.empty() ? start() : absl::StatusOr<op::Operation>(known->operations.front());
  }
  REQUIRE(started.ok());
  if (type == op::UNPLANNED_FAILOVER) {
    REQUIRE(lab.UntilEnded(site, started->id()));
    for (auto& [id, server] : lab.world.site("site-a").servers) server.status = "SHUTOFF";
    lab.world.site("site-a").up = true;
    lab.world.site("site-a").confirmed = 2;
    lab.world.SyncMetadata();
  }
  const bool clean = lab.UntilClean(site, started->id());
  const op::Operation done = lab.Get(site, started->id());
  for (const auto& problem : done.problems()) UNSCOPED_INFO(problem.task() << ": " << problem.cause());
  UNSCOPED_INFO("death at " << death << (after ? " after" : " before") << ", " << op::State_Name(done.state()) << " "
                            << done.hold_reason());
  REQUIRE(clean);
  CHECK(done.state() == op::COMPLETED);
  if (death > 0) CHECK(program.deaths() >= (second > 0 ? 2 : 1));
  CheckOnce(lab.world);
  return {Picture(lab.world), program.writes() - before};
}

}  // namespace

TEST_CASE("P1 P2 P3: a death at any write of the journal changes nothing of the outcome") {
  const auto type = GENERATE(op::PLANNED_FAILOVER, op::FAILBACK, op::UNPLANNED_FAILOVER);
  const Course calm = Run(type, 0, false, 1);
  REQUIRE(calm.writes > 20);
  for (int death = 1; death <= calm.writes; ++death) {
    for (const bool after : {false, true}) {
      const Course course = Run(type, death, after, 1);
      INFO(op::OperationType_Name(type) << " death at write " << death << (after ? " after" : " before"));
      REQUIRE(course.picture == calm.picture);
    }
  }
}

TEST_CASE("P3: two deaths, the second while the first is recovered from, with answers that get lost") {
  std::mt19937 random(20240601);
  for (const auto type : {op::PLANNED_FAILOVER, op::FAILBACK, op::UNPLANNED_FAILOVER}) {
    const Course calm = Run(type, 0, false, 1);
    for (int round = 0; round < 40; ++round) {
      const int death = 1 + static_cast<int>(random() % static_cast<unsigned>(calm.writes - 8));
      const Course course = Run(type, death, random() % 2 == 0, 1 + static_cast<unsigned>(round),
                                1 + static_cast<int>(random() % 4), round % 2 == 1);
      INFO(op::OperationType_Name(type) << " deaths at write " << death << ", round " << round);
      REQUIRE(course.picture == calm.picture);
    }
  }
}

}  // namespace protector::orchestrator::fake
