#pragma once
// The errors that every store gives in the same words. Internal to libs/store. Threads: pure functions. Failure: none.

#include <string>

#include "absl/status/status.h"
#include "libs/store/store.h"

namespace protector::store {

absl::Status NoRecord(const std::string& bucket, const std::string& key);
absl::Status Mismatch(const Batch::Write& write, int64_t actual);
absl::Status Held(const Lease& lease);

}  // namespace protector::store
