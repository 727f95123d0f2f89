// The engine by itself, over kinds of task that do what the test says.
// long: every test drives the same scripted engine; parts of it would each repeat that.
#include "services/orchestrator/domain/engine/engine.h"

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include <chrono>
#include <thread>

#include "libs/base/error.h"
#include "libs/store/memory_store.h"
#include "services/orchestrator/domain/times.h"

namespace protector::orchestrator {
namespace {

struct Script {
  Traits traits;
  std::function<Verdict(const std::string& object)> act = [](const std::string&) { return Verdict::Done(); };
  std::function<Verdict(const std::string& object)> probe = [](const std::string&) { return Verdict::NotDone(); };
  std::function<Verdict(const std::string& object)> look = [](const std::string&) { return Verdict::Done(); };
  int acts = 0;
  int probes = 0;
  int looks = 0;
};

class ScriptedKind final : public TaskKind {
 public:
  explicit ScriptedKind(Script& script) : script_(script) {}
  Traits TraitsOf(const Run&, const op::TaskRecord&) const override { return script_.traits; }
  Work Probe(const Run&, const op::TaskRecord& task) const override {
    return [this, object = task.task().object()] { return ++script_.probes, script_.probe(object); };
  }
  Work Act(const Run&, const op::TaskRecord& task) const override {
    return [this, object = task.task().object()] { return ++script_.acts, script_.act(object); };
  }
  Looks Look(const Run&, const std::vector<const op::TaskRecord*>& tasks) const override {
    std::vector<std::string> objects;
    for (const op::TaskRecord* task : tasks) objects.push_back(task->task().object());
    return [this, objects] {
      ++script_.looks;
      std::vector<Verdict> verdicts;
      for (const std::string& object : objects) verdicts.push_back(script_.look(object));
      return verdicts;
    };
  }

 private:
  Script& script_;
};

class PlainDirector final : public Director {
 public:
  explicit PlainDirector(Script& script) : kind_(script) {}
  const TaskKind& KindOf(const op::TaskRecord&) const override { return kind_; }
  void OnIntent(Run&, int) override {}
  void OnSettled(Run&, int) override {}
  void OnIdle(Run& run, absl::Time) override {
    if (Ended(run.operation().state())) return;
    bool failed = false;
    for (int i = 0; i < run.size(); ++i) failed = failed || run.task(i).task().state() == op::FAILED || run.Blocked(i);
    run.mutable_operation().set_state(failed ? op::COMPLETED_WITH_ERRORS : op::COMPLETED);
    run.mutable_header().set_settled(!failed);
    run.header_changed = run.changed = true;
  }
  void OnRetry(Run&) override {}
  void BeginRollback(Run&) override {}
  void FillView(const Run&, op::Operation&) const override {}

