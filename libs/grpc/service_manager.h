#pragma once
// What a service tells systemd about itself (sd_notify(3), Type=notify): that it serves, that it is ending, and, where
// the unit has WatchdogSec, that it still answers. Without systemd nothing is told and nothing is different.
//
// Threads: every method may be called from any thread. Ownership: a value without resources. Failure: none; what cannot
// be told is not.

#include <string>

#include "absl/time/time.h"

namespace protector::rpc {

class ServiceManager {
 public:
  // Reads NOTIFY_SOCKET and WATCHDOG_USEC, as systemd sets them for the unit's main process.
  ServiceManager();

  void Ready(const std::string& status) const;
  void Stopping() const;
  // The service has just shown that it works.
  void Alive() const;
  // How often Alive is expected at least; infinite: the unit has no watchdog.
  absl::Duration watchdog() const { return watchdog_; }

 private:
  absl::Duration watchdog_ = absl::InfiniteDuration();
};

}  // namespace protector::rpc
