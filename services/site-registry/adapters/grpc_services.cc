#include "services/site-registry/adapters/grpc_services.h"

#include <fmt/format.h>

#include <map>
#include <mutex>

#include "absl/time/clock.h"
#include "libs/base/error.h"
#include "libs/grpc/client.h"
#include "libs/grpc/health.h"
#include "protector/peer/v1/peer.grpc.pb.h"
#include "protector/site/v1/site.grpc.pb.h"
#include "protector/storage/v1/storage.grpc.pb.h"

namespace protector::site_registry {
namespace {

namespace peer = protector::peer::v1;
namespace sites = protector::site::v1;
namespace storage = protector::storage::v1;

rpc::CallOptions Options(const ServiceAddress& at, absl::Time deadline) {
  rpc::CallOptions options(deadline - absl::Now(), fmt::format("{} of {} at {}", at.service, at.site, at.address));
  options.site = at.site;
  options.user = "site-registry";
  options.repeat = rpc::Repeat::kIfIdempotent;  // everything here only reads
  options.max_attempts = 2;
  return options;
}

class GrpcServices final : public ServicesPort {
 public:
  explicit GrpcServices(const rpc::Security& security) : security_(security) {}

  absl::Status Health(const ServiceAddress& at, absl::Time deadline) override {
    return rpc::CheckHealth(Channel(at), Options(at, deadline));
  }

  absl::StatusOr<storage::Array> GetArray(const ServiceAddress& at, absl::Time deadline) override {
    const auto stub = storage::StorageService::NewStub(Channel(at));
    return rpc::Call(*stub, &storage::StorageService::StubInterface::GetArray, storage::GetArrayRequest(),
                     Options(at, deadline));
  }

  absl::StatusOr<absl::Duration> ClockSkew(const ServiceAddress& at, absl::Time deadline) override {
    const auto stub = peer::PeerService::NewStub(Channel(at));
    const absl::Time before = absl::Now();
    PROTECTOR_ASSIGN_OR_RETURN(const peer::GetStandingResponse standing,
                               rpc::Call(*stub, &peer::PeerService::StubInterface::GetStanding,
                                         peer::GetStandingRequest(), Options(at, deadline)));
    const absl::Time middle = before + (absl::Now() - before) / 2;
    return absl::FromUnixMillis(standing.clock_ms()) - middle;
  }

  absl::StatusOr<sites::ValidateSiteResponse> ValidateThere(const ServiceAddress& at, absl::Time deadline) override {
    sites::ValidateSiteRequest request;
    request.set_name(at.site);
    request.set_local_only(true);
    return Registry(at, &sites::SiteRegistryService::StubInterface::ValidateSite, request, deadline);
  }

  absl::StatusOr<sites::ListVolumeTypesResponse> VolumeTypesThere(const ServiceAddress& at,
                                                                  absl::Time deadline) override {
    sites::ListVolumeTypesRequest request;
    request.set_site(at.site);
    return Registry(at, &sites::SiteRegistryService::StubInterface::ListVolumeTypes, request, deadline);
  }

  absl::StatusOr<sites::Site> LocalSiteThere(const ServiceAddress& at, absl::Time deadline) override {
    return Registry(at, &sites::SiteRegistryService::StubInterface::GetSite, sites::GetSiteRequest(), deadline);
  }

  absl::StatusOr<std::vector<sites::TenantMapping>> MappingsThere(const ServiceAddress& at,
                                                                  absl::Time deadline) override {
    PROTECTOR_ASSIGN_OR_RETURN(const sites::ListTenantMappingsResponse response,
                               Registry(at, &sites::SiteRegistryService::StubInterface::ListTenantMappings,
                                        sites::ListTenantMappingsRequest(), deadline));
    return std::vector<sites::TenantMapping>(response.mappings().begin(), response.mappings().end());
  }

  bool IsNoAnswer(const absl::Status& status) const override { return rpc::IsNoAnswer(status); }

 private:
  template <typename Request, typename Response>
  absl::StatusOr<Response> Registry(const ServiceAddress& at,
                                    ::grpc::Status (sites::SiteRegistryService::StubInterface::*method)(
                                        ::grpc::ClientContext*, const Request&, Response*),
                                    const Request& request, absl::Time deadline) {
    const auto stub = sites::SiteRegistryService::NewStub(Channel(at));
    return rpc::Call(*stub, method, request, Options(at, deadline));
  }

  std::shared_ptr<::grpc::Channel> Channel(const ServiceAddress& at) {
    std::lock_guard lock(mutex_);
    // A validation says how things are now, so no channel's old refusal is repeated.
    auto& connector = connectors_[{at.address, {at.site, at.service}}];
    if (connector == nullptr) {
      connector = std::make_unique<rpc::Connector>(at.address, security_.ForChannel({at.site, at.service}));
    }
    return connector->Get();
  }

  const rpc::Security security_;
  std::mutex mutex_;
  std::map<std::pair<std::string, rpc::Identity>, std::unique_ptr<rpc::Connector>> connectors_;
};

}  // namespace

std::unique_ptr<ServicesPort> MakeGrpcServices(const rpc::Security& security) {
  return std::make_unique<GrpcServices>(security);
}

}  // namespace protector::site_registry
