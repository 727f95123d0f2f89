#pragma once
// The errors of metadata-sync, each made in one place, with the reasons that metadata.proto promises.
//
// Threads: pure. Failure: none.

#include <string>

#include "absl/status/status.h"
#include "protector/metadata/v1/metadata.pb.h"

namespace protector::metadata_sync {

absl::Status GroupNotFound(const std::string& group);
absl::Status VersionNotFound(const std::string& group, int64_t version);
absl::Status Invalid(const std::string& object, const std::string& message, const std::string& remedy);
absl::Status NotPrimary(const protector::group::v1::GroupDocument& document, const std::string& primary);
absl::Status StaleEpoch(const protector::metadata::v1::Head& head, int64_t epoch);
absl::Status EpochOutOfOrder(const protector::metadata::v1::Head& head,
                             const protector::group::v1::GroupDocument& document);
absl::Status VersionMismatch(const protector::metadata::v1::Head& head, int64_t base_version);
absl::Status NameTaken(const std::string& name, const std::string& project);
// `cause`: what the call to the peer gave.
absl::Status RemoteUnreachable(const std::string& group, const std::string& peer, const absl::Status& cause);
absl::Status OutcomeUnknown(const std::string& group, int64_t version, const std::string& peer,
                            const absl::Status& cause);
absl::Status Diverged(const std::string& group, const protector::metadata::v1::Head& local,
                      const protector::metadata::v1::Head& remote);
absl::Status LowerEpoch(const std::string& peer, const protector::metadata::v1::Head& local,
                        const protector::metadata::v1::Head& remote);
absl::Status PeerRefused(const std::string& group, const std::string& peer, const absl::Status& cause);

}  // namespace protector::metadata_sync
