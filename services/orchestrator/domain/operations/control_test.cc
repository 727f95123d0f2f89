// A human at a running operation: pauses, resumes, cancels, retries, leaves out, at any moment, while things fail and
// the program dies. Whatever state that leads to has a way out, and what the human was told to have happened has
// happened.
#include <random>
#include <set>

#include "libs/base/error.h"
#include "services/orchestrator/domain/operations/lab.h"

namespace protector::orchestrator::fake {
namespace {

using Walked = std::map<std::string, std::set<std::string>>;  // state -> "action to state" or "action refused: REASON"

std::string Name(op::State state) {
  return op::State_Name(state);
}

// One operation, from its start to wherever it goes, with everything that a human can do to it.
class Walk {
 public:
  Walk(op::OperationType type, unsigned seed) : lab_(2, 1, seed), random_(seed), type_(type) {
    if (type == op::FAILBACK) {
      const auto over = lab_.Failover("site-b");
      REQUIRE(over.ok());
      REQUIRE(lab_.UntilClean("site-b", over->id()));
      site_ = "site-a";
    }
    if (type == op::UNPLANNED_FAILOVER) {
      Point point{"site-a:pg-prod.scheduled", lab_.clock.Now(), lab_.clock.Now(), {}};
      for (const std::string& serial : lab_.world.site("site-a").protected_serials) point.writes[serial] = 7;
      lab_.world.site("site-b").points[point.name] = point;
      lab_.world.site("site-a").up = false;
    }
    const auto started = type == op::FAILBACK ? lab_.Failback() : lab_.Failover(site_, type);
    REQUIRE(started.ok());
    id_ = started->id();
    See(*started);
  }

  // Something that keeps going wrong until Mend().
  void Break() {
    const std::string other = site_ == "site-a" ? "site-b" : "site-a";
    const std::vector<std::string> candidates = {
        other + ".stop",   other + ".create-recovery-point", site_ + ".materialize",
        site_ + ".import", site_ + ".create-port",           site_ + ".create-server",
        site_ + ".commit", other + ".delete-server",         other + ".unmanage"};
    const std::string what = candidates[random_() % candidates.size()];
    const Fault fault = random_() % 3 == 0 ? Fault::kLostAfter : Fault::kRefused;
    lab_.world.fault = [what, fault](const std::string& call) {
      return call.rfind(what, 0) == 0 ? fault : Fault::kNone;
    };
    told_ += " broken:" + what;
  }
  void Mend() {
    lab_.world.fault = [](const std::string&) { return Fault::kNone; };
    lab_.world.boot_faults.clear();
  }

  void Turns(int most) {
    for (int i = 0; i < most; ++i) {
      if (lab_.On(site_).Until([] { return false; }, 1)) break;
      See(Now());
    }
  }

  bool Act(const std::string& action) {
    const op::State before = Now().state();
    absl::StatusOr<op::Operation> answer = absl::UnknownError("not asked");
    Engine& engine = lab_.On(site_).engine();
    if (action == "pause") answer = engine.Pause(lab_.Action(id_));
    if (action == "resume") answer = engine.Resume(lab_.Action(id_));
    if (action == "cancel") answer = engine.Cancel(lab_.Action(id_));
    if (action == "retry") answer = engine.Retry(lab_.Action(id_));
    if (action == "skip") answer = engine.Skip(lab_.Action(id_, FailedTask(), "a human has seen to it"));
    if (action == "crash") {
      lab_.On(site_).Boot();
      answer = Now();
    }
    told_ += fmt::format(" {}@{}", action, Name(before));
    if (answer.ok()) {
      if (action == "skip") skipped_ = true;
      walked_[Name(before)].insert(action + " -> " + Name(Now().state()));
      See(Now());
      return true;
    }
    told_ += "!";
    const ErrorDetail detail = DetailOf(answer.status());
    CHECK_FALSE(detail.reason.empty());
    CHECK_FALSE(detail.remedy.empty());
    CHECK(Now().state() == before);
    walked_[Name(before)].insert(action + " refused: " + detail.reason);
    return false;
  }

  std::string Drawn() {
    const std::vector<std::string> actions = {"pause", "resume", "cancel", "retry", "skip", "crash"};
    return actions[random_() % actions.size()];
  }

  // What the documentation tells an operator to do, with nothing broken any more. True: the operation is at its end.
  bool WayOut() {
    Mend();
    for (int ask = 0; ask < 8; ++ask) {
      lab_.On(site_).Until([&] { return Ended(Now().state()) || Now().state() == op::PAUSED; });
      See(Now());
      const op::State state = Now().state();
      if (state == op::COMPLETED || state == op::CANCELLED || state == op::ROLLED_BACK) return true;
      // What is left is what a human left out.
      if (skipped_ && Ended(state) && FailedTask().empty()) return true;
      // It has changed nothing, or nothing that is left: the way out is to start another one.
      if (state == op::FAILED && !Act("retry")) return !Now().past_point_of_no_return();
      if (state != op::FAILED) Act(state == op::PAUSED ? "resume" : "retry");
    }
    return false;
  }

