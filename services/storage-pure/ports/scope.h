#pragma once
// How long a call may take and for which request it is made. Handed through every layer down to the array.
//
// Threads: a value. Failure: none.

#include <functional>
#include <string>

#include "absl/time/time.h"
#include "libs/base/purpose.h"

namespace protector::storage {

struct Scope {
  absl::Time deadline = absl::InfiniteFuture();
  std::string request_id = {};                             // the caller's, for the log
  Purpose purpose = {};                                    // the same
  std::function<bool()> cancelled = [] { return false; };  // nobody waits for the answer any more
};

}  // namespace protector::storage
