#pragma once
// A fixed number of threads that run queued work in order of arrival, with a bounded queue.
//
// Threads: every method may be called from any thread; work runs on the pool's. Ownership: the destructor runs what is
// queued and joins. Failure: Post returns false when the queue is full.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace protector::rpc {

class WorkerPool {
 public:
  WorkerPool(int workers, int max_queued);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  bool Post(std::function<void()> work);
  size_t queued() const;

 private:
  void Run();

  const size_t max_queued_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace protector::rpc
