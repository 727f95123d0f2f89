#pragma once
// The background work of groups: settles changes that were interrupted, and captures members anew from time to time.
//
// Threads: one of its own between Start and Stop. Ownership: groups outlives it. Failure: logged; tried again at the
// next turn.

#include <condition_variable>
#include <mutex>
#include <thread>

#include "libs/log/log.h"
#include "services/orchestrator/domain/groups/groups.h"

namespace protector::orchestrator {

class GroupKeeper {
 public:
  GroupKeeper(Groups& groups, log::Logger logger, absl::Duration capture_interval);
  ~GroupKeeper() { Stop(); }
  void Start();
  void Stop();

 private:
  void Run();

  Groups& groups_;
  log::Logger logger_;
  const absl::Duration capture_interval_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace protector::orchestrator
