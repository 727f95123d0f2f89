#include "libs/base/parallel.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace protector {

void ForEachInParallel(size_t count, int limit, const std::function<void(size_t)>& job) {
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < count; i = next++) job(i);
  };
  const size_t workers = std::min(count, static_cast<size_t>(std::max(limit, 1)));
  std::vector<std::jthread> threads;
  for (size_t i = 1; i < workers; ++i) threads.emplace_back(work);
  work();
}

}  // namespace protector
