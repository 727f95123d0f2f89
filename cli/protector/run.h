#pragma once
// One run of the program: words in, text on two streams, exit code out. Everything around it is handed in, so that
// tests run it in their own process.
//
// Threads: one run at a time. Failure: is told on `err` and by the exit code.

#include <string>
#include <vector>

#include "cli/protector/commands/context.h"

namespace protector::cli {

// `words` without the program's own name.
int Run(const std::vector<std::string>& words, const World& world);

}  // namespace protector::cli
