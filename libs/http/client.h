#pragma once
// Outbound HTTP: the interface that clients of OpenStack and of the array are written against, and what a failed call
// says about the server's side of it.
//
// Threads: an HttpClient may be used by any number of threads at once. Ownership: requests and responses are values.
// Failure: Do returns OK for every complete answer, whatever its status code. Otherwise UNAVAILABLE (no connection, TLS
// refused, connection cut), DEADLINE_EXCEEDED, CANCELLED (stop was requested) or INVALID_ARGUMENT (not a URL); each
// carries an Outcome: did the request certainly not reach the server, or is it unknown whether it was carried out?

#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/base/purpose.h"

namespace protector::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method = "GET";
  std::string url;
  Headers headers;
  std::string body;
  absl::Time deadline = absl::InfiniteFuture();  // of the whole call; the client's own limit applies as well
  std::stop_token stop;                          // gives the call up when requested
  std::string route;                             // path template for metrics and logs: "/servers/{id}"; never the query
};

struct Response {
  int status = 0;
  Headers headers;
  std::string body;

  bool ok() const { return status >= 200 && status < 300; }
  std::string Header(const std::string& name) const;  // first of that name in any case; empty: none
};

class HttpClient {
 public:
  virtual ~HttpClient() = default;
  virtual absl::StatusOr<Response> Do(const Request& request) = 0;
};

// What a failed call means for the server's state.
enum class Outcome {
  kNone,     // no statement: not a failure of a call
  kNotSent,  // the server certainly did not get the request: safe to send again, whatever it does
  kUnknown,  // sent, no complete answer: probe before sending a change again
};

absl::Status WithOutcome(const absl::Status& status, Outcome outcome);
Outcome OutcomeOf(const absl::Status& status);
inline bool NotSent(const absl::Status& status) {
  return OutcomeOf(status) == Outcome::kNotSent;
}
inline bool OutcomeUnknown(const absl::Status& status) {
  return OutcomeOf(status) == Outcome::kUnknown;
}

// How long the server asked to be left alone (Retry-After); zero when it said nothing.
absl::Status WithRetryDelay(const absl::Status& status, absl::Duration delay);
absl::Duration RetryDelayOf(const absl::Status& status);

// Text for use in a path segment or query value: everything but letters, digits and -._~ is percent-encoded.
std::string UrlEncode(const std::string& text);

// The text with "***" in place of each secret, for what a service answers: some repeat what they were sent. Secrets of
// less than four characters are left alone: they would be found everywhere.
std::string Redacted(std::string text, const std::vector<std::string>& secrets);
// "https://user:pw@host:8443/a?b" -> "host:8443" (never the credentials); empty when it is not an http(s) URL.
std::string HostOf(const std::string& url);

// One attempt of one call, for logs and metrics. Never holds bodies, query strings or header values but the request id.
struct CallRecord {
  std::string service;  // "nova", "flasharray", ...
  std::string method;
  std::string host;
  std::string route;
  int status = 0;     // 0: no complete answer
  std::string error;  // cause when status is 0
  absl::Duration duration;
  std::string request_id;         // the server's id of the request: x-openstack-request-id, x-request-id
  std::string caller_request_id;  // ours, that the call is made for
  Purpose purpose = {};
  int attempt = 1;
};

// Told after each attempt, in the calling thread; must be quick and may be called by many threads at once.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void OnCall(const CallRecord& record) = 0;
};

}  // namespace protector::http