  void CheckRest() {
    const op::Operation done = Now();
    INFO(told_ << ": " << Name(done.state()));
    for (const auto& problem : done.problems()) UNSCOPED_INFO(problem.task() << ": " << problem.cause());
    CHECK(lab_.world.violations.empty());
    const bool moved = done.past_point_of_no_return();
    const std::string other = site_ == "site-a" ? "site-b" : "site-a";
    const std::string home = moved ? site_ : other;
    const groups::GroupDocument& head = lab_.world.head(home);
    CHECK(head.primary_site() == home);
    CHECK(head.active_operation_id().empty());
    if (!skipped_) {
      CHECK((head.status() == groups::ACTIVE || head.status() == groups::FAILED_OVER));
      CHECK(Running(lab_.world.site(home)) == 2);
    }
    if (moved) CHECK(Running(lab_.world.site(other)) == (type_ == op::UNPLANNED_FAILOVER ? 2 : 0));
  }

  op::Operation Now() { return lab_.Get(site_, id_); }
  const Walked& walked() const { return walked_; }
  const std::string& told() const { return told_; }
  unsigned Draw(unsigned below) { return static_cast<unsigned>(random_() % below); }

 private:
  std::string FailedTask() {
    const op::Operation now = Now();
    for (const auto& step : now.steps()) {
      for (const auto& task : step.tasks()) {
        if (task.state() == op::FAILED) return task.id();
      }
    }
    return "";
  }
  void See(const op::Operation& operation) { walked_[Name(operation.state())]; }

