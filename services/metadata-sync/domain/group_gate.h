#pragma once
// Lets one change of a group at a time go through its exchange with the peer. Only changes that begin here wait at the
// gate; versions that arrive from the peer do not, or two sites that change a group at the same moment would wait for
// each other.
//
// Threads: every method may be called from any thread. Ownership: a Pass keeps the gate closed until it is destroyed.
// Failure: Enter gives up after its wait.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "absl/time/time.h"

namespace protector::metadata_sync {

class GroupGate {
 public:
  class Pass {
   public:
    Pass(GroupGate* gate, std::string group) : gate_(gate), group_(std::move(group)) {}
    Pass(Pass&& other) noexcept : gate_(other.gate_), group_(std::move(other.group_)) { other.gate_ = nullptr; }
    Pass& operator=(Pass&&) = delete;
    ~Pass() {
      if (gate_ != nullptr) gate_->Leave(group_);
    }

   private:
    GroupGate* gate_;
    std::string group_;
  };

  std::optional<Pass> Enter(const std::string& group, absl::Duration wait) {
    std::unique_lock lock(mutex_);
    const bool entered =
        left_.wait_for(lock, absl::ToChronoNanoseconds(wait), [&] { return inside_.count(group) == 0; });
    if (!entered) return std::nullopt;
    inside_.insert(group);
    return Pass(this, group);
  }

 private:
  void Leave(const std::string& group) {
    {
      std::lock_guard lock(mutex_);
      inside_.erase(group);
    }
    left_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable left_;
  std::set<std::string> inside_;
};

}  // namespace protector::metadata_sync