 private:
  ScriptedKind kind_;
};

class QueueExecutor final : public Executor {
 public:
  void Submit(std::function<void()> work) override { queue.push_back(std::move(work)); }
  std::deque<std::function<void()>> queue;
};

struct Noted final : Meter {
  void Call(Api api, absl::Duration held, absl::Duration called) override { calls.push_back({api, held, called}); }
  void Transition(absl::Duration took) override { transitions.push_back(took); }
  void Journal(bool now_writable) override { writable = now_writable; }
  bool writable = true;
  struct One {
    Api api;
    absl::Duration held, called;
  };
  std::vector<One> calls;
  std::vector<absl::Duration> transitions;
};

struct NotedDecisions final : Decisions {
  void Note(const std::string& what, const std::string&, const std::string& evidence,
            const std::string& request_id) override {
    notes.push_back(fmt::format("{} {} {}", what, evidence, request_id));
  }
  std::vector<std::string> notes;
};

struct Bench {
  Bench() : clock(absl::FromUnixSeconds(1700000000)), store(clock), director(script) { Restart(); }
  void Restart() {
    executor.queue.clear();
    engine = std::make_unique<Engine>(
        EngineOptions{.limits = {.nova = 4}, .most_of_one_project = 2, .meter = meter, .decisions = decisions}, store,
        clock, executor, director, log::Logger());
    REQUIRE(engine->Load().ok());
  }
  op::Operation Start(std::vector<op::TaskRecord> tasks) {
    op::OperationRecord header;
    header.mutable_operation()->set_id("op-00000000-0001");
    header.mutable_operation()->set_group_id("group");
    header.mutable_operation()->set_state(op::RUNNING);
    header.mutable_operation()->set_request_id("request");
    header.mutable_operation()->add_steps()->set_name("step");
    const auto started = engine->Start(header, {}, std::move(tasks));
    REQUIRE(started.ok());
    return *started;
  }
  // Of a group of its own, in a project of site-b.
  absl::StatusOr<op::Operation> StartIn(const std::string& project, int number) {
    op::OperationRecord header;
    op::Operation& operation = *header.mutable_operation();
    operation.set_id(fmt::format("op-11111111-000{}", number));
    operation.set_group_id(fmt::format("group-{}", number));
    operation.set_target_site("site-b");
    operation.set_state(op::RUNNING);
    operation.set_request_id(fmt::format("request-{}", number));
    (*operation.mutable_projects())["site-b"] = project;
    return engine->Start(header, {}, {Task(0)});
  }
  static op::TaskRecord Task(int number, std::vector<int> after = {}) {
    op::TaskRecord record;
    record.mutable_task()->set_id(fmt::format("step/do/{}", number));
    record.mutable_task()->set_step("step");
    record.mutable_task()->set_kind("do");
    record.mutable_task()->set_object(fmt::format("{}", number));
    record.mutable_task()->set_state(op::PENDING);
    for (int before : after) record.add_after(before);
    return record;
  }
  bool Step() {
    if (engine->Pump()) return true;
    if (!executor.queue.empty()) {
      const auto work = std::move(executor.queue.front());
      executor.queue.pop_front();
      work();
      return true;
    }
    const absl::Duration wait = engine->UntilNext();
    if (wait == absl::InfiniteDuration()) return false;
    clock.Advance(std::max(wait, absl::Milliseconds(1)));
    return true;
  }
  void Settle(int most = 200000) {
    for (int i = 0; i < most && Step(); ++i) {
    }
  }
  op::Operation Get() { return *engine->Get("op-00000000-0001", true); }
  op::OperationActionRequest Action(const std::string& task = "", const std::string& reason = "") {
    op::OperationActionRequest request;
    request.set_id("op-00000000");
    request.set_task(task);
    request.set_reason(reason);
    return request;
  }

