#pragma once
// What could come next on a command line that is being typed.
//
// Threads: pure functions. Failure: none; nothing known means no candidates.

#include <string>
#include <vector>

#include "cli/protector/args/spec.h"

namespace protector::cli {

struct Completion {
  std::vector<std::string> words;  // candidates, not yet filtered by what has been typed
  Names names = Names::kNone;      // ... and the names of these
};

// `before`: complete words after "protector"; `current`: the word under the cursor, possibly empty.
Completion Complete(const Program& program, const std::vector<std::string>& before, const std::string& current);

}  // namespace protector::cli
