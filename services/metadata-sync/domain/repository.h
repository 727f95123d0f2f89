#pragma once
// What this site holds, as typed records over the narrow store. Each change of a head is one transaction with
// everything that goes with it (version, content, name, doubt, sync record), guarded by the head's record version: two
// writers of one group cannot both succeed, whatever locks the callers hold.
//
// Buckets: groups (group -> Head), versions (group/number/hash -> HistoryEntry without content), contents (same key ->
// bytes), in_doubt (group -> Version with content), names (project/name -> group), sync (group -> SyncStatus), requests
// (request id -> Version without content).
//
// Threads: every method may be called from any thread. Ownership: the store outlives it. Failure: the store's; a record
// that cannot be parsed is DATA_LOSS.

#include <optional>
#include <string>
#include <vector>

#include "libs/store/store.h"
#include "services/metadata-sync/domain/document.h"

namespace protector::metadata_sync {

struct StoredHead {
  pb::Head head;       // version 0: no such group
  int64_t record = 0;  // the store's version of the head's record
};

class Repository {
 public:
  Repository(store::Store& store, Sites sites) : store_(store), sites_(std::move(sites)) {}

  const Sites& sites() const { return sites_; }

  absl::StatusOr<StoredHead> Head(const std::string& group);
  absl::StatusOr<std::vector<pb::Head>> Heads();
  // The live group of this name; empty project: any, and then the name has to be unique. NOT_FOUND otherwise.
  absl::StatusOr<std::string> FindByName(const std::string& project, const std::string& name);
  // Ids of the live groups of a project, in order of their names.
  absl::StatusOr<std::vector<std::string>> GroupsOf(const std::string& project);

  // The version of this number and hash if it is on this site's chain (not superseded).
  absl::StatusOr<std::optional<pb::Version>> OnChain(const std::string& group, int64_t version,
                                                     const std::string& hash);
  // The version of this number on the chain, with its content.
  absl::StatusOr<pb::Version> Version(const std::string& group, int64_t version);
  absl::StatusOr<Document> DocumentOf(const pb::Version& version);
  // Every version of a group, superseded ones included, without content, in ascending order.
  absl::StatusOr<std::vector<pb::HistoryEntry>> History(const std::string& group);
  // Versions on the chain after `after`, with content, ascending.
  absl::StatusOr<std::vector<pb::Version>> After(const std::string& group, int64_t after, int limit);

  absl::StatusOr<std::optional<pb::Version>> InDoubt(const std::string& group);
  absl::StatusOr<std::vector<std::string>> GroupsInDoubt();
  // What an earlier request with this id committed, if it is still on the chain.
  absl::StatusOr<std::optional<pb::Version>> Requested(const std::string& request_id);
  // Requests are repeated within minutes; after days their ids only take room. Returns how many were forgotten.
  absl::StatusOr<int> ForgetRequestsBefore(absl::Time time);

  absl::StatusOr<pb::SyncStatus> Sync(const std::string& group);
  absl::Status SaveSync(const pb::SyncStatus& status);

  // Writes the version as in doubt, remembering the request that asked for it.
  absl::Status WriteInDoubt(const StoredHead& head, const pb::Version& version, const std::string& request_id);
  absl::Status DropInDoubt(const std::string& group);

  struct NewHead {
    pb::Version version;  // with content
    Document document;
    bool peer_has_it = false;
    std::string request_id = "";  // remembered when not empty
    std::optional<pb::SyncStatus> sync = {};
    int64_t supersede_after = -1;  // forced: versions after this one lose; -1: none
  };
  // Makes it the head; ABORTED when the head is not `head` any more. The in-doubt record goes in any case: what it held
  // is either this version or overtaken by it.
  absl::Status Advance(const StoredHead& head, const NewHead& next);
  // The peer is known to have this version now.
  absl::Status MarkPeerHas(const std::string& group, const std::vector<pb::Version>& versions);

 private:
  absl::Status AddNameChange(const StoredHead& head, const NewHead& next, store::Batch& batch);
  absl::Status AddSuperseded(const std::string& group, int64_t after, store::Batch& batch);

  store::Store& store_;
  const Sites sites_;
};

}  // namespace protector::metadata_sync
