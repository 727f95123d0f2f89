#pragma once
// Our own services, on this site and the other, as site-registry asks them.
//
// Threads: every method may be called from any thread and blocks until the deadline at the latest. Ownership: values.
// Failure: the service's own status; IsNoAnswer tells when it did not speak.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "protector/site/v1/site.pb.h"
#include "protector/storage/v1/storage.pb.h"

namespace protector::site_registry {

// Where a service is, for the call and for its errors.
struct ServiceAddress {
  std::string service;
  std::string site;
  std::string address;
};

class ServicesPort {
 public:
  virtual ~ServicesPort() = default;
  virtual absl::Status Health(const ServiceAddress& at, absl::Time deadline) = 0;
  virtual absl::StatusOr<protector::storage::v1::Array> GetArray(const ServiceAddress& at, absl::Time deadline) = 0;
  // The clock of an orchestrator's machine minus ours, with half of the call's time taken off.
  virtual absl::StatusOr<absl::Duration> ClockSkew(const ServiceAddress& at, absl::Time deadline) = 0;

  // The other site's registry.
  virtual absl::StatusOr<protector::site::v1::ValidateSiteResponse> ValidateThere(const ServiceAddress& at,
                                                                                  absl::Time deadline) = 0;
  virtual absl::StatusOr<protector::site::v1::ListVolumeTypesResponse> VolumeTypesThere(const ServiceAddress& at,
                                                                                        absl::Time deadline) = 0;
  virtual absl::StatusOr<protector::site::v1::Site> LocalSiteThere(const ServiceAddress& at, absl::Time deadline) = 0;
  virtual absl::StatusOr<std::vector<protector::site::v1::TenantMapping>> MappingsThere(const ServiceAddress& at,
                                                                                        absl::Time deadline) = 0;
  virtual bool IsNoAnswer(const absl::Status& status) const = 0;
};

}  // namespace protector::site_registry
