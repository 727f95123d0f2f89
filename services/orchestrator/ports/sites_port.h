#pragma once
// This site's site-registry: which sites there are, where, and which project of one is which of the other. An
// implementation may answer from a copy that is a few seconds old, so that a registry that is down for a moment does
// not hold an operation up.
//
// Threads: every method may be called from any thread and blocks until call.timeout at the latest. Ownership: values.
// Failure: NOT_FOUND with reason SITE_NOT_FOUND or TENANT_MAPPING_NOT_FOUND, UNAVAILABLE.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "protector/site/v1/site.pb.h"
#include "services/orchestrator/ports/call.h"
#include "services/orchestrator/ports/contracts.h"

namespace protector::orchestrator {

class SitesPort {
 public:
  virtual ~SitesPort() = default;

  // Name of the site that this orchestrator belongs to (configuration; no call).
  virtual const std::string& LocalSite() const = 0;
  // By name or id: endpoints, cinder_host, array_name.
  virtual absl::StatusOr<sites::Site> GetSite(const Call& call, const std::string& name) = 0;
  virtual absl::StatusOr<std::vector<sites::Site>> ListSites(const Call& call) = 0;
  // A project of this site's Keystone, by name or id.
  virtual absl::StatusOr<sites::Project> ResolveProject(const Call& call, const std::string& name_or_id,
                                                        const std::string& domain) = 0;
  // The project of `to_site` that is mapped to `project_id` of `from_site`.
  virtual absl::StatusOr<std::string> MappedProject(const Call& call, const std::string& from_site,
                                                    const std::string& project_id, const std::string& to_site) = 0;
};

}  // namespace protector::orchestrator
