#pragma once
// What is tried at this site's cloud.
//
// Threads: each function may run at the same time as the others. Ownership: the ports outlive the call. Failure: is the
// row.

#include "services/site-registry/domain/probe_rows.h"
#include "services/site-registry/ports/cloud_port.h"

namespace protector::site_registry {

struct CloudProbeInput {
  CloudPort& cloud;
  CloudUser user;      // of the probe "keystone" that went before
  std::string region;  // configured; may be empty
  std::string cinder_host;
  absl::Time deadline;
};

// Fills `user` when it succeeds.
Row ProbeKeystone(CloudPort& cloud, absl::Time deadline, CloudUser& user);
Row ProbeCatalog(const CloudProbeInput& input);
// `service` as in "nova"; `type` as CloudPort::Probe takes it; `minimum` microversion or empty.
Row ProbeCloudService(const CloudProbeInput& input, const std::string& service, const std::string& type,
                      const std::string& minimum, const std::string& needed_for);
Row ProbeVolumeTypes(const CloudProbeInput& input);
Row ProbeManageRights(const CloudProbeInput& input);
Row ProbeCinderHost(const CloudProbeInput& input);
Row ProbeTenant(const CloudProbeInput& input, const std::string& project_id);

// "2.93" >= "2.85"?
bool AtLeast(const std::string& version, const std::string& minimum);

}  // namespace protector::site_registry
