#include "cli/protector/testing/fake_site.h"

#include "libs/grpc/status.h"

namespace protector::cli::testing {

// One object for all services; each method hands over to the test's handler.
class FakeSite::Services final : public site::v1::SiteRegistryService::Service,
                                 public operation::v1::GroupService::Service,
                                 public operation::v1::OperationService::Service,
                                 public metadata::v1::MetadataService::Service {
 public:
  explicit Services(FakeSite& owner) : owner_(owner) {}

#define FAKE_METHOD(Package, Name, Request, Response, handler)                                                  \
  grpc::Status Name(grpc::ServerContext* context, const Package::Request* request, Package::Response* response) \
      override {                                                                                                \
    return Answer(#Name, *context, owner_.answers.handler, *request, response);                                 \
  }
  FAKE_METHOD(site::v1, ListSites, ListSitesRequest, ListSitesResponse, list_sites)
  FAKE_METHOD(site::v1, CreateSite, CreateSiteRequest, Site, create_site)
  FAKE_METHOD(site::v1, GetSite, GetSiteRequest, Site, get_site)
  FAKE_METHOD(site::v1, ResolveProject, ResolveProjectRequest, Project, resolve_project)
  FAKE_METHOD(site::v1, CreateTenantMapping, CreateTenantMappingRequest, TenantMapping, create_mapping)
  FAKE_METHOD(site::v1, ListTenantMappings, ListTenantMappingsRequest, ListTenantMappingsResponse, list_mappings)
  FAKE_METHOD(site::v1, ValidateSite, ValidateSiteRequest, ValidateSiteResponse, validate_site)
  FAKE_METHOD(operation::v1, GetGroup, GetGroupRequest, Group, get_group)
  FAKE_METHOD(operation::v1, AddMembers, AddMembersRequest, Group, add_members)
  FAKE_METHOD(operation::v1, CheckGroup, CheckGroupRequest, CheckGroupResponse, check_group)
  FAKE_METHOD(operation::v1, StartFailover, StartFailoverRequest, Operation, start_failover)
  FAKE_METHOD(operation::v1, StartFailback, StartFailbackRequest, Operation, start_failback)
  FAKE_METHOD(operation::v1, GetOperation, GetOperationRequest, Operation, get_operation)
  FAKE_METHOD(operation::v1, ListOperations, ListOperationsRequest, ListOperationsResponse, list_operations)
  FAKE_METHOD(operation::v1, CancelOperation, OperationActionRequest, Operation, cancel_operation)
  FAKE_METHOD(metadata::v1, GetSyncStatus, GetSyncStatusRequest, SyncStatus, sync_status)
  FAKE_METHOD(metadata::v1, ForceSync, ForceSyncRequest, ForceSyncResponse, force_sync)
  FAKE_METHOD(metadata::v1, ListHeads, ListHeadsRequest, ListHeadsResponse, list_heads)
  FAKE_METHOD(metadata::v1, ExportVersions, ExportVersionsRequest, ExportVersionsResponse, export_versions)
  FAKE_METHOD(metadata::v1, ApplyVersion, ApplyVersionRequest, ApplyVersionResponse, apply_version)
#undef FAKE_METHOD

  grpc::Status WatchOperation(grpc::ServerContext* context, const operation::v1::WatchOperationRequest* request,
                              grpc::ServerWriter<operation::v1::Operation>* writer) override {
    Keep("WatchOperation", *context, *request);
    if (!owner_.answers.watch) return grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "watch");
    return owner_.answers.watch([writer](const operation::v1::Operation& operation) { writer->Write(operation); });
  }

  std::vector<Asked> Calls(const std::string& method) const {
    const std::lock_guard lock(mutex_);
    std::vector<Asked> calls;
    for (const Asked& asked : asked_) {
      if (asked.method == method) calls.push_back(asked);
    }
    return calls;
  }

 private:
  void Keep(const char* method, const grpc::ServerContext& context, const google::protobuf::Message& request) {
    Asked asked{method, request.ShortDebugString(), {}};
    for (const auto& [key, value] : context.client_metadata())
      asked.metadata[std::string(key.data(), key.size())] = std::string(value.data(), value.size());
    const std::lock_guard lock(mutex_);
    asked_.push_back(std::move(asked));
  }

  template <typename Handler, typename Request, typename Response>
  grpc::Status Answer(const char* method, const grpc::ServerContext& context, const Handler& handler,
                      const Request& request, Response* response) {
    Keep(method, context, request);
    if (!handler) return grpc::Status(grpc::StatusCode::UNIMPLEMENTED, method);
    const auto answer = handler(request);
    if (answer.ok()) *response = *answer;
    return rpc::ToGrpc(answer.status(), owner_.name);
  }

  FakeSite& owner_;
  mutable std::mutex mutex_;
  std::vector<Asked> asked_;
};

FakeSite::FakeSite(const std::string& site_name) : name(site_name), services_(std::make_unique<Services>(*this)) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
  builder.RegisterService(static_cast<site::v1::SiteRegistryService::Service*>(services_.get()));
  builder.RegisterService(static_cast<operation::v1::GroupService::Service*>(services_.get()));
  builder.RegisterService(static_cast<operation::v1::OperationService::Service*>(services_.get()));
  builder.RegisterService(static_cast<metadata::v1::MetadataService::Service*>(services_.get()));
  server_ = builder.BuildAndStart();
}

FakeSite::~FakeSite() {
  Stop();
}

std::string FakeSite::address() const {
  return "127.0.0.1:" + std::to_string(port_);
}

void FakeSite::Stop() {
  if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
  server_ = nullptr;
}

std::vector<Asked> FakeSite::Calls(const std::string& method) const {
  return services_->Calls(method);
}

}  // namespace protector::cli::testing
