#pragma once
// One cloud as one user: its APIs over a shared session. The token is got on first use, renewed before it expires and,
// once per call, after a 401; endpoints come from the catalog; microversions are negotiated once per service.
//
// Threads: a Cloud and its APIs may be used by all threads at once. Ownership: a Cloud keeps what it shares with those
// made by ForProject alive; the Dependencies must outlive them all. API references live as long as their Cloud.
// Failure: Connect does no I/O and only refuses incomplete configuration; everything else fails per call (see call.h).

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/cloudconfig/cloudconfig.h"
#include "libs/http/client.h"
#include "libs/http/curl_client.h"
#include "libs/http/retry.h"
#include "libs/openstack/cinder.h"
#include "libs/openstack/glance.h"
#include "libs/openstack/keystone.h"
#include "libs/openstack/neutron.h"
#include "libs/openstack/nova.h"

namespace protector::openstack {

// What a service answers at its root, for probes of a site.
struct ServiceProbe {
  std::string endpoint;     // from the catalog
  std::string min_version;  // microversions, "2.1" to "2.93"; empty where the service has none
  std::string max_version;
  absl::Duration latency;
  absl::Duration clock_skew;  // the service's Date minus ours; exact to a second; zero when it sent none
};

class Cloud {
 public:
  virtual ~Cloud() = default;
  virtual NovaApi& nova() = 0;
  virtual CinderApi& cinder() = 0;
  virtual NeutronApi& neutron() = 0;
  virtual GlanceApi& glance() = 0;
  virtual KeystoneApi& keystone() = 0;

  // The same user in another project (its id). Made once per project and kept. FAILED_PRECONDITION when the credentials
  // are bound to their project (application credential). Does no I/O.
  virtual absl::StatusOr<std::shared_ptr<Cloud>> ForProject(const std::string& project_id) = 0;

  // "identity", "compute", "volume", "network", "image". NOT_FOUND: not in the catalog of this region and interface.
  virtual absl::StatusOr<ServiceProbe> Probe(const CallContext& call, const std::string& service) = 0;

  // A token that is valid for the next minutes, for handing the caller's identity to a service of ours. A secret.
  virtual absl::StatusOr<std::string> Token(const CallContext& call) = 0;
};

struct Dependencies {
  http::HttpClient& http;
  Clock& clock;
  std::function<double()> random;      // for jitter; http::SystemRandom()
  http::Observer* observer = nullptr;  // told of every attempt; may be null
  IdGenerator* ids = nullptr;          // makes request ids for calls that bring none; null: none is sent
  http::RetryPolicy retry;
  // Puts the secrets of the moment (password, ...) into the credentials before each login: they may have been rotated.
  // From any thread. Null: they stay as they are.
  std::function<void(std::map<std::string, std::string>& auth)> renew_secrets = nullptr;
};

// The TLS settings of `cloud`, for the HttpClient that its calls go through.
http::CurlOptions CurlOptionsFor(const cloudconfig::Cloud& cloud);

// `cloud` as cloudconfig::Load gives it.
absl::StatusOr<std::shared_ptr<Cloud>> Connect(const cloudconfig::Cloud& cloud, const Dependencies& dependencies);

}  // namespace protector::openstack
