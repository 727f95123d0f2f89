#pragma once
// One user's session in one project: token, endpoints, microversions, and the sending of requests with them.
//
// Threads: safe for all; of threads that need a token at the same time one gets it and the others wait for that.
// Ownership: Dependencies outlive it. Failure: as call.h says.

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "libs/http/observe.h"
#include "libs/json/json.h"
#include "libs/openstack/cloud.h"
#include "libs/openstack/endpoints.h"
#include "libs/openstack/token.h"

namespace protector::openstack {

struct ApiRequest {
  Service service = Service::kCompute;
  std::string method = "GET";
  std::string path;    // below the endpoint, ids in it encoded
  std::string query;   // without '?'
  std::string route;   // "/servers/{id}"
  std::string object;  // for errors: "server 6f3a..."
  std::optional<json::Value> body;
  http::Idempotency idempotency = http::Idempotency::kIdempotent;
  http::Headers headers;
};

// Microversions of the services, shared by the sessions of one user.
class VersionCache {
 public:
  std::optional<std::optional<VersionRange>> Find(Service service) const;
  void Store(Service service, const std::optional<VersionRange>& range);

 private:
  mutable std::mutex mutex_;
  std::map<Service, std::optional<VersionRange>> ranges_;
};

class Session {
 public:
  // project_id empty: the scope of the configuration.
  Session(const cloudconfig::Cloud& cloud, const std::string& project_id, const Dependencies& dependencies,
          std::shared_ptr<VersionCache> versions);

  // A token that is valid for a while yet.
  absl::StatusOr<std::shared_ptr<const Token>> GetToken(const CallContext& call);

  // The answer when it is a success (2xx), else its meaning as a status.
  absl::StatusOr<http::Response> Send(const CallContext& call, const ApiRequest& request);
  // The same, with the body read as JSON; null when it is empty.
  absl::StatusOr<json::Value> SendForJson(const CallContext& call, const ApiRequest& request);

  // The microversion that requests to this service carry; nullopt: it has none.
  absl::StatusOr<std::optional<Microversion>> VersionFor(const CallContext& call, Service service);
  absl::StatusOr<std::optional<VersionRange>> VersionsOf(const CallContext& call, Service service);
  absl::StatusOr<std::string> EndpointOf(const CallContext& call, Service service);

  // One request that is not repeated, also for answers other than success; for probes. `url` whole.
  absl::StatusOr<http::Response> SendOnce(const CallContext& call, Service service, const std::string& url,
                                          const std::string& route);

  const cloudconfig::Cloud& config() const { return cloud_; }
  const std::string& project_id() const { return project_id_; }
  const Dependencies& dependencies() const { return dependencies_; }
  const std::shared_ptr<VersionCache>& versions() const { return versions_; }

 private:
  absl::StatusOr<std::shared_ptr<const Token>> Authenticate(const CallContext& call);
  void Forget(const std::string& token);
  bool Usable() const;
  std::string RequestId(const CallContext& call) const;
  absl::StatusOr<http::Response> Transmit(const CallContext& call, const std::string& service,
                                          const http::Request& request, http::Idempotency idempotency,
                                          const std::string& request_id);

  const cloudconfig::Cloud cloud_;
  const std::string project_id_;
  const Dependencies dependencies_;
  const std::shared_ptr<VersionCache> versions_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool authenticating_ = false;  // guarded by mutex_, as are the next two
  std::shared_ptr<const Token> token_;
  absl::Duration renew_at_ = absl::ZeroDuration();  // on the monotonic clock
};

}  // namespace protector::openstack
