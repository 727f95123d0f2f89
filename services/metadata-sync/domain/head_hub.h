#pragma once
// Tells watchers about new heads.
//
// Threads: every method may be called from any thread; watchers are called on the thread that made the change and must
// not block. Ownership: a subscription ends with Unsubscribe. Failure: none.

#include <functional>
#include <map>
#include <mutex>

#include "protector/metadata/v1/metadata.pb.h"

namespace protector::metadata_sync {

class HeadHub {
 public:
  using Watcher = std::function<void(const protector::metadata::v1::Head&)>;

  int64_t Subscribe(Watcher watcher) {
    std::lock_guard lock(mutex_);
    watchers_.emplace(next_, std::move(watcher));
    return next_++;
  }
  void Unsubscribe(int64_t id) {
    std::lock_guard lock(mutex_);
    watchers_.erase(id);
  }
  void Publish(const protector::metadata::v1::Head& head) {
    std::lock_guard lock(mutex_);
    for (const auto& [id, watcher] : watchers_) watcher(head);
  }

 private:
  std::mutex mutex_;
  std::map<int64_t, Watcher> watchers_;
  int64_t next_ = 1;
};

}  // namespace protector::metadata_sync
