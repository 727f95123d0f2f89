#include "libs/grpc/worker_pool.h"

#include <algorithm>
#include <utility>

namespace protector::rpc {

WorkerPool::WorkerPool(int workers, int max_queued)
    : max_queued_(static_cast<size_t>(max_queued)),
      max_queued_of_one_(static_cast<size_t>(std::max(1, max_queued / 2))),
      most_of_one_(workers - workers / 4) {
  for (int i = 0; i < workers; ++i) threads_.emplace_back([this] { Run(); });
}

WorkerPool::~WorkerPool() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool WorkerPool::Post(const std::string& caller, std::function<void()> work) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_ || queued_ >= max_queued_) return false;
    Lane& lane = lanes_[caller];
    if (lane.queue.size() >= max_queued_of_one_) return false;
    lane.queue.push_back(std::move(work));
    ++queued_;
    Line(caller, lane);
  }
  wake_.notify_one();
  return true;
}

size_t WorkerPool::queued() const {
  std::lock_guard lock(mutex_);
  return queued_;
}

void WorkerPool::Line(const std::string& caller, Lane& lane) {
  if (lane.has_turn || lane.queue.empty() || lane.running >= most_of_one_) return;
  lane.has_turn = true;
  turns_.push_back(caller);
}

void WorkerPool::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [&] { return !turns_.empty() || (stopping_ && queued_ == 0); });
    if (turns_.empty()) return;
    const std::string caller = std::move(turns_.front());
    turns_.pop_front();
    Lane& lane = lanes_[caller];  // stays where it is as long as it has work
    lane.has_turn = false;
    std::function<void()> work = std::move(lane.queue.front());
    lane.queue.pop_front();
    --queued_;
    ++lane.running;
    Line(caller, lane);
    if (!turns_.empty()) wake_.notify_one();
    lock.unlock();
    work();
    work = nullptr;  // what it holds may take locks of its own
    lock.lock();
    --lane.running;
    Line(caller, lane);
    if (!turns_.empty()) wake_.notify_one();
    if (lane.queue.empty() && lane.running == 0) lanes_.erase(caller);
    if (stopping_ && queued_ == 0) wake_.notify_all();
  }
}

}  // namespace protector::rpc
