#pragma once
// Sending with somebody watching: one record per attempt, for logs and metrics.
//
// Threads: functions. Ownership: the observer may be null. Failure: that of the call, unchanged.

#include <string>

#include "libs/base/clock.h"
#include "libs/http/client.h"

namespace protector::http {

struct Watch {
  Observer* observer = nullptr;
  std::string service;
  std::string caller_request_id;
  Purpose purpose = {};
};

absl::StatusOr<Response> DoObserved(HttpClient& client, const Request& request, Clock& clock, const Watch& watch,
                                    int attempt);

}  // namespace protector::http
