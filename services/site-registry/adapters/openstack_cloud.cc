#include "services/site-registry/adapters/openstack_cloud.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "libs/base/error.h"

namespace protector::site_registry {
namespace {

// "<is> True", "<in> async": extra specs carry an operator before their value.
std::string SpecValue(const std::map<std::string, std::string>& specs, const std::string& key) {
  const auto found = specs.find(key);
  if (found == specs.end()) return "";
  const size_t close = found->second.find('>');
  std::string value = close == std::string::npos ? found->second : found->second.substr(close + 1);
  value.erase(0, value.find_first_not_of(' '));
  std::transform(value.begin(), value.end(), value.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return value;
}

class OpenstackCloud final : public CloudPort {
 public:
  OpenstackCloud(std::shared_ptr<openstack::Cloud> cloud, CloudPlace place)
      : cloud_(std::move(cloud)), place_(std::move(place)) {}

  std::string AuthUrl() const override { return place_.auth_url; }

  absl::StatusOr<CloudUser> LogIn(absl::Time deadline) override {
    const openstack::CallContext call = Call(deadline);
    PROTECTOR_ASSIGN_OR_RETURN(const openstack::TokenInfo self, cloud_->keystone().Self(call));
    // A token that was got earlier proves nothing about now: Keystone is asked.
    PROTECTOR_RETURN_IF_ERROR(cloud_->keystone().ListOwnProjects(call).status());
    CloudUser user;
    user.name = self.user_name;
    user.project = self.project_name;
    user.roles = self.roles;
    std::set<std::string> services;
    for (const openstack::Endpoint& endpoint : self.catalog) {
      const bool region = place_.region.empty() || endpoint.region == place_.region;
      if (region && endpoint.interface == place_.interface) services.insert(endpoint.service_type);
    }
    user.services.assign(services.begin(), services.end());
    return user;
  }

  absl::StatusOr<CloudService> Probe(const std::string& service, absl::Time deadline) override {
    PROTECTOR_ASSIGN_OR_RETURN(const openstack::ServiceProbe probe, cloud_->Probe(Call(deadline), service));
    return CloudService{probe.endpoint, probe.min_version, probe.max_version, probe.clock_skew};
  }

  absl::StatusOr<std::vector<protector::site::v1::VolumeType>> VolumeTypes(absl::Time deadline) override {
    PROTECTOR_ASSIGN_OR_RETURN(const auto types, cloud_->cinder().ListVolumeTypes(Call(deadline)));
    std::vector<protector::site::v1::VolumeType> result;
    for (const openstack::VolumeType& type : types) {
      protector::site::v1::VolumeType& out = result.emplace_back();
      out.set_id(type.id);
      out.set_name(type.name);
      out.set_is_public(type.is_public);
      out.set_replicated(SpecValue(type.extra_specs, "replication_enabled") == "true");
      out.set_replication_type(SpecValue(type.extra_specs, "replication_type"));
      const auto backend = type.extra_specs.find("volume_backend_name");
      if (backend != type.extra_specs.end()) out.set_backend_name(backend->second);
    }
    std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.name() < b.name(); });
    return result;
  }

  absl::Status TryManageable(const std::string& cinder_host, absl::Time deadline) override {
    return cloud_->cinder().ListManageable(Call(deadline), cinder_host).status();
  }

  absl::StatusOr<std::vector<std::string>> Pools(absl::Time deadline) override {
    PROTECTOR_ASSIGN_OR_RETURN(const auto pools, cloud_->cinder().ListPools(Call(deadline)));
    std::vector<std::string> names;
    for (const openstack::StoragePool& pool : pools) names.push_back(pool.name);
    return names;
  }

  absl::StatusOr<std::vector<std::string>> RolesOn(const std::string& project_id, absl::Time deadline) override {
    PROTECTOR_ASSIGN_OR_RETURN(const auto scoped, cloud_->ForProject(project_id));
    PROTECTOR_ASSIGN_OR_RETURN(const openstack::TokenInfo self, scoped->keystone().Self(Call(deadline)));
    return self.roles;
  }

  absl::StatusOr<protector::site::v1::Project> ResolveProject(const std::string& name_or_id, const std::string& domain,
                                                              absl::Time deadline) override {
    const openstack::CallContext call = Call(deadline);
    absl::StatusOr<openstack::Project> by_id = cloud_->keystone().GetProject(call, name_or_id);
    if (by_id.ok()) return Converted(*by_id);
    if (!absl::IsNotFound(by_id.status()) && by_id.status().code() != absl::StatusCode::kPermissionDenied) {
      return by_id.status();
    }
    PROTECTOR_ASSIGN_OR_RETURN(const std::string domain_id, DomainId(domain, call));
    PROTECTOR_ASSIGN_OR_RETURN(const auto projects, cloud_->keystone().ListProjects(call, name_or_id, domain_id));
    if (projects.size() == 1) return Converted(projects.front());
    return Error(projects.empty() ? absl::StatusCode::kNotFound : absl::StatusCode::kInvalidArgument,
                 "PROJECT_NOT_FOUND",
                 projects.empty() ? fmt::format("no project {} at {}", name_or_id, place_.auth_url)
                                  : fmt::format("several projects are called {} at {}", name_or_id, place_.auth_url))
        .Object("project " + name_or_id)
        .Remedy("Check the name with `openstack project list`, or give the project's id.");
  }

 private:
  static openstack::CallContext Call(absl::Time deadline) {
    openstack::CallContext call;
    call.deadline = deadline;
    return call;
  }

  static protector::site::v1::Project Converted(const openstack::Project& project) {
    protector::site::v1::Project result;
    result.set_id(project.id);
    result.set_name(project.name);
    result.set_domain_id(project.domain_id);
    return result;
  }

  absl::StatusOr<std::string> DomainId(const std::string& domain, const openstack::CallContext& call) {
    if (domain.empty() || domain == "Default" || domain == "default") return std::string("default");
    PROTECTOR_ASSIGN_OR_RETURN(const auto domains, cloud_->keystone().ListDomains(call, domain));
    return domains.empty() ? domain : domains.front().id;
  }

  const std::shared_ptr<openstack::Cloud> cloud_;
  const CloudPlace place_;
};

}  // namespace

std::unique_ptr<CloudPort> MakeCloudPort(std::shared_ptr<openstack::Cloud> cloud, const CloudPlace& place) {
  return std::make_unique<OpenstackCloud>(std::move(cloud), place);
}

}  // namespace protector::site_registry
