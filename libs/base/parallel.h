#pragma once
// Many small blocking jobs at once, with a limit.
//
// Threads: blocks its caller, which works along; the others are joined before it returns. Failure: jobs report for
// themselves; they must not throw.

#include <cstddef>
#include <functional>

namespace protector {

// Runs job(0) .. job(count - 1), at most `limit` at a time.
void ForEachInParallel(size_t count, int limit, const std::function<void(size_t)>& job);

}  // namespace protector
