#pragma once
// A session with one array: version negotiation, login, renewal, paging, retries, limits. Knows nothing of what is
// asked.
//
// A call that gets 401 was not executed: the session logs in again (once for all threads) and repeats it once. 429 and
// 503 are waited out; requests that certainly did not arrive are sent again; any other failure of a request that is not
// idempotent is handed up, with its outcome, and decided there.
//
// Threads: safe for all; at most `parallelism` requests are under way at once. Ownership: http client, clock, ids and
// observer outlive it. Failure: ArrayError statuses; ARRAY_VERSION when there is no common version.

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/http/client.h"
#include "libs/http/retry.h"
#include "libs/json/json.h"
#include "services/storage-pure/adapters/flasharray/query.h"
#include "services/storage-pure/adapters/flasharray/rest_version.h"
#include "services/storage-pure/ports/scope.h"

namespace protector::storage::flasharray {

struct SessionOptions {
  std::string url;  // "https://host:port"
  // Asked before each login: it may have been rotated. From any thread.
  std::function<std::string()> api_token = [] { return std::string(); };
  absl::Duration request_timeout = absl::Seconds(30);
  int parallelism = 16;
  int page_size = 1000;
  http::RetryPolicy retry;
};

struct SessionEnv {
  http::HttpClient& http;
  Clock& clock;
  IdGenerator& ids;
  std::function<double()> random;
  http::Observer* observer = nullptr;
};

struct ArrayRequest {
  std::string method = "GET";
  std::string path = "";  // "/volumes"
  Query query = {};
  std::optional<json::Value> body = std::nullopt;
  http::Idempotency idempotency = http::Idempotency::kIdempotent;
  std::string object = "";  // what it is about, for errors: a name
};

class Session {
 public:
  Session(SessionOptions options, SessionEnv env);
  ~Session();  // logs out, if it can be done quickly
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  absl::StatusOr<json::Value> Call(const Scope& scope, const ArrayRequest& request);
  // Every item of a listing. `tokens_since`: the version from which this path takes continuation tokens; older ones are
  // paged by offset.
  absl::StatusOr<std::vector<json::Value>> List(const Scope& scope, const std::string& path, const Query& query,
                                                RestVersion tokens_since = kOldest);
  // The version in use; connects if need be.
  absl::StatusOr<RestVersion> Version(const Scope& scope);

 private:
  struct Login {
    RestVersion version;
    std::string token;
    int64_t generation = 0;
  };
  absl::StatusOr<Login> EnsureLogin(const Scope& scope, int64_t older_than);
  absl::StatusOr<Login> Connect(const Scope& scope);
  absl::StatusOr<http::Response> Exchange(const Scope& scope, const ArrayRequest& request, const std::string& prefix,
                                          const http::Headers& headers);
  absl::StatusOr<http::Response> Attempt(const Scope& scope, const http::Request& request, int attempt);
  absl::Status Unreachable(const absl::Status& status, const ArrayRequest& request) const;

  const SessionOptions options_;
  const SessionEnv env_;
  const std::string host_;
  std::counting_semaphore<4096> slots_;
  std::mutex login_mutex_;  // held while logging in: others wait for the result
  std::mutex state_mutex_;
  std::optional<Login> login_;
  int64_t generations_ = 0;
};

}  // namespace protector::storage::flasharray
