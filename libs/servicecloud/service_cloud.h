#pragma once
// The cloud of a service's own site, from the `cloud.*` keys of its configuration: credentials, HTTP client, and an
// observer that puts every call with its x-openstack-request-id into the log and the metrics. Shared by site-registry
// and orchestrator.
//
// Threads: safe for all once made. Ownership: a ServiceCloud owns its HTTP client; logger, metrics, clock and ids
// outlive it. Failure: INVALID_ARGUMENT when the keys do not suffice to log in, naming what is missing. Makes no call.

#include <memory>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/config/config.h"
#include "libs/log/log.h"
#include "libs/metrics/metrics.h"
#include "libs/openstack/cloud.h"

namespace protector {

// Declarations of cloud.auth_url, cloud.username, cloud.password, ...
config::Schema CloudConfigKeys();

// What the keys say, as the OpenStack client wants it. No I/O.
cloudconfig::Cloud CloudFromConfig(const config::Config& config);

class ServiceCloud {
 public:
  virtual ~ServiceCloud() = default;
  virtual std::shared_ptr<openstack::Cloud> cloud() = 0;
};

absl::StatusOr<std::unique_ptr<ServiceCloud>> MakeServiceCloud(const config::Config& config, const log::Logger& logger,
                                                               metrics::Registry& metrics, Clock& clock,
                                                               IdGenerator& ids);

}  // namespace protector
