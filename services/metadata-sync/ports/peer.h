#pragma once
// The other site's metadata-sync, as the rules need it.
//
// Threads: every method may be called from any thread and blocks for a bounded time. Ownership: values. Failure:
// UNAVAILABLE or DEADLINE_EXCEEDED when the peer does not answer; `NeverSent` and `NoAnswer` tell what is known then.
// Anything else is the peer's own answer.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "protector/metadata/v1/metadata.pb.h"

namespace protector::metadata_sync {

class PeerPort {
 public:
  virtual ~PeerPort() = default;

  // All groups when `groups` is empty.
  virtual absl::StatusOr<std::vector<protector::metadata::v1::Head>> ListHeads(
      const std::vector<std::string>& groups) = 0;
  virtual absl::StatusOr<protector::metadata::v1::ApplyVersionResponse> Apply(
      const protector::metadata::v1::Version& version, bool force) = 0;
  // Versions greater than `after`, ascending, at most `limit`.
  virtual absl::StatusOr<std::vector<protector::metadata::v1::Version>> Export(const std::string& group, int64_t after,
                                                                               int limit) = 0;
  // Nothing of the request has left this site.
  virtual bool NeverSent(const absl::Status& status) const = 0;
  // The peer did not answer, so it may or may not have acted (unless NeverSent).
  virtual bool NoAnswer(const absl::Status& status) const = 0;
};

}  // namespace protector::metadata_sync
