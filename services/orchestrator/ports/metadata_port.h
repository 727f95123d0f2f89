#pragma once
// One site's metadata-sync. Mirrors proto/protector/metadata/v1/metadata.proto; what a call does is said there.
//
// Threads: every method may be called from any thread and blocks its caller until call.timeout at the latest;
// WatchHeads blocks until the stream ends or `take` returns false. Ownership: values. Failure: the statuses of
// metadata.proto; a service that does not answer: UNAVAILABLE or DEADLINE_EXCEEDED, and then it is *unknown* whether a
// commit happened (repeating it with the same request_id is harmless).

#include <functional>

#include "absl/status/statusor.h"
#include "protector/metadata/v1/metadata.pb.h"
#include "services/orchestrator/ports/call.h"
#include "services/orchestrator/ports/contracts.h"

namespace protector::orchestrator {

class MetadataPort {
 public:
  virtual ~MetadataPort() = default;

  virtual absl::StatusOr<metadata::CommitResponse> Commit(const Call& call, const metadata::CommitRequest& request) = 0;
  virtual absl::StatusOr<metadata::GetDocumentResponse> GetDocument(const Call& call,
                                                                    const metadata::GetDocumentRequest& request) = 0;
  virtual absl::StatusOr<metadata::ListDocumentsResponse> ListDocuments(
      const Call& call, const metadata::ListDocumentsRequest& request) = 0;
  virtual absl::StatusOr<metadata::ListHeadsResponse> ListHeads(const Call& call,
                                                                const metadata::ListHeadsRequest& request) = 0;
  virtual absl::StatusOr<metadata::SyncStatus> GetSyncStatus(const Call& call,
                                                             const metadata::GetSyncStatusRequest& request) = 0;
  virtual absl::StatusOr<metadata::ForceSyncResponse> ForceSync(const Call& call,
                                                                const metadata::ForceSyncRequest& request) = 0;
  // First one event for each present head, then one for each change.
  virtual absl::Status WatchHeads(const Call& call, const std::function<bool(const metadata::Head&)>& take) = 0;
};

}  // namespace protector::orchestrator
