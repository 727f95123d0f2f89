#pragma once
// A mistake of the command line itself: found before anything is asked of any service, exit code 2.
//
// Threads: pure.

#include <string>

#include "libs/base/error.h"

namespace protector::cli {

inline Error UsageError(const std::string& message) {
  return Error(absl::StatusCode::kInvalidArgument, "USAGE", message);
}

}  // namespace protector::cli
