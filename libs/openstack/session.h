#pragma once
// One user's session in one project: token, endpoints, microversions, and the sending of requests with them.
//
// Threads: safe for all. Ownership: Dependencies outlive it. Failure: as call.h says.

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "libs/json/json.h"
#include "libs/openstack/cloud.h"
#include "libs/openstack/endpoints.h"
#include "libs/openstack/errors.h"
#include "libs/openstack/token_source.h"

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

  absl::StatusOr<std::shared_ptr<const Token>> GetToken(const CallContext& call) { return tokens_.Get(call); }

  // The answer when it is a success (2xx), else its meaning as a status.
  absl::StatusOr<http::Response> Send(const CallContext& call, const ApiRequest& request);
  // The same, with the body read as JSON; null when it is empty.
  absl::StatusOr<json::Value> SendForJson(const CallContext& call, const ApiRequest& request);

  // The microversion that requests to this service carry; nullopt: it has none.
  absl::StatusOr<std::optional<Microversion>> VersionFor(const CallContext& call, Service service);
  absl::StatusOr<std::optional<VersionRange>> VersionsOf(const CallContext& call, Service service);
  absl::StatusOr<std::string> EndpointOf(const CallContext& call, Service service);

  // A read of a whole URL, for versions and probes; 300 (a choice of versions) counts as success. Sent once, or as
  // often as any read.
  absl::StatusOr<http::Response> Read(const CallContext& call, Service service, const std::string& url,
                                      const std::string& object, bool once);

  const cloudconfig::Cloud& config() const { return cloud_; }
  const Dependencies& dependencies() const { return dependencies_; }
  const std::shared_ptr<VersionCache>& versions() const { return versions_; }

 private:
  struct Attempts {
    http::Idempotency idempotency = http::Idempotency::kIdempotent;
    bool once = false;
  };
  // Adds the token, sends, and after a 401 renews the token and sends once more. The answer, whatever its status.
  absl::StatusOr<http::Response> SendWithToken(const CallContext& call, http::Request request, const Attempts& attempts,
                                               Asked& asked);

  const cloudconfig::Cloud cloud_;
  const Dependencies dependencies_;
  const std::shared_ptr<VersionCache> versions_;
  TokenSource tokens_;
};

}  // namespace protector::openstack
