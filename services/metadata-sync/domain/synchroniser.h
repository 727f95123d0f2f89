#pragma once
// How versions travel between the two sites: semi-synchronous commit, settling what is in doubt, catching up in either
// direction, forcing. The protocol is told in proto/protector/metadata/v1/metadata.proto and docs/metadata-protocol.md.
//
// Threads: every method may be called from any thread and blocks for as long as its exchange with the peer takes.
// Changes of one group that begin here go one after the other. Ownership: repository, replica, peer and clock outlive
// it. Failure: the reasons of metadata.proto.

#include <functional>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "libs/log/log.h"
#include "services/metadata-sync/domain/group_gate.h"
#include "services/metadata-sync/domain/replica.h"
#include "services/metadata-sync/ports/peer.h"

namespace protector::metadata_sync {

// How the peer's head stands to ours.
enum class Relation { kEqual, kPeerBehind, kPeerAhead, kDiverged };

class Synchroniser {
 public:
  Synchroniser(Repository& repository, Replica& replica, PeerPort& peer, Clock& clock, log::Logger logger)
      : repository_(repository), replica_(replica), peer_(peer), clock_(clock), logger_(std::move(logger)) {}

  absl::StatusOr<pb::CommitResponse> Commit(const pb::CommitRequest& request);
  absl::StatusOr<pb::ForceSyncResponse> ForceSync(const std::string& group, const std::string& reason);
  // Asks the peer now and remembers what it said.
  absl::StatusOr<pb::SyncStatus> Status(const std::string& group);

  // One group of the retry loop: settles the doubt, then pushes or pulls until the sites are equal. `remote` is the
  // peer's head as just told. OK also when there is nothing to be done by itself (diverged); the record says so.
  absl::Status Reconcile(const std::string& group, const pb::Head& remote);
  // Marks groups that the peer may not have as unreachable, with the time of the next try.
  absl::Status NoteUnreachable(const std::string& group, const absl::Status& cause, absl::Time next_try);

  // Called whenever something is left for the retry loop.
  void OnWork(std::function<void()> wake) { wake_ = std::move(wake); }

 private:
  absl::StatusOr<pb::Head> PeerHead(const std::string& group);
  absl::StatusOr<Relation> Relate(const pb::Head& local, const pb::Head& remote);
  // The doubt is gone afterwards (OK), or the peer did not answer.
  absl::Status Settle(const std::string& group);
  absl::Status SettleWith(const pb::Version& doubt, const pb::Head& remote);
  // Sends every version that the peer lacks. Returns what was sent.
  absl::StatusOr<std::vector<pb::Version>> Push(const std::string& group, int64_t after, bool force);
  absl::Status Pull(const std::string& group);
  // Our head and the peer's are equal afterwards, or it says why not. REMOTE_SITE_UNREACHABLE when the peer does not
  // answer.
  absl::Status Align(const std::string& group);

  absl::StatusOr<bool> MayGoAlone(const pb::CommitRequest& request, const pb::Head& head);
  absl::StatusOr<pb::CommitResponse> Answer(const pb::Version& version);
  absl::StatusOr<pb::CommitResponse> CommitInside(const pb::CommitRequest& request);
  absl::StatusOr<pb::CommitResponse> CommitBoth(const StoredHead& head, const pb::Version& version,
                                                const pb::CommitRequest& request, bool may_go_alone);
  absl::StatusOr<pb::CommitResponse> CommitAlone(const StoredHead& head, const pb::Version& version,
                                                 const Document& document, const pb::CommitRequest& request);
  pb::Version NextVersion(const pb::Head& head, Document& document, const std::string& reason);
  absl::Status RecordFailure(const std::string& group, pb::SyncState state, const absl::Status& cause);
  absl::StatusOr<pb::ForceSyncResponse> ForceDiverged(const std::string& group, const pb::Head& local,
                                                      const pb::Head& remote);
  const std::string& PeerName() const { return repository_.sites().peer; }
  void Wake() const {
    if (wake_) wake_();
  }

  Repository& repository_;
  Replica& replica_;
  PeerPort& peer_;
  Clock& clock_;
  const log::Logger logger_;
  GroupGate gate_;
  std::function<void()> wake_;
};

}  // namespace protector::metadata_sync