  Lab lab_;
  std::mt19937 random_;
  const op::OperationType type_;
  std::string site_ = "site-b";
  std::string id_;
  std::string told_;
  bool skipped_ = false;
  Walked walked_;
};

}  // namespace

TEST_CASE("Every state of an operation that anything leads to has a way out, and every refusal says one") {
  Walked all;
  for (const auto type : {op::PLANNED_FAILOVER, op::FAILBACK, op::UNPLANNED_FAILOVER}) {
    for (unsigned seed = 1; seed <= 100; ++seed) {
      Walk walk(type, seed);
      if (walk.Draw(3) != 0) walk.Break();
      const unsigned actions = walk.Draw(7);
      for (unsigned i = 0; i < actions; ++i) {
        walk.Turns(static_cast<int>(walk.Draw(120)));
        if (walk.Draw(5) == 0) walk.Mend();
        walk.Act(walk.Drawn());
      }
      INFO(op::OperationType_Name(type) << ", seed " << seed << ":" << walk.told());
      REQUIRE(walk.WayOut());
      walk.CheckRest();
      for (const auto& [state, edges] : walk.walked()) all[state].insert(edges.begin(), edges.end());
    }
  }
  // The walk has been everywhere: each state that an operation can be in, and every action in each of those that last.
  for (const auto state : {op::RUNNING, op::PAUSED, op::COMPLETED, op::COMPLETED_WITH_ERRORS, op::FAILED,
                           op::CANCELLING, op::CANCELLED, op::ROLLED_BACK}) {
    INFO(Name(state));
    CHECK(all.count(Name(state)) == 1);
  }
  for (const auto& [state, edges] : all) {
    for (const std::string& edge : edges) UNSCOPED_INFO(state << ": " << edge);
  }
  CHECK(all["RUNNING"].count("pause -> PAUSED") == 1);
  CHECK(all["RUNNING"].count("cancel -> CANCELLING") == 1);
  CHECK(all["RUNNING"].count("cancel refused: PAST_POINT_OF_NO_RETURN") == 1);
  CHECK(all["PAUSED"].count("resume -> RUNNING") == 1);
  CHECK(all["PAUSED"].count("cancel -> CANCELLING") == 1);
  CHECK(all["FAILED"].count("retry -> RUNNING") == 1);
  CHECK(all["COMPLETED_WITH_ERRORS"].count("retry -> RUNNING") == 1);
  CHECK(all["COMPLETED"].count("cancel refused: PAST_POINT_OF_NO_RETURN") +
            all["COMPLETED"].count("cancel refused: WRONG_STATUS") >
        0);
}

namespace {

// An operation that comes to where the action makes sense, meets it, and dies at a write that follows. The caller who
// got no answer asks again with the same request id.
op::Operation Controlled(const std::string& action, int death, bool after, int* deaths,
                         std::map<std::string, int>* effects) {
  Lab lab(2, 1);
  const bool failing = action == "retry" || action == "skip";
  if (failing) lab.world.boot_faults["vm-1"] = "No valid host was found";
  const auto started = lab.Failover("site-b");
  REQUIRE(started.ok());
  const std::string id = started->id();
  if (failing) {
    REQUIRE(lab.UntilEnded("site-b", id));
    if (action == "retry") lab.world.boot_faults.clear();
  } else {
    lab.b.Until([] { return false; }, 25);
  }
  std::string task;
  const op::Operation now = lab.Get("site-b", id);
  for (const auto& step : now.steps()) {
    for (const auto& one : step.tasks()) {
      if (one.state() == op::FAILED) task = one.id();
    }
  }
  op::OperationActionRequest request = lab.Action(id, action == "skip" ? task : "", "because");
  request.set_request_id("asked once");
  const auto ask = [&] {
    Engine& engine = lab.b.engine();
    return action == "pause"    ? engine.Pause(request)
           : action == "cancel" ? engine.Cancel(request)
           : action == "retry"  ? engine.Retry(request)
                                : engine.Skip(request);
  };
  if (death > 0) lab.b.DieAt(death, after);
  auto answer = ask();
  for (int again = 0; !answer.ok() && again < 3; ++again) {
    INFO(answer.status().ToString());
    lab.b.Boot();
    answer = ask();
  }
  REQUIRE(answer.ok());
  if (action == "pause") {
    // It stands still, whatever dies, until somebody resumes it.
    lab.b.Until([] { return false; }, 2000);
    CHECK(lab.Get("site-b", id).state() == op::PAUSED);
    if (!lab.b.engine().Resume(lab.Action(id)).ok()) {
      lab.b.Boot();
      REQUIRE(lab.b.engine().Resume(lab.Action(id)).ok());
    }
  }
  REQUIRE(lab.UntilEnded("site-b", id));
  lab.b.Until([] { return false; }, 3000);
  CHECK(lab.world.violations.empty());
  *effects = lab.world.effects;
  *deaths += lab.b.deaths();
  return lab.Get("site-b", id);
}

}  // namespace

TEST_CASE("P3: what a human was told survives a death at any write after it") {
  const auto [action, end] = GENERATE(table<std::string, op::State>({{"pause", op::COMPLETED},
                                                                     {"cancel", op::CANCELLED},
                                                                     {"retry", op::COMPLETED},
                                                                     {"skip", op::COMPLETED_WITH_ERRORS}}));
  int deaths = 0;
  std::map<std::string, int> calm;
  Controlled(action, 0, false, &deaths, &calm);
  for (int death = 1; death <= 12; ++death) {
    for (const bool after : {false, true}) {
      INFO(action << ", death at write " << death << (after ? " after" : " before"));
      std::map<std::string, int> effects;
      const op::Operation done = Controlled(action, death, after, &deaths, &effects);
      if (action != "cancel") CHECK(effects == calm);  // how far it had come when it was cancelled may differ
      for (const auto& problem : done.problems()) UNSCOPED_INFO(problem.task() << ": " << problem.cause());
      CHECK(done.state() == end);
      if (action != "skip") continue;
      bool recorded = false;
      for (const auto& problem : done.problems()) {
        recorded = recorded || problem.cause().find("because") != std::string::npos;
      }
      CHECK(recorded);
    }
  }
  CHECK(deaths > 4);
}

TEST_CASE("P10: what a commit was telling of when a human had it tried again is told once more") {
  Lab lab(3, 1);
  const std::string commit = GENERATE(std::string("commit-cleaned"), std::string("commit-retired"));
  lab.world.boot_faults["vm-1"] = "No valid host was found";
  const auto started = lab.Failover("site-b");
  REQUIRE(started.ok());
  const auto is_running = [&] {
    const op::Operation now = lab.Get("site-b", started->id());
    for (const op::Step& step : now.steps()) {
      for (const op::Task& task : step.tasks()) {
        if (task.kind() == commit && task.state() == op::RUNNING) return true;
      }
    }
    return false;
  };
  REQUIRE(lab.b.Until(is_running));
  lab.world.boot_faults.clear();
  REQUIRE(lab.b.engine().Retry(lab.Action(started->id())).ok());
  REQUIRE(lab.UntilClean("site-b", started->id()));
  REQUIRE(lab.b.Until([&] { return lab.world.head("site-b").pending_size() == 0; }));
  CHECK(lab.world.head("site-b").conditions().clean());
  CHECK(lab.world.head("site-b").status() == groups::FAILED_OVER);
  CHECK(lab.Get("site-b", started->id()).state() == op::COMPLETED);
}

}  // namespace protector::orchestrator::fake
