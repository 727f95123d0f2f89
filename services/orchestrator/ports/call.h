#pragma once
// What goes along with every outbound call: how long it may take, and on whose behalf, for logs.
//
// Threads: a value. Failure: none.

#include <string>

#include "absl/time/time.h"

namespace protector::orchestrator {

struct Call {
  explicit Call(absl::Duration call_timeout, std::string call_request_id = "")
      : timeout(call_timeout), request_id(std::move(call_request_id)) {}
  absl::Duration timeout;     // the call returns within it, whatever the other side does
  std::string request_id;     // of the caller; may be empty
  std::string operation_id;   // for logs and marks; may be empty
  std::string step;           // see operation_id
  std::string task;           // see operation_id
};

}  // namespace protector::orchestrator
