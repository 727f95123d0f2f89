#include "libs/grpc/worker_pool.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>

namespace protector::rpc {
namespace {

TEST_CASE("work runs in parallel up to the number of workers; a full queue refuses") {
  std::promise<void> release;
  std::shared_future<void> gate = release.get_future().share();
  std::atomic<int> started = 0;
  std::promise<void> both;
  std::atomic<int> ran = 0;
  {
    WorkerPool pool(2, 1);
    for (int i = 0; i < 2; ++i) {
      while (!pool.Post([&] {
        if (++started == 2) both.set_value();
        gate.wait();
        ++ran;
      })) {
      }
    }
    both.get_future().wait();
    CHECK(pool.Post([&] { ++ran; }));
    CHECK(pool.queued() == 1);
    CHECK_FALSE(pool.Post([&] { ++ran; }));
    release.set_value();
  }
  CHECK(ran == 3);
}

}  // namespace
}  // namespace protector::rpc