  Script script;
  std::shared_ptr<Noted> meter = std::make_shared<Noted>();
  std::shared_ptr<NotedDecisions> decisions = std::make_shared<NotedDecisions>();
  ManualClock clock;
  store::MemoryStore store;
  PlainDirector director;
  QueueExecutor executor;
  std::unique_ptr<Engine> engine;
};

}  // namespace

TEST_CASE("The meter is told what of a slot's time was the call's, and how long the way to the next call took") {
  Bench bench;
  bench.script.traits.api = Api::kNova;
  bench.script.act = [&](const std::string&) { return bench.clock.Advance(absl::Milliseconds(90)), Verdict::Done(); };
  bench.Start({Bench::Task(0), Bench::Task(1, {0})});
  while (bench.executor.queue.empty()) bench.Step();
  bench.clock.Advance(absl::Milliseconds(4));  // until a thread takes it
  bench.Step();
  bench.clock.Advance(absl::Milliseconds(6));  // until the engine's turn
  bench.Step();
  REQUIRE(bench.meter->calls.size() == 1);
  CHECK(bench.meter->calls[0].api == Api::kNova);
  CHECK(bench.meter->calls[0].held == absl::Milliseconds(100));
  CHECK(bench.meter->calls[0].called == absl::Milliseconds(90));
  CHECK(bench.meter->transitions == std::vector<absl::Duration>{absl::Milliseconds(6)});
  CHECK(bench.executor.queue.size() == 1);  // what follows is sent by then
}

TEST_CASE("P1: nothing is sent whose intent is not on disk") {
  Bench bench;
  bench.Start({Bench::Task(0)});
  bench.store.BeforeWrite([](const store::Batch&) { return absl::ResourceExhaustedError("disk full"); });
  bench.Settle(50);
  CHECK(bench.script.acts == 0);
  CHECK_FALSE(bench.meter->writable);
  bench.store.BeforeWrite([](const store::Batch&) { return absl::OkStatus(); });
  bench.Settle();
  CHECK(bench.script.acts == 1);
  CHECK(bench.meter->writable);
  CHECK(bench.Get().state() == op::COMPLETED);
}

TEST_CASE("An intent without an outcome is probed first after a restart, and what is ours is adopted") {
  Bench bench;
  bench.Start({Bench::Task(0)});
  while (bench.executor.queue.empty()) bench.Step();
  bench.Restart();  // died between intent and answer
  bench.script.probe = [](const std::string&) { return Verdict::Done({{"id", "found"}}); };
  bench.Settle();
  CHECK(bench.script.probes == 1);
  CHECK(bench.script.acts == 0);
  CHECK(bench.Get().state() == op::COMPLETED);
}

TEST_CASE("A reality that contradicts the journal holds the operation until a human resumes it") {
  Bench bench;
  bench.Start({Bench::Task(0), Bench::Task(1, {0})});
  while (bench.executor.queue.empty()) bench.Step();
  bench.Restart();
  bench.script.probe = [](const std::string&) {
    return Verdict::Contradiction("two of them", "server web-1", "Delete one.");
  };
  bench.Settle();
  op::Operation held = bench.Get();
  CHECK(held.state() == op::PAUSED);
  CHECK(held.hold_reason() == "two of them");
  REQUIRE(held.problems_size() == 1);
  CHECK(held.problems(0).remedy() == "Delete one.");
  CHECK(bench.script.acts == 0);
  bench.Restart();
  bench.Settle();
  CHECK(bench.Get().state() == op::PAUSED);  // survives a restart
  bench.script.probe = [](const std::string&) { return Verdict::Done(); };
  REQUIRE(bench.engine->Resume(bench.Action()).ok());
  bench.Settle();
  CHECK(bench.Get().state() == op::COMPLETED);
  CHECK(bench.script.acts == 1);  // only the second task's
}

TEST_CASE("A pause starts no further task, lets running ones end, and survives a restart") {
  Bench bench;
  bench.Start({Bench::Task(0), Bench::Task(1, {0})});
  while (bench.executor.queue.empty()) bench.Step();
  REQUIRE(bench.engine->Pause(bench.Action()).ok());
  bench.Settle();
  CHECK(bench.script.acts == 1);
  bench.Restart();
  bench.Settle();
  CHECK(bench.script.acts == 1);
  CHECK(bench.Get().state() == op::PAUSED);
  REQUIRE(bench.engine->Resume(bench.Action()).ok());
  bench.Settle();
  CHECK(bench.script.acts == 2);
  CHECK(bench.Get().state() == op::COMPLETED);
}

TEST_CASE("No more calls are under way than the limit says; throttling halves it, success brings it back") {
  Bench bench;
  bench.script.traits.api = Api::kNova;
  std::vector<op::TaskRecord> tasks;
  for (int i = 0; i < 40; ++i) tasks.push_back(Bench::Task(i));
  bench.Start(std::move(tasks));
  size_t most = 0;
  bool throttle = true;
  bench.script.act = [&](const std::string&) {
    return throttle ? Verdict::OfChange(absl::ResourceExhaustedError("429")) : Verdict::Done();
  };
  for (int i = 0; i < 20000 && bench.Step(); ++i) {
    most = std::max(most, bench.executor.queue.size());
    if (bench.script.acts == 4) throttle = false;
  }
  CHECK(most == 4);
  CHECK(bench.Get().state() == op::COMPLETED);
  CHECK(bench.script.acts == 44);

  Limits limits({.nova = 8});
  limits.Throttled(Api::kNova, absl::Seconds(10));
  limits.Throttled(Api::kNova, absl::Seconds(10.5));  // the same burst
  CHECK(limits.window(Api::kNova) == 4);
  limits.Throttled(Api::kNova, absl::Seconds(12));
  CHECK(limits.window(Api::kNova) == 2);
  for (int i = 0; i < 100; ++i) limits.Succeeded(Api::kNova);
  CHECK(limits.window(Api::kNova) == 8);
}

TEST_CASE("One look serves all that wait, and becomes rarer while nothing changes") {
  Bench bench;
  bench.script.traits.look_group = "group";
  bench.script.act = [](const std::string&) { return Verdict::Accepted(); };
  const absl::Time ready = bench.clock.Now() + absl::Seconds(60);
  bench.script.look = [&](const std::string&) {
    return bench.clock.Now() >= ready ? Verdict::Done() : Verdict::Waiting();
  };
  std::vector<op::TaskRecord> tasks;
  for (int i = 0; i < 500; ++i) tasks.push_back(Bench::Task(i));
  bench.Start(std::move(tasks));
  bench.Settle();
  CHECK(bench.Get().state() == op::COMPLETED);
  CHECK(bench.script.looks < 60);
  CHECK(bench.script.looks > 10);
}

TEST_CASE("A failed task blocks only what needs it; retry and skip go on") {
  Bench bench;
  bench.script.traits.leave_out = LeaveOut::kAlone;
  bench.script.act = [](const std::string& object) {
    return object == "0"
               ? Verdict::Failed(Error(absl::StatusCode::kFailedPrecondition, "BROKEN", "broken").Remedy("Mend it."))
               : Verdict::Done();
  };
  bench.Start({Bench::Task(0), Bench::Task(1, {0}), Bench::Task(2), Bench::Task(3, {2})});
  bench.Settle();
  CHECK(bench.Get().state() == op::COMPLETED_WITH_ERRORS);
  CHECK(bench.script.acts == 3);
  REQUIRE(bench.engine->Retry(bench.Action()).ok());
  bench.Settle();
  CHECK(bench.script.acts == 4);
  CHECK(bench.Get().state() == op::COMPLETED_WITH_ERRORS);
  CHECK_FALSE(bench.engine->Skip(bench.Action("step/do/0")).ok());  // a reason is needed
  REQUIRE(bench.engine->Skip(bench.Action("step/do/0", "not needed")).ok());
  bench.Settle();
  CHECK(bench.script.acts == 5);
  CHECK(bench.Get().state() == op::COMPLETED);
  CHECK(bench.Get().problems(bench.Get().problems_size() - 1).cause().find("not needed") != std::string::npos);
}

TEST_CASE(
    "What needs the result of a task that is left out is left out with it; what the operation rests on never is") {
  Bench bench;
  bench.script.act = [](const std::string& object) {
    return object == "0"
               ? Verdict::Failed(Error(absl::StatusCode::kFailedPrecondition, "BROKEN", "broken").Remedy("Mend it."))
               : Verdict::Done();
  };
  bench.Start({Bench::Task(0), Bench::Task(1, {0}), Bench::Task(2, {1}), Bench::Task(3)});
  bench.Settle();
  bench.script.traits.leave_out = LeaveOut::kNever;
  const auto refused = bench.engine->Skip(bench.Action("step/do/0", "not needed"));
  CHECK(DetailOf(refused.status()).reason == "CANNOT_SKIP");
  CHECK(DetailOf(refused.status()).object == "task step/do/0");
  CHECK(DetailOf(bench.engine->Skip(bench.Action("step/do/3", "not needed")).status()).reason == "NOTHING_TO_SKIP");
  bench.script.traits.leave_out = LeaveOut::kWithDependents;
  REQUIRE(bench.engine->Skip(bench.Action("step/do/0", "not needed")).ok());
  bench.Settle();
  CHECK(bench.script.acts == 2);  // of 0, which failed, and of 3
  CHECK(DetailOf(bench.engine->Skip(bench.Action("step/do/2", "not needed")).status()).reason == "NOTHING_TO_SKIP");
}

TEST_CASE("An action with a request id that was seen is not a second action") {
  Bench bench;
  bench.script.act = [](const std::string&) { return Verdict::Failed(absl::FailedPreconditionError("no")); };
  bench.Start({Bench::Task(0)});
  bench.Settle();
  op::OperationActionRequest retry = bench.Action();
  retry.set_request_id("again");
  REQUIRE(bench.engine->Retry(retry).ok());
  bench.Settle();
  REQUIRE(bench.engine->Retry(retry).ok());
  bench.Settle();
  CHECK(bench.script.acts == 2);
}

TEST_CASE("A watcher gets the present state at once and the end last") {
  Bench bench;
  bench.Start({Bench::Task(0), Bench::Task(1, {0})});
  std::vector<op::State> seen;
  bool ended = false;
  op::WatchOperationRequest request;
  request.set_id("op-00000000-0001");
  REQUIRE(bench.engine
              ->Watch(request,
                      [&](const op::Operation& operation, bool last) {
                        seen.push_back(operation.state());
                        ended = last;
                        return true;
                      })
              .ok());
  bench.Settle();
  CHECK(ended);
  REQUIRE(seen.size() >= 2);
  CHECK(seen.front() == op::RUNNING);
  CHECK(seen.back() == op::COMPLETED);
}

TEST_CASE("Ten thousand tasks cost the engine little, whatever it does for each") {
  Bench bench;
  std::vector<op::TaskRecord> tasks;
  for (int i = 0; i < 10000; ++i) tasks.push_back(i % 5 == 0 ? Bench::Task(i) : Bench::Task(i, {i - 1}));
  bench.Start(std::move(tasks));
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 1000000; ++i) {
    const bool moved = bench.engine->Pump();
    const bool idle = bench.executor.queue.empty();
    while (!bench.executor.queue.empty()) {
      bench.executor.queue.front()();
      bench.executor.queue.pop_front();
    }
    if (!moved && idle) break;
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  CHECK(bench.Get().state() == op::COMPLETED);
  // Generous: unoptimised builds on busy machines run this too. A quadratic engine would need minutes.
  CHECK(seconds < 20);
}

TEST_CASE("Works run on threads, and a hung one holds nothing but its own") {
  ThreadExecutor executor(3);
  std::mutex mutex;
  std::condition_variable wake;
  int done = 0;
  bool release = false;
  executor.Submit([&] {
    std::unique_lock lock(mutex);
    wake.wait(lock, [&] { return release; });
  });
  for (int i = 0; i < 50; ++i) {
    executor.Submit([&] {
      const std::lock_guard lock(mutex);
      ++done;
      wake.notify_all();
    });
  }
  std::unique_lock lock(mutex);
  CHECK(wake.wait_for(lock, std::chrono::seconds(20), [&] { return done == 50; }));
  release = true;
  wake.notify_all();
  lock.unlock();
  executor.Drain();
}

TEST_CASE("A project has so many operations under way and no more, whatever the others have") {
  Bench bench;
  REQUIRE(bench.StartIn("red", 1).ok());
  REQUIRE(bench.StartIn("red", 2).ok());
  const auto third = bench.StartIn("red", 3);
  CHECK(third.status().code() == absl::StatusCode::kResourceExhausted);
  CHECK(DetailOf(third.status()).reason == "TOO_MANY_OPERATIONS");
  CHECK(bench.StartIn("blue", 4).ok());
  CHECK(bench.StartIn("red", 1).ok());  // the same request again is no further one
  bench.Settle();
  CHECK(bench.StartIn("red", 3).ok());  // those that have ended count no more
}

TEST_CASE("The list has pages, and of an operation that has ended it has all, also after a restart") {
  Bench bench;
  bench.Start({Bench::Task(0)});
  REQUIRE(bench.StartIn("red", 1).ok());
  bench.Settle();
  const int64_t revision = bench.engine->Get("op-11111111-0001", false)->revision();
  REQUIRE(bench.StartIn("red", 2).ok());  // runs
  const auto all = [](const op::Operation&) { return true; };
  const auto ids = [](const Engine::Listing& listing) {
    std::vector<std::string> found;
    for (const op::Operation& one : listing.operations) found.push_back(one.id());
    return found;
  };
  for (const bool restarted : {false, true}) {
    CAPTURE(restarted);
    if (restarted) bench.Restart();
    const auto first = bench.engine->List(all, "", 2);
    REQUIRE(first.ok());
    CHECK(ids(*first) == std::vector<std::string>{"op-11111111-0002", "op-11111111-0001"});
    CHECK(first->more);
    const auto second = bench.engine->List(all, "op-11111111-0001", 2);
    REQUIRE(second.ok());
    CHECK(ids(*second) == std::vector<std::string>{"op-00000000-0001"});
    CHECK_FALSE(second->more);
    CHECK(second->operations[0].steps_size() == 1);
    CHECK(second->operations[0].request_id() == "request");
    CHECK(absl::IsInvalidArgument(bench.engine->List(all, "op-22222222-0001", 2).status()));
    const auto running = bench.engine->List([](const op::Operation& one) { return one.state() == op::RUNNING; }, "", 2);
    REQUIRE(running.ok());
    CHECK(ids(*running) == std::vector<std::string>{"op-11111111-0002"});
    if (!restarted) CHECK(first->operations[1].revision() == revision);
  }
}

// The race that this is about is seen by the build with ThreadSanitizer.
TEST_CASE("A request is found while others are taken in") {
  Bench bench;
  REQUIRE(bench.StartIn("red", 0).ok());
  int found = 0;
  std::thread finder([&] {
    for (int i = 0; i < 200; ++i) found += bench.engine->FindRequest("request-0").ok() ? 1 : 0;
  });
  for (int i = 1; i < 100; ++i) CHECK(bench.StartIn(fmt::format("project-{}", i), i).ok());
  finder.join();
  CHECK(found == 200);
}

TEST_CASE("Another project's operations are not there: by id, by prefix, for every verb, running or ended") {
  Bench bench;
  REQUIRE(bench.StartIn("red", 1).ok());
  REQUIRE(bench.StartIn("blue", 2).ok());
  const Engine::Viewer red = Tenant{"site-b", "red", ""}, blue = Tenant{"site-b", "blue", ""};
  const Engine::Viewer elsewhere = Tenant{"site-a", "red", ""};  // a project of the same id, of another Keystone
  const auto words = [](const absl::Status& status, const std::string& id) {
    return MessageOf(status).substr(0, MessageOf(status).find(id));
  };
  for (const bool ended : {false, true}) {
    CAPTURE(ended);
    if (ended) bench.Settle();
    CHECK(bench.engine->Get("op-11111111-0001", false, red).ok());
    CHECK(bench.engine->Get("op-11111111-0001", false).ok());
    const auto hidden = bench.engine->Get("op-11111111-0001", false, blue);
    const auto absent = bench.engine->Get("op-99999999-0009", false, blue);
    CHECK(hidden.status().code() == absl::StatusCode::kNotFound);
    CHECK(words(hidden.status(), "op-1") == words(absent.status(), "op-9"));
    CHECK_FALSE(bench.engine->Get("op-11111111-0001", false, elsewhere).ok());
    // Two operations begin so; each project has one.
    CHECK(bench.engine->Get("op-11111111", false, red)->id() == "op-11111111-0001");
    CHECK(bench.engine->Get("op-11111111", false, blue)->id() == "op-11111111-0002");
    CHECK(bench.engine->Get("op-11111111", false).status().code() == absl::StatusCode::kInvalidArgument);
    op::OperationActionRequest request;
    request.set_id("op-11111111-0001");
    request.set_task("0");
    request.set_reason("because");
    for (const auto verb : {&Engine::Cancel, &Engine::Pause, &Engine::Resume, &Engine::Retry, &Engine::Skip}) {
      CHECK((*bench.engine.*verb)(request, blue).status().code() == absl::StatusCode::kNotFound);
    }
    op::WatchOperationRequest watch;
    watch.set_id("op-11111111-0001");
    const auto nothing = [](const op::Operation&, bool) { return true; };
    CHECK(bench.engine->Watch(watch, nothing, blue).status().code() == absl::StatusCode::kNotFound);
  }
}

TEST_CASE("An operation of a release that did not note whose it is gets its projects from its plan") {
  Bench bench;
  op::OperationRecord header;
  header.mutable_operation()->set_id("op-00000000-0001");
  header.mutable_operation()->set_group_id("group");
  header.mutable_operation()->set_state(op::RUNNING);
  op::PlanRecord plan;
  (*plan.mutable_document()->mutable_projects())["site-a"] = "red";
  REQUIRE(bench.engine->Start(header, plan, {Bench::Task(0)}).ok());
  const Engine::Viewer red = Tenant{"site-a", "red", ""};
  CHECK_FALSE(bench.engine->Get("op-00000000-0001", false, red).ok());
  bench.Restart();
  CHECK(bench.engine->Get("op-00000000-0001", false, red).ok());
  bench.Settle();
  bench.Restart();
  CHECK(bench.engine->Get("op-00000000-0001", false, red).ok());
}

TEST_CASE("What the engine decides is noted once, also across a restart") {
  Bench bench;
  REQUIRE(bench.StartIn("red", 1).ok());
  bench.Step();
  bench.Restart();
  bench.Settle();
  bench.Restart();
  bench.Settle();
  CHECK(bench.decisions->notes == std::vector<std::string>{"operation accepted operation op-11111111-0001 request-1",
                                                           "operation ended operation op-11111111-0001 request-1"});
}

}  // namespace protector::orchestrator
