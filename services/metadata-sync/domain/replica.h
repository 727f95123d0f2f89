#pragma once
// This site's copy of every group: takes versions, settles what is in doubt, and publishes new heads. Knows nothing of
// how versions travel.
//
// Threads: every method may be called from any thread; the steps of one group exclude each other for the time of one
// store transaction only. Ownership: repository, hub and clock outlive it. Failure: the repository's; a version that is
// not sound is INVALID_ARGUMENT; outcomes that are no errors are in ApplyVersionResponse.result.

#include <array>
#include <functional>
#include <mutex>
#include <string>

#include "libs/base/clock.h"
#include "services/metadata-sync/domain/head_hub.h"
#include "services/metadata-sync/domain/repository.h"

namespace protector::metadata_sync {

class Replica {
 public:
  Replica(Repository& repository, HeadHub& hub, Clock& clock) : repository_(repository), hub_(hub), clock_(clock) {}

  // A version from the peer, or carried by a client. CANCELLED, and nothing is taken, when `given_up` says so before
  // the writing: whoever sent it has settled by now that it was not taken, and told the user.
  absl::StatusOr<pb::ApplyVersionResponse> Apply(
      const pb::Version& version, bool force, const std::string& from_site,
      const std::function<bool()>& given_up = [] { return false; });

  // Returns when no version of the group is being written. What is said of its head after this holds against every
  // version that came before: the other site settles by it what became of its own.
  void AwaitWriting(const std::string& group);

  // Writes this site's own version before it is sent. Excludes arriving versions for that moment: one that was decided
  // on without seeing the doubt must not end it.
  absl::Status WriteInDoubt(const StoredHead& head, const pb::Version& version, const std::string& request_id);

  // The version in doubt becomes the head (the peer has it, or it may go on alone). OK as well when it has become part
  // of the chain on another way; ABORTED when it was overtaken.
  absl::Status Take(const pb::Version& version, bool peer_has_it);
  // A version that goes on without the peer and was never in doubt.
  absl::Status Append(const StoredHead& head, const pb::Version& version, const Document& document,
                      const std::string& request_id);

  // The sync record for "both have this head", as of now.
  absl::StatusOr<pb::SyncStatus> InSync(const pb::Head& head);

 private:
  std::mutex& Section(const std::string& group);
  absl::Status Advance(const StoredHead& head, Repository::NewHead next);
  absl::Status TakeLocked(const StoredHead& head, const pb::Version& version, bool peer_has_it);
  absl::Status AppendArrived(const pb::Version& version, Document document, const std::string& from_site,
                             int64_t supersede_after);

  Repository& repository_;
  HeadHub& hub_;
  Clock& clock_;
  std::array<std::mutex, 64> sections_;
};

}  // namespace protector::metadata_sync
