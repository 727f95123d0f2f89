#pragma once
// Where blocking calls run: a pool that grows up to a bound. The engine keeps the number of calls under way below its
// limits, so a call that hangs holds one thread until its own deadline and nothing else.
//
// Threads: Submit from any thread. Ownership: work that was submitted runs to its end before the destructor returns.
// Failure: none; work does not throw.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace protector::orchestrator {

class Executor {
 public:
  virtual ~Executor() = default;
  virtual void Submit(std::function<void()> work) = 0;
};

class ThreadExecutor final : public Executor {
 public:
  explicit ThreadExecutor(size_t max_threads) : max_threads_(max_threads) {}
  ~ThreadExecutor() override;
  void Submit(std::function<void()> work) override;
  // Waits for everything that was submitted; nothing may be submitted afterwards.
  void Drain();

 private:
  void Work();
  const size_t max_threads_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  std::vector<std::thread> threads_;
  size_t idle_ = 0;
  bool ending_ = false;
};

}  // namespace protector::orchestrator
