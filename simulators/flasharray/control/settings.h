// What the command line says and what /sim/settings may change while the array runs.
//
// Threads: Settings is read by many and changed by the control plane: atomics or its lock. Ownership: one per process.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "simulators/flasharray/base/types.h"

namespace protector::fasim {

struct TokenOption {
  std::string user = "pureuser", role = "array_admin", token;
};

struct Options {
  std::string name = "array-a", listen = "127.0.10.1:8443", control = "127.0.10.1:9901", state_dir, ready_file;
  std::string advertise;  // host that the array names to its peers; empty: the one it listens on
  std::vector<TokenOption> tokens;
  std::map<std::string, std::string> peers;  // name -> control address
  bool preconnect = true;
  double bandwidth_mbps = 0;
  int latency_low = 0, latency_high = 0;
  double time_scale = 1;
  int first_minor = 0, last_minor = 26;
  bool strict = true, sync_writes = false;
  Millis idle_timeout = 1800000;
  std::uint64_t seed = 0;
  // Filled in when the ports are bound.
  std::string rest_address, control_address;
};

class Settings {
 public:
  std::atomic<double> bandwidth_mbps{0};
  std::atomic<int> latency_low{0}, latency_high{0};
  std::atomic<bool> strict{true};
  std::atomic<bool> powered{true};
  std::atomic<bool> stopping{false};

  bool LinkCut(const std::string& peer) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return cut_.count(peer) != 0;
  }
  void SetLink(const std::string& peer, bool cut) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (cut) {
      cut_.insert(peer);
    } else {
      cut_.erase(peer);
    }
  }
  std::set<std::string> cut_links() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return cut_;
  }
  // /sim/power: "refuse" cuts at once, "black_hole" stays silent until power returns.
  void SetPower(bool on, bool black_hole) {
    const std::lock_guard<std::mutex> lock(mutex_);
    powered = on;
    black_hole_ = black_hole;
    power_changed_.notify_all();
  }
  // False when the request must be dropped; blocks while the array is a black hole.
  bool PassPower() {
    if (powered) return true;
    std::unique_lock<std::mutex> lock(mutex_);
    if (black_hole_) power_changed_.wait(lock, [this] { return powered || stopping; });
    return false;
  }
  void Stop() {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping = true;
    power_changed_.notify_all();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable power_changed_;
  std::set<std::string> cut_;
  bool black_hole_ = false;
};

}  // namespace protector::fasim
