// Runs what a service does after it has answered: builds, stops, imports. A few threads, earliest due first.
//
// Threads: After may be called from any thread, also from a task. Tasks run without the site's lock and take it
// themselves. Failure: tasks must not throw out; one that does is logged. Stop drops what is not due: the state says
// what was under way and a restart takes it up again.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace protector::ossim {

class Scheduler {
 public:
  explicit Scheduler(size_t threads);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  void After(int64_t delay_ms, std::function<void()> task);
  void Stop();

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::multimap<int64_t, std::function<void()>> due_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace protector::ossim
