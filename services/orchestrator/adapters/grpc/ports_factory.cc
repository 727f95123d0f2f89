#include "services/orchestrator/adapters/grpc/ports_factory.h"

#include <map>
#include <mutex>
#include <tuple>
#include <vector>

#include "libs/base/error.h"

namespace protector::orchestrator {
namespace {

// How long a question to the registry may hold up a caller that only wants the ports.
constexpr absl::Duration kRegistryTimeout = absl::Seconds(5);

struct RemoteSite {
  std::unique_ptr<ArrayPort> array;
  std::unique_ptr<MetadataPort> metadata;
  std::unique_ptr<SourceCloudPort> cloud;
};

}  // namespace

struct GrpcPorts::State {
  using Addresses = std::tuple<std::string, std::string, std::string>;

  State(SitesPort& registry, const rpc::Security& transport) : sites(registry), security(transport) {}

  SitesPort& sites;
  const rpc::Security security;
  std::unique_ptr<MetadataPort> metadata;
  std::unique_ptr<ArrayPort> array;
  SourceCloudPort* cloud = nullptr;
  std::mutex mutex;
  std::map<std::pair<std::string, Addresses>, RemoteSite> remote;
};

GrpcPorts::GrpcPorts(SitesPort& sites, const rpc::Security& security, const std::string& metadata_address,
                     const std::string& storage_address)
    : state_(std::make_unique<State>(sites, security)) {
  state_->metadata = MakeMetadataClient({sites.LocalSite(), metadata_address}, security);
  state_->array = MakeArrayClient({sites.LocalSite(), storage_address}, security);
}

GrpcPorts::~GrpcPorts() = default;

void GrpcPorts::SetLocalCloud(SourceCloudPort& cloud) {
  state_->cloud = &cloud;
}

MetadataPort& GrpcPorts::local_metadata() {
  return *state_->metadata;
}

absl::StatusOr<SitePorts> GrpcPorts::For(const std::string& site) {
  if (site == state_->sites.LocalSite())
    return SitePorts{site, state_->array.get(), state_->metadata.get(), state_->cloud};
  PROTECTOR_ASSIGN_OR_RETURN(const auto known, state_->sites.GetSite(Call(kRegistryTimeout), site));
  const auto& at = known.endpoints();
  const std::lock_guard lock(state_->mutex);
  RemoteSite& remote = state_->remote[{site, {at.storage_pure(), at.metadata_sync(), at.orchestrator()}}];
  if (remote.array == nullptr) {
    remote.array = MakeArrayClient({site, at.storage_pure()}, state_->security);
    remote.metadata = MakeMetadataClient({site, at.metadata_sync()}, state_->security);
    remote.cloud = MakePeerClient({site, at.orchestrator()}, state_->security);
  }
  return SitePorts{site, remote.array.get(), remote.metadata.get(), remote.cloud.get()};
}

}  // namespace protector::orchestrator
