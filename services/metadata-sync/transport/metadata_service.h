#pragma once
// MetadataService over gRPC: each method checks who may see the group and hands on to the domain.
//
// Threads: gRPC's and the host's workers. Ownership: everything it refers to outlives it. Failure: the domain's
// statuses.

#include "libs/grpc/stream.h"
#include "libs/grpc/unary.h"
#include "protector/metadata/v1/metadata.grpc.pb.h"
#include "services/metadata-sync/domain/queries.h"
#include "services/metadata-sync/domain/retry_loop.h"
#include "services/metadata-sync/domain/synchroniser.h"

namespace protector::metadata_sync {

struct Parts {
  rpc::Host& host;
  Repository& repository;
  Replica& replica;
  Queries& queries;
  Synchroniser& synchroniser;
  RetryLoop& loop;
  HeadHub& hub;
};

class MetadataTransport final : public pb::MetadataService::CallbackService {
 public:
  explicit MetadataTransport(const Parts& parts) : parts_(parts) {}

  using Context = ::grpc::CallbackServerContext;
  using Unary = ::grpc::ServerUnaryReactor;

  Unary* Commit(Context* context, const pb::CommitRequest* request, pb::CommitResponse* response) override;
  Unary* GetDocument(Context* context, const pb::GetDocumentRequest* request,
                     pb::GetDocumentResponse* response) override;
  Unary* ListDocuments(Context* context, const pb::ListDocumentsRequest* request,
                       pb::ListDocumentsResponse* response) override;
  Unary* ApplyVersion(Context* context, const pb::ApplyVersionRequest* request,
                      pb::ApplyVersionResponse* response) override;
  Unary* ListHeads(Context* context, const pb::ListHeadsRequest* request, pb::ListHeadsResponse* response) override;
  Unary* ExportVersions(Context* context, const pb::ExportVersionsRequest* request,
                        pb::ExportVersionsResponse* response) override;
  Unary* GetSyncStatus(Context* context, const pb::GetSyncStatusRequest* request, pb::SyncStatus* response) override;
  Unary* ForceSync(Context* context, const pb::ForceSyncRequest* request, pb::ForceSyncResponse* response) override;
  Unary* ListHistory(Context* context, const pb::ListHistoryRequest* request,
                     pb::ListHistoryResponse* response) override;
  Unary* DiffVersions(Context* context, const pb::DiffVersionsRequest* request,
                      pb::DiffVersionsResponse* response) override;
  ::grpc::ServerWriteReactor<pb::Head>* WatchHeads(Context* context, const pb::WatchHeadsRequest* request) override;

 private:
  // GROUP_NOT_FOUND for a user who is kept to a project that has no part in the group.
  absl::Status MaySee(const rpc::CallContext& call, const std::string& group);
  absl::Status MaySee(const rpc::CallContext& call, const Document& document);
  absl::Status MayCarry(const rpc::CallContext& call, const pb::Version& version);
  absl::Status MaySeeHeads(const rpc::CallContext& call, const pb::ListHeadsRequest& request);
  absl::Status Watch(const std::shared_ptr<rpc::EventStream<pb::Head>>& stream);
  void NotePeer(const rpc::CallContext& call);

  Parts parts_;
};

}  // namespace protector::metadata_sync
