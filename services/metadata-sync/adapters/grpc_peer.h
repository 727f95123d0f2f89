#pragma once
// The peer's metadata-sync over gRPC.
//
// Threads: as PeerPort. Ownership: keeps its channel. Failure: as rpc::Call.

#include <memory>

#include "libs/grpc/client.h"
#include "libs/grpc/security.h"
#include "protector/metadata/v1/metadata.grpc.pb.h"
#include "services/metadata-sync/ports/peer.h"

namespace protector::metadata_sync {

// By this user in the call's metadata the peer knows that it is the other site that calls.
inline constexpr char kPeerUser[] = "metadata-sync";

struct GrpcPeerOptions {
  std::string local_site;
  std::string site;     // the peer's name
  std::string address;  // "host:port"
  absl::Duration timeout = absl::Seconds(5);
};

class GrpcPeer final : public PeerPort {
 public:
  GrpcPeer(const GrpcPeerOptions& options, const rpc::Security& security);

  absl::StatusOr<std::vector<protector::metadata::v1::Head>> ListHeads(const std::vector<std::string>& groups) override;
  absl::StatusOr<protector::metadata::v1::ApplyVersionResponse> Apply(const protector::metadata::v1::Version& version,
                                                                      bool force) override;
  absl::StatusOr<std::vector<protector::metadata::v1::Version>> Export(const std::string& group, int64_t after,
                                                                       int limit) override;
  bool NeverSent(const absl::Status& status) const override { return rpc::CertainlyNotSent(status); }
  bool NoAnswer(const absl::Status& status) const override { return rpc::IsNoAnswer(status); }

 private:
  rpc::CallOptions Options() const;
  std::unique_ptr<protector::metadata::v1::MetadataService::Stub> NewStub();

  const GrpcPeerOptions options_;
  // The peer comes and goes; a call has to say whether it is there now.
  rpc::Connector connector_;
};

}  // namespace protector::metadata_sync
