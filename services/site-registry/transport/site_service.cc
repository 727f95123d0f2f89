#include "services/site-registry/transport/site_service.h"

#include "services/site-registry/domain/errors.h"

namespace protector::site_registry {

using Call = rpc::CallContext;

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
                    [this](const Call&, const pb::ListSitesRequest& r) { return parts_.registry.List(r); });
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
  return rpc::Unary(
      parts_.host, context, request, response, "SiteRegistryService/ListTenantMappings",
      [this](const Call&, const pb::ListTenantMappingsRequest& r) -> absl::StatusOr<pb::ListTenantMappingsResponse> {
        PROTECTOR_ASSIGN_OR_RETURN(const auto mappings, parts_.registry.Mappings(r.site(), r.project_id()));
        pb::ListTenantMappingsResponse listed;
        for (const pb::TenantMapping& mapping : mappings) *listed.add_mappings() = mapping;
        return listed;
      });
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
                    [this](const Call& call, const pb::ResolveProjectRequest& r) -> absl::StatusOr<pb::Project> {
                      if (r.project().empty())
                        return Invalid("project", "no project was named", "Name it by name or id.");
                      return parts_.cloud.ResolveProject(r.project(), r.domain(), call.deadline);
                    });
}

}  // namespace protector::site_registry
