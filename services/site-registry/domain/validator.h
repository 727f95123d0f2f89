#pragma once
// Validates a site: tries everything that a failover will need and says for each thing how it went and what to do.
//
// The local site is probed from here; another site is probed by its own registry (credentials never leave their site),
// and its rows are handed on. When that registry does not answer, its other services are still tried from here.
//
// Threads: Validate may be called from any thread; probes run at the same time, each within `probe_timeout`. Ownership:
// registry, ports and clock outlive it. Failure: SITE_NOT_FOUND and the store's; everything else is a row.

#include "libs/log/log.h"
#include "services/site-registry/domain/cloud_probes.h"
#include "services/site-registry/domain/registry.h"
#include "services/site-registry/ports/services_port.h"

namespace protector::site_registry {

struct ValidatorOptions {
  absl::Duration probe_timeout = absl::Seconds(10);
  absl::Duration max_clock_skew = absl::Seconds(5);
  std::string region;  // of the cloud's configuration
};

class Validator {
 public:
  Validator(Registry& registry, CloudPort& cloud, ServicesPort& services, Clock& clock, const ValidatorOptions& options,
            log::Logger logger)
      : registry_(registry),
        cloud_(cloud),
        services_(services),
        clock_(clock),
        options_(options),
        logger_(std::move(logger)) {}

  absl::StatusOr<pb::ValidateSiteResponse> Validate(const pb::ValidateSiteRequest& request);

 private:
  std::vector<Row> ProbeHere(const pb::Site& site, bool local_only);
  std::vector<Row> ProbeCloud(const pb::Site& site, const CloudUser& user, const Row& keystone);
  std::vector<Probe> ServiceProbes(const pb::Site& site);
  std::vector<Row> ProbeThere(const pb::Site& site, pb::Site::Status& status);
  std::vector<Row> UnreachableRows(const pb::Site& site, const Row& peer);
  Row ArrayRow(const pb::Site& site);
  Row ArrayLinkRow(const pb::Site& site);
  Row ClockRow(const pb::Site& site, bool logged_in);
  Row PeerRow(const pb::Site& other);
  absl::StatusOr<std::vector<pb::Site>> Others(const pb::Site& site);
  absl::Time Deadline() const { return absl::Now() + options_.probe_timeout; }

  Registry& registry_;
  CloudPort& cloud_;
  ServicesPort& services_;
  Clock& clock_;
  const ValidatorOptions options_;
  const log::Logger logger_;
};

}  // namespace protector::site_registry
