#pragma once
// This site's cloud, as site-registry asks it: with the service user's rights, never changing anything.
//
// Threads: every method may be called from any thread and blocks until the deadline at the latest. Ownership: values.
// Failure: UNAUTHENTICATED, PERMISSION_DENIED, NOT_FOUND, UNAVAILABLE, DEADLINE_EXCEEDED as libs/openstack gives them.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "protector/site/v1/site.pb.h"

namespace protector::site_registry {

struct CloudUser {
  std::string name;
  std::string project;
  std::vector<std::string> roles;
  std::vector<std::string> services;  // types of the catalog, in this region
};

struct CloudService {
  std::string endpoint;
  std::string min_version;
  std::string max_version;
  absl::Duration clock_skew;  // its clock minus ours
};

class CloudPort {
 public:
  virtual ~CloudPort() = default;
  virtual std::string AuthUrl() const = 0;
  virtual absl::StatusOr<CloudUser> LogIn(absl::Time deadline) = 0;
  // "identity", "compute", "volume", "network", "image".
  virtual absl::StatusOr<CloudService> Probe(const std::string& service, absl::Time deadline) = 0;
  virtual absl::StatusOr<std::vector<protector::site::v1::VolumeType>> VolumeTypes(absl::Time deadline) = 0;
  // Asks for what could be managed at a Cinder host: needs the same rights as managing.
  virtual absl::Status TryManageable(const std::string& cinder_host, absl::Time deadline) = 0;
  // Names of Cinder's pools, host@backend#pool.
  virtual absl::StatusOr<std::vector<std::string>> Pools(absl::Time deadline) = 0;
  // The service user's roles on a project, found by logging in to it.
  virtual absl::StatusOr<std::vector<std::string>> RolesOn(const std::string& project_id, absl::Time deadline) = 0;
  virtual absl::StatusOr<protector::site::v1::Project> ResolveProject(const std::string& name_or_id,
                                                                      const std::string& domain,
                                                                      absl::Time deadline) = 0;
};

}  // namespace protector::site_registry
