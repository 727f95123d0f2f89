#pragma once
// The services of a cloud: which endpoint of the catalog is theirs, and how its versions are found.
//
// Threads: functions over values. Failure: NOT_FOUND with what the catalog has instead.

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/cloudconfig/cloudconfig.h"
#include "libs/openstack/keystone.h"

namespace protector::openstack {

enum class Service { kIdentity, kCompute, kVolume, kNetwork, kImage };

struct Microversion {
  int major = 0;
  int minor = 0;
  auto operator<=>(const Microversion&) const = default;
  std::string ToString() const { return std::to_string(major) + "." + std::to_string(minor); }
};
std::optional<Microversion> ParseMicroversion(const std::string& text);

struct VersionRange {
  Microversion min;
  Microversion max;
};

// "nova", "cinder", ...: as logs and errors call the service.
std::string ServiceName(Service service);
// "compute", "volume", ...: as Cloud::Probe takes it.
std::optional<Service> ServiceOf(const std::string& type);

// The URL that paths are appended to ("http://h:8776/v3/PROJECT", "http://h:9696/v2.0"), from an override or the
// catalog.
absl::StatusOr<std::string> EndpointFor(Service service, const cloudconfig::Cloud& cloud,
                                        const std::vector<Endpoint>& catalog);

// Where the version document of a service is: its endpoint up to the version ("http://h:8776/v3/").
std::string VersionUrl(const std::string& endpoint);

// The newest microversion whose answers this client knows; nullopt: the service has none.
std::optional<Microversion> NewestKnown(Service service);

// From a version document, either of one version or of several; nullopt when it names no microversions.
std::optional<VersionRange> ParseVersions(const std::string& body, int major);

}  // namespace protector::openstack
