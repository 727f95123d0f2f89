#pragma once
// What the shell sees.
//
//   0 done   1 failed   2 wrong usage   3 refused by the state of things   4 unreachable   130 left with Ctrl-C
//
// Threads: pure.

#include "absl/status/status.h"

namespace protector::cli {

inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitRefused = 3;
inline constexpr int kExitUnreachable = 4;
inline constexpr int kExitInterrupted = 130;

int ExitCode(const absl::Status& status);

}  // namespace protector::cli
