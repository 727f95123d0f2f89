#pragma once
// What is read without asking the peer: documents, heads, history, differences.
//
// Threads: every method may be called from any thread. Ownership: the repository outlives it. Failure: GROUP_NOT_FOUND,
// VERSION_NOT_FOUND, INVALID_ARGUMENT for a bad page token; the store's.

#include <string>

#include "services/metadata-sync/domain/repository.h"

namespace protector::metadata_sync {

class Queries {
 public:
  explicit Queries(Repository& repository) : repository_(repository) {}

  absl::StatusOr<pb::GetDocumentResponse> GetDocument(const pb::GetDocumentRequest& request);
  absl::StatusOr<pb::ListDocumentsResponse> ListDocuments(const pb::ListDocumentsRequest& request);
  absl::StatusOr<pb::ListHeadsResponse> ListHeads(const pb::ListHeadsRequest& request);
  absl::StatusOr<pb::ExportVersionsResponse> ExportVersions(const pb::ExportVersionsRequest& request);
  absl::StatusOr<pb::ListHistoryResponse> ListHistory(const pb::ListHistoryRequest& request);
  absl::StatusOr<pb::DiffVersionsResponse> DiffVersions(const pb::DiffVersionsRequest& request);

 private:
  absl::StatusOr<pb::GetDocumentResponse> Load(const std::string& group, int64_t version);

  Repository& repository_;
};

}  // namespace protector::metadata_sync
