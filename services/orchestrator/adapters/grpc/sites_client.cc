// site-registry as a SitesPort, with a copy that bridges a registry that is down for a while.
#include <algorithm>
#include <map>
#include <mutex>

#include "absl/time/clock.h"
#include "libs/base/error.h"
#include "protector/site/v1/site.grpc.pb.h"
#include "services/orchestrator/adapters/grpc/caller.h"
#include "services/orchestrator/adapters/grpc/clients.h"

namespace protector::orchestrator {
namespace {

using Stub = sites::SiteRegistryService::StubInterface;

constexpr absl::Duration kSitesMaxAge = absl::Seconds(5);

class SitesClient final : public SitesPort {
 public:
  SitesClient(const ServiceAddress& address, const rpc::Security& security)
      : caller_("site-registry", address),
        local_site_(address.site),
        stub_(sites::SiteRegistryService::NewStub(caller_.Channel(security))) {}

  const std::string& LocalSite() const override { return local_site_; }

  absl::StatusOr<std::vector<sites::Site>> ListSites(const Call& call) override {
    PROTECTOR_RETURN_IF_ERROR(Refresh(call, kSitesMaxAge));
    const std::lock_guard lock(mutex_);
    return sites_;
  }

  absl::StatusOr<sites::Site> GetSite(const Call& call, const std::string& name) override {
    // What the copy does not have may have been registered a moment ago.
    for (const absl::Duration max_age : {kSitesMaxAge, absl::ZeroDuration()}) {
      PROTECTOR_RETURN_IF_ERROR(Refresh(call, max_age));
      const std::lock_guard lock(mutex_);
      for (const auto& known : sites_) {
        if (known.name() == name || known.id() == name) return known;
      }
    }
    return Error(absl::StatusCode::kNotFound, "SITE_NOT_FOUND",
                 fmt::format("site {} is not registered on {}", name, local_site_))
        .Object("site " + name)
        .Remedy("Register it with `protector site create`; `protector site list` shows the sites there are.");
  }

  absl::StatusOr<sites::Project> ResolveProject(const Call& call, const std::string& name_or_id,
                                                const std::string& domain) override {
    sites::ResolveProjectRequest request;
    request.set_project(name_or_id);
    request.set_domain(domain);
    return rpc::Call(*stub_, &Stub::ResolveProject, request, caller_.Question(call));
  }

  absl::StatusOr<std::string> MappedProject(const Call& call, const std::string& from_site,
                                            const std::string& project_id, const std::string& to_site) override {
    for (const absl::Duration max_age : {kSitesMaxAge, absl::ZeroDuration()}) {
      PROTECTOR_RETURN_IF_ERROR(Refresh(call, max_age));
      const std::lock_guard lock(mutex_);
      for (const auto& mapping : mappings_) {
        if (mapping.site_a() == from_site && mapping.project_id_a() == project_id && mapping.site_b() == to_site) {
          return mapping.project_id_b();
        }
        if (mapping.site_b() == from_site && mapping.project_id_b() == project_id && mapping.site_a() == to_site) {
          return mapping.project_id_a();
        }
      }
    }
    return Error(absl::StatusCode::kNotFound, "TENANT_MAPPING_NOT_FOUND",
                 fmt::format("project {} of {} is not mapped to a project of {}", project_id, from_site, to_site))
        .Object("project " + project_id)
        .Remedy("An administrator maps it with `protector tenant-mapping create`.");
  }

 private:
  // One refresh at a time; a failed one is no error while there is an older copy.
  absl::Status Refresh(const Call& call, absl::Duration max_age) {
    const std::lock_guard refreshing(refresh_mutex_);
    {
      const std::lock_guard lock(mutex_);
      if (absl::Now() - fetched_ < max_age) return absl::OkStatus();
    }
    sites::ListSitesRequest list;
    list.set_page_size(1000);
    const auto sites = rpc::Call(*stub_, &Stub::ListSites, list, caller_.Question(call));
    const auto mappings = sites.ok() ? rpc::Call(*stub_, &Stub::ListTenantMappings, sites::ListTenantMappingsRequest{},
                                                 caller_.Question(call))
                                     : absl::StatusOr<sites::ListTenantMappingsResponse>(sites.status());
    const std::lock_guard lock(mutex_);
    if (!mappings.ok()) return have_copy_ ? absl::OkStatus() : mappings.status();
    sites_.assign(sites->sites().begin(), sites->sites().end());
    mappings_.assign(mappings->mappings().begin(), mappings->mappings().end());
    fetched_ = absl::Now();
    have_copy_ = true;
    return absl::OkStatus();
  }

  Caller caller_;
  const std::string local_site_;
  std::unique_ptr<Stub> stub_;
  std::mutex refresh_mutex_;
  std::mutex mutex_;
  bool have_copy_ = false;
  absl::Time fetched_ = absl::InfinitePast();
  std::vector<sites::Site> sites_;
  std::vector<sites::TenantMapping> mappings_;
};

}  // namespace

std::unique_ptr<SitesPort> MakeSitesClient(const ServiceAddress& address, const rpc::Security& security) {
  return std::make_unique<SitesClient>(address, security);
}

}  // namespace protector::orchestrator
