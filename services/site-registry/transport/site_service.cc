#include "services/site-registry/transport/site_service.h"

#include <fmt/format.h>

#include <algorithm>

#include "libs/base/error.h"
#include "services/site-registry/domain/errors.h"

namespace protector::site_registry {

using Call = rpc::CallContext;

namespace {

pb::Site AddressesOf(const pb::Site& site) {
  pb::Site shown;
  shown.set_name(site.name());
  shown.set_auth_url(site.auth_url());
  *shown.mutable_endpoints() = site.endpoints();
  shown.set_local(site.local());
  return shown;
}

bool Concerns(const pb::TenantMapping& mapping, const Tenant& tenant) {
  return (mapping.site_a() == tenant.site && mapping.project_id_a() == tenant.project_id) ||
         (mapping.site_b() == tenant.site && mapping.project_id_b() == tenant.project_id);
}

}  // namespace

absl::StatusOr<pb::ListSitesResponse> SiteTransport::Sites(const Call& call, const pb::ListSitesRequest& request) {
  const bool full = request.view() == pb::ListSitesRequest::FULL;
  if (full && call.proven != nullptr) PROTECTOR_RETURN_IF_ERROR(parts_.users.Require("site:list", *call.proven));
  PROTECTOR_ASSIGN_OR_RETURN(pb::ListSitesResponse listed, parts_.registry.List(request));
  if (full) return listed;
  for (pb::Site& site : *listed.mutable_sites()) site = AddressesOf(site);
  return listed;
}

absl::StatusOr<pb::ListTenantMappingsResponse> SiteTransport::Mappings(const Call& call,
                                                                       const pb::ListTenantMappingsRequest& request) {
  const bool all = parts_.users.Allows("site_admin", call);
  PROTECTOR_ASSIGN_OR_RETURN(const auto mappings, parts_.registry.Mappings(request.site(), request.project_id()));
  pb::ListTenantMappingsResponse listed;
  for (const pb::TenantMapping& mapping : mappings) {
    if (all || Concerns(mapping, call.proven->project)) *listed.add_mappings() = mapping;
  }
  return listed;
}

absl::StatusOr<bool> SiteTransport::IsOwn(const Tenant& tenant, const std::string& project) {
  const std::string& here = parts_.registry.local_site();
  if (tenant.site == here) return project == tenant.project_id || project == tenant.project_name;
  PROTECTOR_ASSIGN_OR_RETURN(const auto mappings, parts_.registry.Mappings(tenant.site, tenant.project_id));
  return std::any_of(mappings.begin(), mappings.end(), [&](const pb::TenantMapping& mapping) {
    return (mapping.site_a() == here && (mapping.project_id_a() == project || mapping.project_name_a() == project)) ||
           (mapping.site_b() == here && (mapping.project_id_b() == project || mapping.project_name_b() == project));
  });
}

absl::StatusOr<pb::Project> SiteTransport::Resolve(const Call& call, const pb::ResolveProjectRequest& request) {
  if (request.project().empty()) return Invalid("project", "no project was named", "Name it by name or id.");
  if (!parts_.users.Allows("site_admin", call)) {
    const Tenant& own = call.proven->project;
    PROTECTOR_ASSIGN_OR_RETURN(const bool is_own, IsOwn(own, request.project()));
    if (!is_own) {
      return Error(absl::StatusCode::kPermissionDenied, "PROJECT_NOT_YOURS",
                   fmt::format("the token is for project {}, not for {}", own.project_name, request.project()))
          .Object("project " + request.project())
          .Remedy("Use credentials of that project.");
    }
  }
  return parts_.cloud.ResolveProject(request.project(), request.domain(), call.deadline);
}

SiteTransport::Unary* SiteTransport::CreateSite(Context* context, const pb::CreateSiteRequest* request,
                                                pb::Site* response) {
  return rpc::Unary(parts_.host, context, request, response, "SiteRegistryService/CreateSite",
                    [this](const Call&, const pb::CreateSiteRequest& r) { return parts_.registry.Create(r); });
}

SiteTransport::Unary* SiteTransport::GetSite(Context* context, const pb::GetSiteRequest* request, pb::Site* response) {
  return rpc::Unary(parts_.host, context, request, response, "SiteRegistryService/GetSite",
                    [this](const Call&, const pb::GetSiteRequest& r) { return parts_.registry.Get(r.name()); });
}

SiteTransport::Unary* SiteTransport::ListSites(Context* context, const pb::ListSitesRequest* request,
                                               pb::ListSitesResponse* response) {
  return rpc::Unary(parts_.host, context, request, response, "SiteRegistryService/ListSites",
                    [this](const Call& call, const pb::ListSitesRequest& r) { return Sites(call, r); });
}

SiteTransport::Unary* SiteTransport::UpdateSite(Context* context, const pb::UpdateSiteRequest* request,
                                                pb::Site* response) {
  return rpc::Unary(parts_.host, context, request, response, "SiteRegistryService/UpdateSite",
                    [this](const Call&, const pb::UpdateSiteRequest& r) { return parts_.registry.Update(r); });
}

SiteTransport::Unary* SiteTransport::DeleteSite(Context* context, const pb::DeleteSiteRequest* request,
                                                pb::DeleteSiteResponse* response) {
  return rpc::Unary(parts_.host, context, request, response, "SiteRegistryService/DeleteSite",
                    [this](const Call&, const pb::DeleteSiteRequest& r) -> absl::StatusOr<pb::DeleteSiteResponse> {
                      PROTECTOR_RETURN_IF_ERROR(parts_.registry.Delete(r));
                      return pb::DeleteSiteResponse();
                    });
}

SiteTransport::Unary* SiteTransport::ValidateSite(Context* context, const pb::ValidateSiteRequest* request,
                                                  pb::ValidateSiteResponse* response) {
  return rpc::Unary(parts_.host, context, request, response, "SiteRegistryService/ValidateSite",
                    [this](const Call&, const pb::ValidateSiteRequest& r) { return parts_.validator.Validate(r); });
}

absl::StatusOr<pb::ListVolumeTypesResponse> SiteTransport::VolumeTypes(const Call& call, const std::string& name) {
  PROTECTOR_ASSIGN_OR_RETURN(const pb::Site site, parts_.registry.Get(name));
  if (!site.local()) {
    const ServiceAddress at{"site-registry", site.name(), site.endpoints().site_registry()};
    auto there = parts_.services.VolumeTypesThere(at, call.deadline);
    if (!there.ok() && parts_.services.IsNoAnswer(there.status()))
      return RemoteUnreachable(site.name(), at.address, there.status());
    return there;
  }
  PROTECTOR_ASSIGN_OR_RETURN(const auto types, parts_.cloud.VolumeTypes(call.deadline));
  pb::ListVolumeTypesResponse response;
  for (const pb::VolumeType& type : types) *response.add_volume_types() = type;
  return response;
}

SiteTransport::Unary* SiteTransport::ListVolumeTypes(Context* context, const pb::ListVolumeTypesRequest* request,
                                                     pb::ListVolumeTypesResponse* response) {
  return rpc::Unary(
      parts_.host, context, request, response, "SiteRegistryService/ListVolumeTypes",
      [this](const Call& call, const pb::ListVolumeTypesRequest& r) { return VolumeTypes(call, r.site()); });
}

SiteTransport::Unary* SiteTransport::CreateTenantMapping(Context* context,
                                                         const pb::CreateTenantMappingRequest* request,
                                                         pb::TenantMapping* response) {
  return rpc::Unary(parts_.host, context, request, response, "SiteRegistryService/CreateTenantMapping",
                    [this](const Call&, const pb::CreateTenantMappingRequest& r) {
                      return parts_.registry.CreateMapping(r.mapping());
                    });
}

SiteTransport::Unary* SiteTransport::ListTenantMappings(Context* context, const pb::ListTenantMappingsRequest* request,
                                                        pb::ListTenantMappingsResponse* response) {
  return rpc::Unary(parts_.host, context, request, response, "SiteRegistryService/ListTenantMappings",
                    [this](const Call& call, const pb::ListTenantMappingsRequest& r) { return Mappings(call, r); });
}

SiteTransport::Unary* SiteTransport::DeleteTenantMapping(Context* context,
                                                         const pb::DeleteTenantMappingRequest* request,
                                                         pb::DeleteTenantMappingResponse* response) {
  return rpc::Unary(
      parts_.host, context, request, response, "SiteRegistryService/DeleteTenantMapping",
      [this](const Call&, const pb::DeleteTenantMappingRequest& r) -> absl::StatusOr<pb::DeleteTenantMappingResponse> {
        PROTECTOR_RETURN_IF_ERROR(parts_.registry.DeleteMapping(r.id()));
        return pb::DeleteTenantMappingResponse();
      });
}

SiteTransport::Unary* SiteTransport::ResolveProject(Context* context, const pb::ResolveProjectRequest* request,
                                                    pb::Project* response) {
  return rpc::Unary(parts_.host, context, request, response, "SiteRegistryService/ResolveProject",
                    [this](const Call& call, const pb::ResolveProjectRequest& r) { return Resolve(call, r); });
}

}  // namespace protector::site_registry
