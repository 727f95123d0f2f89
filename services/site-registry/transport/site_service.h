#pragma once
// SiteRegistryService over gRPC.
//
// Threads: gRPC's and the host's workers. Ownership: everything it refers to outlives it. Failure: the domain's
// statuses.

#include "libs/grpc/unary.h"
#include "libs/users/users.h"
#include "protector/site/v1/site.grpc.pb.h"
#include "services/site-registry/domain/validator.h"

namespace protector::site_registry {

struct Parts {
  rpc::Host& host;
  Registry& registry;
  Validator& validator;
  CloudPort& cloud;
  ServicesPort& services;
  users::Gate& users;
};

class SiteTransport final : public pb::SiteRegistryService::CallbackService {
 public:
  explicit SiteTransport(const Parts& parts) : parts_(parts) {}

  using Context = ::grpc::CallbackServerContext;
  using Unary = ::grpc::ServerUnaryReactor;

  Unary* CreateSite(Context* context, const pb::CreateSiteRequest* request, pb::Site* response) override;
  Unary* GetSite(Context* context, const pb::GetSiteRequest* request, pb::Site* response) override;
  Unary* ListSites(Context* context, const pb::ListSitesRequest* request, pb::ListSitesResponse* response) override;
  Unary* UpdateSite(Context* context, const pb::UpdateSiteRequest* request, pb::Site* response) override;
  Unary* DeleteSite(Context* context, const pb::DeleteSiteRequest* request, pb::DeleteSiteResponse* response) override;
  Unary* ValidateSite(Context* context, const pb::ValidateSiteRequest* request,
                      pb::ValidateSiteResponse* response) override;
  Unary* ListVolumeTypes(Context* context, const pb::ListVolumeTypesRequest* request,
                         pb::ListVolumeTypesResponse* response) override;
  Unary* CreateTenantMapping(Context* context, const pb::CreateTenantMappingRequest* request,
                             pb::TenantMapping* response) override;
  Unary* ListTenantMappings(Context* context, const pb::ListTenantMappingsRequest* request,
                            pb::ListTenantMappingsResponse* response) override;
  Unary* DeleteTenantMapping(Context* context, const pb::DeleteTenantMappingRequest* request,
                             pb::DeleteTenantMappingResponse* response) override;
  Unary* ResolveProject(Context* context, const pb::ResolveProjectRequest* request, pb::Project* response) override;

 private:
  absl::StatusOr<pb::ListSitesResponse> Sites(const rpc::CallContext& call, const pb::ListSitesRequest& request);
  absl::StatusOr<pb::ListTenantMappingsResponse> Mappings(const rpc::CallContext& call,
                                                          const pb::ListTenantMappingsRequest& request);
  // Whether a project of this site, by id or name, is the tenant's.
  absl::StatusOr<bool> IsOwn(const Tenant& tenant, const std::string& project);
  absl::StatusOr<pb::Project> Resolve(const rpc::CallContext& call, const pb::ResolveProjectRequest& request);
  absl::StatusOr<pb::ListVolumeTypesResponse> VolumeTypes(const rpc::CallContext& call, const std::string& name);

  Parts parts_;
};

}  // namespace protector::site_registry
