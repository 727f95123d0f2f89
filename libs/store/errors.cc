#include "libs/store/errors.h"

#include <fmt/format.h>

#include "libs/base/clock.h"
#include "libs/base/error.h"

namespace protector::store {

absl::Status NoRecord(const std::string& bucket, const std::string& key) {
  return Error(absl::StatusCode::kNotFound, "RECORD_NOT_FOUND", fmt::format("no record {}/{}", bucket, key))
      .Object(fmt::format("record {}/{}", bucket, key));
}

absl::Status Mismatch(const Batch::Write& write, int64_t actual) {
  return Error(absl::StatusCode::kAborted, "VERSION_MISMATCH",
               fmt::format("record {}/{} is at version {}, not {}", write.bucket, write.key, actual, write.expected))
      .Object(fmt::format("record {}/{}", write.bucket, write.key))
      .Remedy("Read it again and repeat the change.");
}

absl::Status Held(const Lease& lease) {
  return Error(absl::StatusCode::kAborted, "LEASE_HELD",
               fmt::format("lease {} is held by {} until {}", lease.name, lease.owner, Rfc3339(lease.expires)))
      .Object("lease " + lease.name)
      .Remedy("Try again when it has expired.");
}

}  // namespace protector::store
