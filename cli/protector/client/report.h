#pragma once
// Errors and warnings as people read them: cause, then object, site, reason and remedy, each on a line of its own.
//
// Threads: pure.

#include <string>

#include "absl/status/status.h"

namespace protector::cli {

std::string ErrorText(const absl::Status& status);

}  // namespace protector::cli
