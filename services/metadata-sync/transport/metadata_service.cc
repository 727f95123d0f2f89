#include "services/metadata-sync/transport/metadata_service.h"

#include "services/metadata-sync/adapters/grpc_peer.h"
#include "services/metadata-sync/domain/errors.h"

namespace protector::metadata_sync {
absl::Status MetadataTransport::MaySee(const rpc::CallContext& call, const Document& document) {
  if (!call.tenant || call.tenant->Owns(document.projects())) return absl::OkStatus();
  return GroupNotFound(document.id());
}

absl::Status MetadataTransport::MaySee(const rpc::CallContext& call, const std::string& group) {
  if (!call.tenant) return absl::OkStatus();
  pb::GetDocumentRequest request;
  request.set_group_id(group);
  PROTECTOR_ASSIGN_OR_RETURN(const pb::GetDocumentResponse found, parts_.queries.GetDocument(request));
  return MaySee(call, found.document());
}

absl::Status MetadataTransport::MayCarry(const rpc::CallContext& call, const pb::Version& version) {
  if (!call.tenant) return absl::OkStatus();
  // Of a group that this site does not know yet, the version alone says whose it is.
  PROTECTOR_ASSIGN_OR_RETURN(const Document document, parts_.repository.DocumentOf(version));
  PROTECTOR_RETURN_IF_ERROR(MaySee(call, document));
  PROTECTOR_ASSIGN_OR_RETURN(const StoredHead here, parts_.repository.Head(version.group_id()));
  return here.head.version() == 0 ? absl::OkStatus() : MaySee(call, version.group_id());
}

absl::Status MetadataTransport::MaySeeHeads(const rpc::CallContext& call, const pb::ListHeadsRequest& request) {
  if (!call.tenant) return absl::OkStatus();
  if (request.group_ids().empty()) {
    return Invalid("group_ids", "the heads of all groups are no tenant's", "Name the groups.");
  }
  for (const std::string& group : request.group_ids()) {
    PROTECTOR_ASSIGN_OR_RETURN(const StoredHead here, parts_.repository.Head(group));
    if (here.head.version() > 0) PROTECTOR_RETURN_IF_ERROR(MaySee(call, group));
  }
  return absl::OkStatus();
}

void MetadataTransport::NotePeer(const rpc::CallContext& call) {
  if (call.user == kPeerUser) parts_.loop.PeerSeen();
}

MetadataTransport::Unary* MetadataTransport::Commit(Context* context, const pb::CommitRequest* request,
                                                    pb::CommitResponse* response) {
  return rpc::Unary(
      parts_.host, context, request, response, "MetadataService/Commit",
      [this](const rpc::CallContext& call, const pb::CommitRequest& r) -> absl::StatusOr<pb::CommitResponse> {
        PROTECTOR_RETURN_IF_ERROR(MaySee(call, r.document()));
        return parts_.synchroniser.Commit(r);
      });
}

MetadataTransport::Unary* MetadataTransport::GetDocument(Context* context, const pb::GetDocumentRequest* request,
                                                         pb::GetDocumentResponse* response) {
  return rpc::Unary(
      parts_.host, context, request, response, "MetadataService/GetDocument",
      [this](const rpc::CallContext& call, const pb::GetDocumentRequest& r) -> absl::StatusOr<pb::GetDocumentResponse> {
        PROTECTOR_ASSIGN_OR_RETURN(pb::GetDocumentResponse found, parts_.queries.GetDocument(r));
        PROTECTOR_RETURN_IF_ERROR(MaySee(call, found.document()));
        return found;
      });
}

MetadataTransport::Unary* MetadataTransport::ListDocuments(Context* context, const pb::ListDocumentsRequest* request,
                                                           pb::ListDocumentsResponse* response) {
  return rpc::Unary(
      parts_.host, context, request, response, "MetadataService/ListDocuments",
      [this](const rpc::CallContext&, const pb::ListDocumentsRequest& r) { return parts_.queries.ListDocuments(r); });
}

MetadataTransport::Unary* MetadataTransport::ApplyVersion(Context* context, const pb::ApplyVersionRequest* request,
                                                          pb::ApplyVersionResponse* response) {
  return rpc::Unary(parts_.host, context, request, response, "MetadataService/ApplyVersion",
                    [this](const rpc::CallContext& call,
                           const pb::ApplyVersionRequest& r) -> absl::StatusOr<pb::ApplyVersionResponse> {
                      NotePeer(call);
                      PROTECTOR_RETURN_IF_ERROR(MayCarry(call, r.version()));
                      return parts_.replica.Apply(r.version(), r.force(), r.from_site(), call.cancelled);
                    });
}

MetadataTransport::Unary* MetadataTransport::ListHeads(Context* context, const pb::ListHeadsRequest* request,
                                                       pb::ListHeadsResponse* response) {
  return rpc::Unary(
      parts_.host, context, request, response, "MetadataService/ListHeads",
      [this](const rpc::CallContext& call, const pb::ListHeadsRequest& r) -> absl::StatusOr<pb::ListHeadsResponse> {
        NotePeer(call);
        PROTECTOR_RETURN_IF_ERROR(MaySeeHeads(call, r));
        for (const std::string& group : r.group_ids()) parts_.replica.AwaitWriting(group);
        return parts_.queries.ListHeads(r);
      });
}

MetadataTransport::Unary* MetadataTransport::ExportVersions(Context* context, const pb::ExportVersionsRequest* request,
                                                            pb::ExportVersionsResponse* response) {
  return rpc::Unary(parts_.host, context, request, response, "MetadataService/ExportVersions",
                    [this](const rpc::CallContext& call,
                           const pb::ExportVersionsRequest& r) -> absl::StatusOr<pb::ExportVersionsResponse> {
                      PROTECTOR_RETURN_IF_ERROR(MaySee(call, r.group_id()));
                      return parts_.queries.ExportVersions(r);
                    });
}

MetadataTransport::Unary* MetadataTransport::GetSyncStatus(Context* context, const pb::GetSyncStatusRequest* request,
                                                           pb::SyncStatus* response) {
  return rpc::Unary(
      parts_.host, context, request, response, "MetadataService/GetSyncStatus",
      [this](const rpc::CallContext& call, const pb::GetSyncStatusRequest& r) -> absl::StatusOr<pb::SyncStatus> {
        PROTECTOR_RETURN_IF_ERROR(MaySee(call, r.group_id()));
        return parts_.synchroniser.Status(r.group_id());
      });
}

MetadataTransport::Unary* MetadataTransport::ForceSync(Context* context, const pb::ForceSyncRequest* request,
                                                       pb::ForceSyncResponse* response) {
  return rpc::Unary(
      parts_.host, context, request, response, "MetadataService/ForceSync",
      [this](const rpc::CallContext& call, const pb::ForceSyncRequest& r) -> absl::StatusOr<pb::ForceSyncResponse> {
        PROTECTOR_RETURN_IF_ERROR(MaySee(call, r.group_id()));
        return parts_.synchroniser.ForceSync(r.group_id(), r.reason());
      });
}

MetadataTransport::Unary* MetadataTransport::ListHistory(Context* context, const pb::ListHistoryRequest* request,
                                                         pb::ListHistoryResponse* response) {
  return rpc::Unary(
      parts_.host, context, request, response, "MetadataService/ListHistory",
      [this](const rpc::CallContext& call, const pb::ListHistoryRequest& r) -> absl::StatusOr<pb::ListHistoryResponse> {
        PROTECTOR_RETURN_IF_ERROR(MaySee(call, r.group_id()));
        return parts_.queries.ListHistory(r);
      });
}

MetadataTransport::Unary* MetadataTransport::DiffVersions(Context* context, const pb::DiffVersionsRequest* request,
                                                          pb::DiffVersionsResponse* response) {
  return rpc::Unary(parts_.host, context, request, response, "MetadataService/DiffVersions",
                    [this](const rpc::CallContext& call,
                           const pb::DiffVersionsRequest& r) -> absl::StatusOr<pb::DiffVersionsResponse> {
                      PROTECTOR_RETURN_IF_ERROR(MaySee(call, r.group_id()));
                      return parts_.queries.DiffVersions(r);
                    });
}

absl::Status MetadataTransport::Watch(const std::shared_ptr<rpc::EventStream<pb::Head>>& stream) {
  // Subscribed first, so that no change falls between the list and the watch; a head may then come twice.
  const int64_t id = parts_.hub.Subscribe([weak = std::weak_ptr(stream)](const pb::Head& head) {
    if (const auto held = weak.lock()) held->Push(head);
  });
  stream->OnClosed([this, id] { parts_.hub.Unsubscribe(id); });
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<pb::Head> heads, parts_.repository.Heads());
  for (const pb::Head& head : heads) stream->Push(head);
  return absl::OkStatus();
}

::grpc::ServerWriteReactor<pb::Head>* MetadataTransport::WatchHeads(Context* context,
                                                                    const pb::WatchHeadsRequest* request) {
  return rpc::Stream<pb::Head>(
      parts_.host, context, request, "MetadataService/WatchHeads",
      [this](const rpc::CallContext&, const pb::WatchHeadsRequest&,
             const std::shared_ptr<rpc::EventStream<pb::Head>>& stream) { return Watch(stream); });
}

}  // namespace protector::metadata_sync
