#pragma once
// What goes with every call to a cloud, and how to read its failures.
//
// Codes: NOT_FOUND 404; ALREADY_EXISTS, ABORTED (busy: try later) or FAILED_PRECONDITION (wrong state) for 409, and
// FAILED_PRECONDITION for the 400 with which Cinder refuses a state; INVALID_ARGUMENT other 400; UNAUTHENTICATED 401
// after one renewal of the token; PERMISSION_DENIED 403; RESOURCE_EXHAUSTED quota (403, 413, 409) ; UNAVAILABLE 429,
// 503 and no connection; INTERNAL other 5xx; DEADLINE_EXCEEDED. The message has the service's own words and its request
// id. ErrorDetail (libs/base/error.h) has reason, object and remedy. http::OutcomeUnknown(status) is true when a change
// may have been carried out all the same (no complete answer, 500, 502, 504): probe, then decide.
// http::RetryDelayOf(status): how long the service wants to be left alone.
//
// Threads: values.

#include <stop_token>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "libs/http/client.h"

namespace protector::openstack {

struct CallContext {
  absl::Time deadline = absl::InfiniteFuture();  // of the call with its retries
  std::string request_id;                        // ours; sent as X-OpenStack-Request-ID ("req-<uuid>") and logged
  std::stop_token stop;
  Purpose purpose = {};  // for the log
};

// HTTP status that a failure came from; 0 when it did not come from an answer.
int HttpStatusOf(const absl::Status& status);

// The service's id of the request that failed; empty when it gave none.
std::string ServiceRequestIdOf(const absl::Status& status);

}  // namespace protector::openstack
