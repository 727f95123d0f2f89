#pragma once
// One orchestrator over a fake world, turned by the test: works run one at a time in an order drawn from a seed, the
// clock moves only when nothing else can happen, and the process can die at any write of its journal.
//
// Threads: one. Ownership: the store and the world outlive the nodes. Failure: Settle gives up after a great many
// turns.

#include <random>

#include "libs/store/memory_store.h"
#include "services/orchestrator/domain/operations/director.h"
#include "services/orchestrator/domain/operations/fake_world.h"
#include "services/orchestrator/domain/operations/starter.h"

namespace protector::orchestrator::fake {

class SeededExecutor final : public Executor {
 public:
  explicit SeededExecutor(std::mt19937& random) : random_(random) {}
  void Submit(std::function<void()> work) override { queue_.push_back(std::move(work)); }
  bool RunOne() {
    if (queue_.empty()) return false;
    const size_t at = random_() % queue_.size();
    std::swap(queue_[at], queue_.back());
    std::function<void()> work = std::move(queue_.back());
    queue_.pop_back();
    work();
    return true;
  }
  size_t size() const { return queue_.size(); }

 private:
  std::mt19937& random_;
  std::vector<std::function<void()>> queue_;
};

// The same ids in each run, and other ones for each maker.
class CountingIds final : public IdGenerator {
 public:
  explicit CountingIds(const std::string& maker) : maker_(maker) {}
  std::string NewUuid() override { return DerivedUuid(maker_ + " " + std::to_string(next_++)); }

 private:
  const std::string maker_;
  int next_ = 1;
};

// The program of one site, from its start to its death.
class Node {
 public:
  Node(World& world, const std::string& site, store::MemoryStore& store, std::mt19937& random, CountingIds& ids)
      : world_(world),
        context_{world.PortsOf(site), world.SitesOf(site), world.TargetOf(site), world.clock()},
        director_(context_),
        executor_(random),
        engine_({}, store, world.clock(), executor_, director_, log::Logger()),
        starter_(context_, engine_, ids) {
    loaded_ = engine_.Load();
  }

  Engine& engine() { return engine_; }
  Starter& starter() { return starter_; }
  const absl::Status& loaded() const { return loaded_; }

  // One thing happens; false: nothing can, and nothing is due.
  bool Step() {
    if (engine_.Pump()) return true;
    if (executor_.RunOne()) return true;
    const absl::Duration wait = engine_.UntilNext();
    if (wait == absl::InfiniteDuration()) return false;
    world_.clock().Advance(std::max(wait, absl::Milliseconds(1)));
    world_.Tick();
    return true;
  }
  // In-flight calls that come through although the process is dead.
  void LetThrough(size_t most) {
    for (size_t i = 0; i < most; ++i) executor_.RunOne();
  }
  size_t in_flight() const { return executor_.size(); }

 private:
  World& world_;
  OperationContext context_;
  OperationsDirector director_;
  SeededExecutor executor_;
  Engine engine_;
  Starter starter_;
  absl::Status loaded_;
};

// A site's program with its disk: it can die and start again.
class Program {
 public:
  Program(World& world, const std::string& site, unsigned seed)
      : world_(world), site_(site), random_(seed), store_(world.clock()) {
    store_.BeforeWrite([this](const store::Batch&) -> absl::Status {
      ++writes_;
      if (dies_at_ == writes_ && !after_) return Die();
      return dead_ ? absl::UnavailableError("dead") : absl::OkStatus();
    });
    store_.AfterWrite([this](const store::Batch&) -> absl::Status {
      if (dies_at_ == writes_ && after_ && !dead_) return Die();
      return absl::OkStatus();
    });
    Boot();
  }

  // Dies at that write (counted from now), just before it is on disk or just after.
  void DieAt(int write, bool after) {
    dies_at_ = writes_ + write;
    after_ = after;
  }
  // Having died, dies once more that many writes later: while it recovers.
  void ThenDieAfter(int writes) { second_ = writes; }
  int writes() const { return writes_; }
  int deaths() const { return deaths_; }
  Engine& engine() { return node_->engine(); }
  Starter& starter() { return node_->starter(); }

  void Boot() {
    dead_ = false;
    node_ = std::make_unique<Node>(world_, site_, store_, random_, ids_);
  }

  // Until `done`, or nothing is left to happen. Restarts when it has died. False: it never ended.
  bool Until(const std::function<bool()>& done, int most = 400000) {
    for (int i = 0; i < most; ++i) {
      if (dead_) {
        // Some of the calls under way still arrive.
        node_->LetThrough(random_() % (node_->in_flight() + 1));
        Boot();
      }
      if (!dead_ && done()) return true;
      if (!node_->Step() && !dead_) return done();
    }
    return false;
  }

 private:
  absl::Status Die() {
    dead_ = true;
    ++deaths_;
    dies_at_ = second_ > 0 ? writes_ + second_ : -1;
    second_ = 0;
    return absl::UnavailableError("dead");
  }

  World& world_;
  const std::string site_;
  std::mt19937 random_;
  store::MemoryStore store_;
  CountingIds ids_{site_};
  std::unique_ptr<Node> node_;
  int writes_ = 0;
  int dies_at_ = -1;
  int deaths_ = 0;
  int second_ = 0;
  bool after_ = false;
  bool dead_ = false;
};

}  // namespace protector::orchestrator::fake
