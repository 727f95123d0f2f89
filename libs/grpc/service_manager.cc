#include "libs/grpc/service_manager.h"

#include <systemd/sd-daemon.h>

namespace protector::rpc {

ServiceManager::ServiceManager() {
  uint64_t microseconds = 0;
  if (sd_watchdog_enabled(/*unset_environment=*/0, &microseconds) > 0) watchdog_ = absl::Microseconds(microseconds);
}

void ServiceManager::Ready(const std::string& status) const {
  sd_notify(0, ("READY=1\nSTATUS=" + status).c_str());
}

void ServiceManager::Stopping() const {
  sd_notify(0, "STOPPING=1");
}

void ServiceManager::Alive() const {
  sd_notify(0, "WATCHDOG=1");
}

}  // namespace protector::rpc
