#pragma once
// The one layer that sends a request again. Nothing below it does, and nothing above it should.
//
// What is sent again: a request that certainly was not received; 429, and 503 with Retry-After, for every request,
// since the server said that it did nothing; any other 503, 500, 502, 504 and calls without a complete answer only when
// the caller says that carrying the request out twice does the same as once.
//
// Threads: functions; env.random is called under no lock and must be safe for the callers' threads. Failure: the last
// attempt's. Waiting never goes past the request's deadline.

#include <functional>

#include "libs/base/clock.h"
#include "libs/http/client.h"

namespace protector::http {

enum class Idempotency {
  kIdempotent,     // reads, and changes that say what the end state is (PUT, most DELETEs)
  kNotIdempotent,  // creations and actions: an unknown outcome is handed to the caller
};

struct RetryPolicy {
  int max_attempts = 4;
  absl::Duration initial_backoff = absl::Milliseconds(200);
  absl::Duration max_backoff = absl::Seconds(5);
  double multiplier = 2.0;
  double jitter = 0.5;                                 // each wait is drawn from [1 - jitter, 1] x backoff
  absl::Duration max_retry_after = absl::Seconds(30);  // a server that asks for more gets the status handed up
};

struct RetryEnv {
  Clock& clock;
  std::function<double()> random;  // uniform in [0, 1)
};

// A `random` for RetryEnv from the system's random source; safe for all threads.
std::function<double()> SystemRandom();

// Sends `request` until it is answered for good. `attempt` (from 1) is told to `send`, so that it can be logged.
absl::StatusOr<Response> DoWithRetry(const Request& request, Idempotency idempotency, const RetryPolicy& policy,
                                     const RetryEnv& env,
                                     const std::function<absl::StatusOr<Response>(const Request&, int attempt)>& send);

// Retry-After of a response in seconds or as a date; zero: none or nonsense.
absl::Duration RetryAfter(const Response& response, absl::Time now);

}  // namespace protector::http
