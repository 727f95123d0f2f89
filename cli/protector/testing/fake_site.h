#pragma once
// A site's services in the test's own process, as far as the command line sees them: what they answer is set by the
// test, what they were asked is kept.
//
// Threads: gRPC's threads call the services; the test changes `answers` only between runs. Ownership: a FakeSite owns
// its server; Stop makes its address refuse connections.

#include <grpcpp/grpcpp.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "libs/base/error.h"
#include "protector/metadata/v1/metadata.grpc.pb.h"
#include "protector/operation/v1/operation.grpc.pb.h"
#include "protector/site/v1/site.grpc.pb.h"

namespace protector::cli::testing {

struct Asked {
  std::string method;
  std::string request;  // short text form
  std::map<std::string, std::string> metadata;
};

class FakeSite {
 public:
  explicit FakeSite(const std::string& name);
  ~FakeSite();
  FakeSite(const FakeSite&) = delete;
  FakeSite& operator=(const FakeSite&) = delete;

  // What a method answers. Not set: UNIMPLEMENTED.
  template <typename Request, typename Response>
  using Handler = std::function<absl::StatusOr<Response>(const Request&)>;
  struct Answers {
    Handler<site::v1::ListSitesRequest, site::v1::ListSitesResponse> list_sites;
    Handler<site::v1::CreateSiteRequest, site::v1::Site> create_site;
    Handler<site::v1::GetSiteRequest, site::v1::Site> get_site;
    Handler<site::v1::ResolveProjectRequest, site::v1::Project> resolve_project;
    Handler<site::v1::CreateTenantMappingRequest, site::v1::TenantMapping> create_mapping;
    Handler<site::v1::ListTenantMappingsRequest, site::v1::ListTenantMappingsResponse> list_mappings;
    Handler<site::v1::ValidateSiteRequest, site::v1::ValidateSiteResponse> validate_site;
    Handler<operation::v1::GetGroupRequest, operation::v1::Group> get_group;
    Handler<operation::v1::AddMembersRequest, operation::v1::Group> add_members;
    Handler<operation::v1::CheckGroupRequest, operation::v1::CheckGroupResponse> check_group;
    Handler<operation::v1::StartFailoverRequest, operation::v1::Operation> start_failover;
    Handler<operation::v1::StartFailbackRequest, operation::v1::Operation> start_failback;
    Handler<operation::v1::GetOperationRequest, operation::v1::Operation> get_operation;
    Handler<operation::v1::ListOperationsRequest, operation::v1::ListOperationsResponse> list_operations;
    Handler<operation::v1::OperationActionRequest, operation::v1::Operation> cancel_operation;
    Handler<metadata::v1::GetSyncStatusRequest, metadata::v1::SyncStatus> sync_status;
    Handler<metadata::v1::ForceSyncRequest, metadata::v1::ForceSyncResponse> force_sync;
    Handler<metadata::v1::ListHeadsRequest, metadata::v1::ListHeadsResponse> list_heads;
    Handler<metadata::v1::ExportVersionsRequest, metadata::v1::ExportVersionsResponse> export_versions;
    Handler<metadata::v1::ApplyVersionRequest, metadata::v1::ApplyVersionResponse> apply_version;
    // Called until it returns false; what it writes is streamed.
    std::function<grpc::Status(const std::function<void(const operation::v1::Operation&)>&)> watch;
  };
  Answers answers;

  const std::string name;
  std::string address() const;  // of all services
  std::string auth_url() const { return "http://" + name + ".example:5000/v3"; }
  void Stop();
  // The calls of a method, in order.
  std::vector<Asked> Calls(const std::string& method) const;

 private:
  class Services;
  std::unique_ptr<Services> services_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

}  // namespace protector::cli::testing
