#include "simulators/openstack/core/scheduler.h"

#include <chrono>
#include <exception>
#include <utility>

#include <spdlog/spdlog.h>

namespace protector::ossim {
namespace {

int64_t SteadyUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Scheduler::Scheduler(size_t threads) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

Scheduler::~Scheduler() {
  Stop();
}

void Scheduler::After(int64_t delay_ms, std::function<void()> task) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) return;
    due_.emplace(SteadyUs() + delay_ms * 1000, std::move(task));
  }
  wake_.notify_one();
}

void Scheduler::Stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    due_.clear();
  }
  wake_.notify_all();
  for (std::thread& t : threads_) {
    if (t.joinable()) t.join();
  }
}

void Scheduler::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    if (due_.empty()) {
      wake_.wait(lock);
      continue;
    }
    int64_t wait_us = due_.begin()->first - SteadyUs();
    if (wait_us > 0) {
      wake_.wait_for(lock, std::chrono::microseconds(wait_us));
      continue;
    }
    std::function<void()> task = std::move(due_.begin()->second);
    due_.erase(due_.begin());
    lock.unlock();
    try {
      task();
    } catch (const std::exception& e) {
      spdlog::error("a background task failed: {}", e.what());
    }
    task = nullptr;
    lock.lock();
  }
}

}  // namespace protector::ossim
