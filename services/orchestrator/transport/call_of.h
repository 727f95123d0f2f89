#pragma once
// From the context of an incoming call to that of the outbound calls made for it: its remaining time and its request
// id.
//
// Threads: pure. Failure: none.

#include <algorithm>

#include "absl/time/clock.h"
#include "libs/grpc/call_context.h"
#include "services/orchestrator/ports/call.h"

namespace protector::orchestrator {

inline Call CallOf(const rpc::CallContext& context) {
  const absl::Duration remaining = context.deadline - absl::Now();
  Call call(std::clamp(remaining, absl::Milliseconds(1), absl::Minutes(2)), context.request_id);
  call.purpose = context.purpose;
  call.tenant = context.tenant;
  return call;
}

}  // namespace protector::orchestrator
