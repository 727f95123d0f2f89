#pragma once
// What goes along with every outbound call: how long it may take, and on whose behalf, for logs.
//
// Threads: a value. Failure: none.

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "libs/base/purpose.h"
#include "libs/base/tenant.h"

namespace protector::orchestrator {

struct Call {
  explicit Call(absl::Duration call_timeout, std::string call_request_id = "")
      : timeout(call_timeout), request_id(std::move(call_request_id)) {}
  absl::Duration timeout;  // the call returns within it, whatever the other side does
  std::string request_id;  // of the caller; may be empty
  Purpose purpose;         // for logs
  // The caller sees and changes this project's groups and operations only; nullopt: all (our own work; an
  // administrator).
  std::optional<Tenant> tenant;
};

}  // namespace protector::orchestrator
