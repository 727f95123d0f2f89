#pragma once
// Answers of OpenStack services that are not success, as statuses: see call.h for the codes.
//
// Threads: functions. Failure: none.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "libs/http/client.h"

namespace protector::openstack {

struct Asked {
  std::string service;               // nova, cinder, ...
  std::string object;                // "server 6f3a...": what the call was about
  bool change = false;               // not a read: an answer of 500, 502 or 504 leaves its outcome unknown
  std::vector<std::string> secrets;  // never to be repeated, even when the service does
};

// The service's own words in an error body, in whatever form it has.
std::string ServiceText(const http::Response& response);

absl::Status StatusFrom(const http::Response& response, const Asked& asked, absl::Time now);

// A call that got no complete answer: the same status with service and object before its message.
absl::Status StatusFrom(const absl::Status& failure, const Asked& asked);

absl::Status WithAnswer(const absl::Status& status, int http_status, const std::string& request_id);

}  // namespace protector::openstack
