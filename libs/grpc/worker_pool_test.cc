#include "libs/grpc/worker_pool.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>

namespace protector::rpc {
namespace {

// Work that holds its thread until it is let go.
struct Gate {
  std::promise<void> release;
  std::shared_future<void> opened = release.get_future().share();
  std::mutex mutex;
  std::condition_variable changed;
  int inside = 0;

  std::function<void()> Work() {
    return [this] {
      {
        const std::lock_guard lock(mutex);
        ++inside;
      }
      changed.notify_all();
      opened.wait();
    };
  }
  bool Reached(int count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(10), [&] { return inside >= count; });
  }
};

TEST_CASE("work runs in parallel up to the number of workers; a full queue refuses") {
  Gate gate;
  std::atomic<int> ran = 0;
  {
    WorkerPool pool(2, 1);
    for (int i = 1; i <= 2; ++i) {
      REQUIRE(pool.Post("a", gate.Work()));
      REQUIRE(gate.Reached(i));
    }
    CHECK(pool.Post("a", [&] { ++ran; }));
    CHECK(pool.queued() == 1);
    CHECK_FALSE(pool.Post("b", [&] { ++ran; }));
    gate.release.set_value();
  }
  CHECK(ran == 1);
}

TEST_CASE("callers are served in turn, however much one of them has sent") {
  Gate gate;
  std::mutex mutex;
  std::string order;
  const auto note = [&](char who) {
    return [&, who] {
      const std::lock_guard lock(mutex);
      order += who;
    };
  };
  {
    WorkerPool pool(1, 100);
    REQUIRE(pool.Post("first", gate.Work()));
    REQUIRE(gate.Reached(1));
    for (int i = 0; i < 5; ++i) REQUIRE(pool.Post("flood", note('f')));
    REQUIRE(pool.Post("b", note('b')));
    REQUIRE(pool.Post("c", note('c')));
    REQUIRE(pool.Post("c", note('c')));
    gate.release.set_value();
  }
  CHECK(order == "fbcfcfff");
}

TEST_CASE("one caller does not get all of the threads, nor all of the queue") {
  Gate hanging;
  std::promise<void> served;
  {
    WorkerPool pool(4, 20);
    for (int i = 0; i < 3; ++i) REQUIRE(pool.Post("hangs", hanging.Work()));
    REQUIRE(hanging.Reached(3));
    for (int i = 0; i < 10; ++i) REQUIRE(pool.Post("hangs", hanging.Work()));
    CHECK_FALSE(pool.Post("hangs", [] {}));  // three are running, ten wait: half of the queue
    REQUIRE(pool.Post("other", [&] { served.set_value(); }));
    CHECK(served.get_future().wait_for(std::chrono::seconds(10)) == std::future_status::ready);
    CHECK(hanging.inside == 3);
    hanging.release.set_value();
  }
  CHECK(hanging.inside == 13);
}

}  // namespace
}  // namespace protector::rpc
