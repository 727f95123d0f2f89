#pragma once
// A fixed number of threads for the work of many callers, with bounded queues. Callers are served in turn, each in
// order of arrival; one alone has not all of the threads and not all of the queue, so that who floods or whose calls
// hang waits for itself, and does not stop the others.
//
// Threads: every method may be called from any thread; work runs on the pool's. Ownership: the destructor runs what is
// queued and joins. Failure: Post returns false when the queue, or the caller's share of it, is full.

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace protector::rpc {

class WorkerPool {
 public:
  // Of four threads or more a quarter is kept from a single caller, and of the queue a half.
  WorkerPool(int workers, int max_queued);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  bool Post(const std::string& caller, std::function<void()> work);
  size_t queued() const;

 private:
  struct Lane {
    std::deque<std::function<void()>> queue;
    int running = 0;
    bool has_turn = false;  // is in turns_
  };
  void Run();
  // Gives the lane a turn when it has work and may have another thread.
  void Line(const std::string& caller, Lane& lane);

  const size_t max_queued_;
  const size_t max_queued_of_one_;
  const int most_of_one_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::string, Lane> lanes_;  // of callers with work
  std::deque<std::string> turns_;
  size_t queued_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace protector::rpc
