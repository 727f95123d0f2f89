// metadata-sync as a MetadataPort.
#include "protector/metadata/v1/metadata.grpc.pb.h"
#include "services/orchestrator/adapters/grpc/caller.h"
#include "services/orchestrator/adapters/grpc/clients.h"

namespace protector::orchestrator {
namespace {

using Stub = metadata::MetadataService::StubInterface;

const failpoint::Site kCommit("metadata-commit", &rpc::LostCall);
const failpoint::Site kForceSync("metadata-force-sync", &rpc::LostCall);

class MetadataClient final : public MetadataPort {
 public:
  MetadataClient(const ServiceAddress& address, const rpc::Security& security)
      : caller_("metadata-sync", address), stub_(metadata::MetadataService::NewStub(caller_.Channel(security))) {}
  absl::StatusOr<metadata::CommitResponse> Commit(const Call& call, const metadata::CommitRequest& request) override {
    return rpc::Change(kCommit, *stub_, &Stub::Commit, request, caller_.Change(call));
  }
  absl::StatusOr<metadata::GetDocumentResponse> GetDocument(const Call& call,
                                                            const metadata::GetDocumentRequest& request) override {
    return rpc::Call(*stub_, &Stub::GetDocument, request, caller_.Question(call));
  }
  absl::StatusOr<metadata::ListDocumentsResponse> ListDocuments(
      const Call& call, const metadata::ListDocumentsRequest& request) override {
    return rpc::Call(*stub_, &Stub::ListDocuments, request, caller_.Question(call));
  }
  absl::StatusOr<metadata::ListHeadsResponse> ListHeads(const Call& call,
                                                        const metadata::ListHeadsRequest& request) override {
    return rpc::Call(*stub_, &Stub::ListHeads, request, caller_.Question(call));
  }
  absl::StatusOr<metadata::SyncStatus> GetSyncStatus(const Call& call,
                                                     const metadata::GetSyncStatusRequest& request) override {
    return rpc::Call(*stub_, &Stub::GetSyncStatus, request, caller_.Question(call));
  }
  absl::StatusOr<metadata::ForceSyncResponse> ForceSync(const Call& call,
                                                        const metadata::ForceSyncRequest& request) override {
    return rpc::Change(kForceSync, *stub_, &Stub::ForceSync, request, caller_.Change(call));
  }
  absl::Status WatchHeads(const Call& call, const std::function<bool(const metadata::Head&)>& take) override {
    return rpc::ReadStream<Stub, Stub, metadata::WatchHeadsRequest, metadata::Head>(*stub_, &Stub::WatchHeads, {},
                                                                                    caller_.Change(call), take);
  }

 private:
  Caller caller_;
  std::unique_ptr<Stub> stub_;
};

}  // namespace

std::unique_ptr<MetadataPort> MakeMetadataClient(const ServiceAddress& address, const rpc::Security& security) {
  return std::make_unique<MetadataClient>(address, security);
}

}  // namespace protector::orchestrator
