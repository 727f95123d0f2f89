#include "services/metadata-sync/adapters/grpc_peer.h"

#include <fmt/format.h>

#include "libs/base/error.h"

namespace protector::metadata_sync {

namespace pb = protector::metadata::v1;
using Stub = pb::MetadataService::StubInterface;

namespace {
const failpoint::Site kApply("peer-apply-version", &rpc::LostCall);
}  // namespace

GrpcPeer::GrpcPeer(const GrpcPeerOptions& options, const rpc::Security& security)
    : options_(options), connector_(options.address, security.ForChannel({options.site, "metadata-sync"})) {}

std::unique_ptr<pb::MetadataService::Stub> GrpcPeer::NewStub() {
  return pb::MetadataService::NewStub(connector_.Get());
}

rpc::CallOptions GrpcPeer::Options() const {
  rpc::CallOptions options(options_.timeout, fmt::format("metadata-sync of {} at {}", options_.site, options_.address));
  options.site = options_.site;
  options.user = kPeerUser;
  return options;
}

absl::StatusOr<std::vector<pb::Head>> GrpcPeer::ListHeads(const std::vector<std::string>& groups) {
  pb::ListHeadsRequest request;
  for (const std::string& group : groups) request.add_group_ids(group);
  PROTECTOR_ASSIGN_OR_RETURN(const pb::ListHeadsResponse response,
                             rpc::Call(*NewStub(), &Stub::ListHeads, request, Options()));
  if (response.site() != options_.site) {
    return Error(absl::StatusCode::kFailedPrecondition, "WRONG_PEER",
                 fmt::format("the metadata-sync at {} says it is {}, not {}", options_.address, response.site(),
                             options_.site))
        .Object("peer " + options_.address)
        .Remedy("Correct peer.site and peer.address in this service's configuration.");
  }
  return std::vector<pb::Head>(response.heads().begin(), response.heads().end());
}

absl::StatusOr<pb::ApplyVersionResponse> GrpcPeer::Apply(const pb::Version& version, bool force) {
  pb::ApplyVersionRequest request;
  *request.mutable_version() = version;
  request.set_force(force);
  request.set_from_site(options_.local_site);
  return rpc::Change(kApply, *NewStub(), &Stub::ApplyVersion, request, Options());
}

absl::StatusOr<std::vector<pb::Version>> GrpcPeer::Export(const std::string& group, int64_t after, int limit) {
  pb::ExportVersionsRequest request;
  request.set_group_id(group);
  request.set_after_version(after);
  request.set_limit(limit);
  PROTECTOR_ASSIGN_OR_RETURN(const pb::ExportVersionsResponse response,
                             rpc::Call(*NewStub(), &Stub::ExportVersions, request, Options()));
  return std::vector<pb::Version>(response.versions().begin(), response.versions().end());
}

}  // namespace protector::metadata_sync
