#include "services/site-registry/domain/site_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>

#include "absl/strings/numbers.h"
#include "libs/base/ids.h"
#include "services/site-registry/domain/errors.h"

namespace protector::site_registry {
namespace {

constexpr size_t kMaxText = 1024;

absl::Status Field(const pb::Site& site, const std::string& field, const std::string& fault,
                   const std::string& remedy) {
  const std::string name =
      IsPrintableUtf8(site.name()) && site.name().size() < 100 ? site.name() : "with an unusable name";
  return Invalid("site " + name, fmt::format("{}: {}", field, fault), remedy);
}

bool IsUrl(const std::string& url) {
  return (url.rfind("http://", 0) == 0 || url.rfind("https://", 0) == 0) && !HostOfUrl(url).empty() &&
         url.find(' ') == std::string::npos && url.find('@') == std::string::npos;
}

bool IsHostPort(const std::string& text) {
  const size_t colon = text.rfind(':');
  int port = 0;
  return colon != std::string::npos && colon > 0 && absl::SimpleAtoi(text.substr(colon + 1), &port) && port > 0 &&
         port < 65536 && text.find(' ') == std::string::npos && text.find('/') == std::string::npos;
}

// host@backend#pool, as Cinder names the place that manages a volume.
bool IsCinderHost(const std::string& text) {
  const size_t at = text.find('@');
  const size_t hash = text.find('#');
  return at != std::string::npos && at > 0 && hash != std::string::npos && hash > at + 1 && hash + 1 < text.size() &&
         text.find(' ') == std::string::npos;
}

absl::Status CheckText(const pb::Site& site, const std::string& field, const std::string& text) {
  if (text.size() > kMaxText)
    return Field(site, field, fmt::format("is longer than {} bytes", kMaxText), "Shorten it.");
  if (!IsPrintableUtf8(text)) return Field(site, field, "is not printable UTF-8", "Use printable text.");
  return absl::OkStatus();
}

using Setter = std::function<void(const pb::Site&, pb::Site&)>;

const std::map<std::string, Setter>& Setters() {
  static const std::map<std::string, Setter> kSetters = {
      {"description", [](const pb::Site& from, pb::Site& to) { to.set_description(from.description()); }},
      {"auth_url", [](const pb::Site& from, pb::Site& to) { to.set_auth_url(from.auth_url()); }},
      {"region", [](const pb::Site& from, pb::Site& to) { to.set_region(from.region()); }},
      {"cinder_host", [](const pb::Site& from, pb::Site& to) { to.set_cinder_host(from.cinder_host()); }},
      {"array_name", [](const pb::Site& from, pb::Site& to) { to.set_array_name(from.array_name()); }},
      {"endpoints", [](const pb::Site& from, pb::Site& to) { *to.mutable_endpoints() = from.endpoints(); }},
      {"endpoints.site_registry",
       [](const pb::Site& from, pb::Site& to) {
         to.mutable_endpoints()->set_site_registry(from.endpoints().site_registry());
       }},
      {"endpoints.metadata_sync",
       [](const pb::Site& from, pb::Site& to) {
         to.mutable_endpoints()->set_metadata_sync(from.endpoints().metadata_sync());
       }},
      {"endpoints.orchestrator",
       [](const pb::Site& from, pb::Site& to) {
         to.mutable_endpoints()->set_orchestrator(from.endpoints().orchestrator());
       }},
      {"endpoints.storage_pure",
       [](const pb::Site& from, pb::Site& to) {
         to.mutable_endpoints()->set_storage_pure(from.endpoints().storage_pure());
       }},
  };
  return kSetters;
}

}  // namespace

absl::Status CheckSite(const pb::Site& site) {
  if (!IsResourceName(site.name())) {
    return Field(site, "name", "is not 1 to 63 letters, digits, '.', '_' or '-', beginning with a letter or digit",
                 "Choose such a name.");
  }
  if (!IsUrl(site.auth_url())) {
    return Field(site, "auth_url", "is not a URL such as http://keystone.example:5000/v3",
                 "Give Keystone's URL, without credentials.");
  }
  for (const auto& [field, text] : {std::pair<std::string, std::string>{"description", site.description()},
                                    {"auth_url", site.auth_url()},
                                    {"region", site.region()},
                                    {"array_name", site.array_name()}}) {
    if (absl::Status status = CheckText(site, field, text); !status.ok()) return status;
  }
  if (!site.cinder_host().empty() && (!IsCinderHost(site.cinder_host()) || !IsPrintableUtf8(site.cinder_host()))) {
    return Field(site, "cinder_host", "is not of the form host@backend#pool",
                 "Take it from `openstack volume service list` and `cinder get-pools`, as an administrator.");
  }
  for (const auto& [field, address] :
       {std::pair<std::string, std::string>{"endpoints.site_registry", site.endpoints().site_registry()},
        {"endpoints.metadata_sync", site.endpoints().metadata_sync()},
        {"endpoints.orchestrator", site.endpoints().orchestrator()},
        {"endpoints.storage_pure", site.endpoints().storage_pure()}}) {
    if (!address.empty() && (!IsHostPort(address) || !IsPrintableUtf8(address))) {
      return Field(site, field, "is not of the form host:port", "Give host and port, or nothing for the default.");
    }
  }
  return absl::OkStatus();
}

absl::Status ApplyMask(const pb::Site& changes, const google::protobuf::FieldMask& mask, pb::Site& site) {
  if (mask.paths().empty()) {
    return Field(changes, "update_mask", "names nothing to change", "Name the fields that are to be changed.");
  }
  for (const std::string& path : mask.paths()) {
    const auto setter = Setters().find(path);
    if (setter == Setters().end()) {
      return Field(changes, "update_mask", fmt::format("\"{}\" cannot be changed", path),
                   "Name description, auth_url, region, endpoints.*, cinder_host or array_name.");
    }
    setter->second(changes, site);
  }
  return absl::OkStatus();
}

std::string SiteId(const std::string& name) {
  return DerivedUuid("site " + name);
}

std::string HostOfUrl(const std::string& url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string::npos) return "";
  const size_t begin = scheme + 3;
  const std::string authority = url.substr(begin, url.find_first_of("/?#", begin) - begin);
  if (!authority.empty() && authority.front() == '[') return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

pb::ServiceEndpoints Completed(const pb::Site& site) {
  pb::ServiceEndpoints endpoints = site.endpoints();
  const std::string host = HostOfUrl(site.auth_url());
  if (endpoints.site_registry().empty()) endpoints.set_site_registry(host + ":7101");
  if (endpoints.metadata_sync().empty()) endpoints.set_metadata_sync(host + ":7102");
  if (endpoints.orchestrator().empty()) endpoints.set_orchestrator(host + ":7103");
  if (endpoints.storage_pure().empty()) endpoints.set_storage_pure(host + ":7104");
  return endpoints;
}

absl::Status CheckMapping(const pb::TenantMapping& mapping) {
  const auto fault = [](const std::string& message) {
    return Invalid("tenant mapping", message, "Give two different sites and a project id for each.");
  };
  if (mapping.site_a() == mapping.site_b()) return fault("the two sites of a tenant mapping have to differ");
  for (const std::string& text : {mapping.project_id_a(), mapping.project_id_b()}) {
    if (text.empty()) return fault("a project id is missing");
    if (text.size() > 64 || !IsPrintableUtf8(text) || text.find('/') != std::string::npos) {
      return fault("a project id is not one of Keystone's");
    }
  }
  for (const std::string& text : {mapping.project_name_a(), mapping.project_name_b()}) {
    if (text.size() > kMaxText || !IsPrintableUtf8(text)) return fault("a project name is not printable");
  }
  return absl::OkStatus();
}

pb::TenantMapping Normalised(const pb::TenantMapping& mapping) {
  pb::TenantMapping result = mapping;
  if (mapping.site_b() < mapping.site_a()) {
    result.set_site_a(mapping.site_b());
    result.set_project_id_a(mapping.project_id_b());
    result.set_project_name_a(mapping.project_name_b());
    result.set_site_b(mapping.site_a());
    result.set_project_id_b(mapping.project_id_a());
    result.set_project_name_b(mapping.project_name_a());
  }
  result.set_id(DerivedUuid(fmt::format("tenant mapping {}\n{}\n{}\n{}", result.site_a(), result.project_id_a(),
                                        result.site_b(), result.project_id_b())));
  return result;
}

}  // namespace protector::site_registry
