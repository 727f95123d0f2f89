#include "libs/openstack/endpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "libs/base/error.h"
#include "libs/json/json.h"
#include "libs/openstack/token.h"

namespace protector::openstack {
namespace {

struct Kind {
  Service service;
  const char* name;
  std::vector<std::string> types;  // in the catalog; the first is the one that errors name
  std::string default_version;     // appended when the catalog's URL has no version
};

const std::vector<Kind>& Kinds() {
  static const std::vector<Kind> kKinds = {
      {Service::kIdentity, "keystone", {"identity"}, "/v3"},
      {Service::kCompute, "nova", {"compute"}, "/v2.1"},
      {Service::kVolume, "cinder", {"volumev3", "block-storage", "block-store", "volume"}, "/v3"},
      {Service::kNetwork, "neutron", {"network"}, "/v2.0"},
      {Service::kImage, "glance", {"image"}, "/v2"}};
  return kKinds;
}

const Kind& KindOf(Service service) {
  return *std::find_if(Kinds().begin(), Kinds().end(), [service](const Kind& kind) { return kind.service == service; });
}

// Begin of the last path segment that is a version ("v2.1"); npos: none.
size_t VersionAt(const std::string& url) {
  const size_t path = url.find('/', url.find("://") + 3);
  size_t found = std::string::npos;
  for (size_t slash = path; slash != std::string::npos; slash = url.find('/', slash + 1)) {
    if (slash + 2 < url.size() && url[slash + 1] == 'v' && std::isdigit(static_cast<unsigned char>(url[slash + 2])))
      found = slash;
  }
  return found;
}

std::string Setting(const cloudconfig::Cloud& cloud, const Kind& kind, const std::string& suffix) {
  std::vector<std::string> types = kind.types;
  if (kind.service == Service::kVolume) types.push_back("volumev2");
  for (std::string type : types) {
    std::replace(type.begin(), type.end(), '-', '_');
    if (const std::string value = cloud.Extra(type + "_" + suffix); !value.empty()) return value;
  }
  return {};
}

std::string Interface(const cloudconfig::Cloud& cloud, const Kind& kind) {
  std::string interface = Setting(cloud, kind, "interface");
  if (interface.empty()) interface = cloud.interface;
  if (const size_t url = interface.find("URL"); url != std::string::npos) interface.resize(url);
  return interface.empty() ? "public" : interface;
}

std::string WithVersion(std::string url, const Kind& kind) {
  while (!url.empty() && url.back() == '/') url.pop_back();
  return VersionAt(url) == std::string::npos ? url + kind.default_version : url;
}

}  // namespace

std::optional<Microversion> ParseMicroversion(const std::string& text) {
  const size_t dot = text.find('.');
  if (dot == std::string::npos) return std::nullopt;
  Microversion version;
  const char* begin = text.data();
  const auto major = std::from_chars(begin, begin + dot, version.major);
  const auto minor = std::from_chars(begin + dot + 1, begin + text.size(), version.minor);
  if (major.ec != std::errc() || minor.ec != std::errc() || minor.ptr != begin + text.size()) return std::nullopt;
  return version;
}

std::string ServiceName(Service service) {
  return KindOf(service).name;
}

std::optional<Service> ServiceOf(const std::string& type) {
  for (const Kind& kind : Kinds()) {
    if (std::find(kind.types.begin(), kind.types.end(), type) != kind.types.end() || type == kind.name)
      return kind.service;
  }
  return std::nullopt;
}

absl::StatusOr<std::string> EndpointFor(Service service, const cloudconfig::Cloud& cloud,
                                        const std::vector<Endpoint>& catalog) {
  const Kind& kind = KindOf(service);
  if (const std::string override_url = Setting(cloud, kind, "endpoint_override"); !override_url.empty()) {
    return WithVersion(override_url, kind);
  }
  // Where the identity service is we know already; catalogs often name an address that only the cloud itself can reach.
  if (service == Service::kIdentity) return IdentityBase(cloud.auth_url());
  const std::string interface = Interface(cloud, kind);
  std::set<std::string> others;
  for (const std::string& type : kind.types) {
    for (const Endpoint& endpoint : catalog) {
      if (endpoint.service_type != type) continue;
      const bool here = cloud.region_name.empty() || endpoint.region == cloud.region_name;
      if (here && endpoint.interface == interface) return WithVersion(endpoint.url, kind);
      others.insert(fmt::format("{} in region {}", endpoint.interface, endpoint.region));
    }
  }
  std::string known;
  for (const std::string& other : others) known += (known.empty() ? "" : ", ") + other;
  return Error(absl::StatusCode::kNotFound, "SERVICE_NOT_IN_CATALOG",
               fmt::format("the catalog has no {} endpoint of {} in region {}", interface, kind.types.front(),
                           cloud.region_name))
      .Object("service " + std::string(kind.name))
      .Remedy(known.empty() ? "Register the service and its endpoints in Keystone, or give the user a project."
                            : fmt::format("The catalog has: {}. Correct region_name or interface.", known));
}

std::string VersionUrl(const std::string& endpoint) {
  const size_t version = VersionAt(endpoint);
  if (version == std::string::npos) return endpoint + "/";
  const size_t end = endpoint.find('/', version + 1);
  return endpoint.substr(0, end) + "/";
}

std::optional<Microversion> NewestKnown(Service service) {
  if (service == Service::kCompute) return Microversion{2, 90};
  if (service == Service::kVolume) return Microversion{3, 59};
  return std::nullopt;
}

std::optional<VersionRange> ParseVersions(const std::string& body, int major) {
  const absl::StatusOr<json::Value> document = json::Parse(body);
  if (!document.ok()) return std::nullopt;
  std::vector<json::Value> versions;
  for (const json::Value& version : document->GetItems("versions")) versions.push_back(version);
  if (const json::Value* version = document->Find("version")) versions.push_back(*version);
  for (const json::Value& version : versions) {
    const auto newest = ParseMicroversion(version.GetStringOr("version", ""));
    const auto oldest = ParseMicroversion(version.GetStringOr("min_version", ""));
    if (newest.has_value() && oldest.has_value() && newest->major == major) return VersionRange{*oldest, *newest};
  }
  return std::nullopt;
}

}  // namespace protector::openstack
