#pragma once
// An operation's progress as text: a frame that is redrawn in place on a terminal, or one line for each change
// elsewhere.
//
// Threads: pure functions. Failure: none.

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "protector/operation/v1/operation.pb.h"

namespace protector::cli {

using Operation = ::protector::operation::v1::Operation;

// A finished operation does not change its state any more (what is pending after it is `clean`'s business).
bool HasEnded(const Operation& operation);

// "0.4 s", "12 s", "4m 37s".
std::string DurationText(absl::Duration duration);

// The display: what moves where, a bar, and a line for each step with its time. No line is wider than `width`.
std::vector<std::string> ProgressFrame(const Operation& operation, absl::Time now, int width);

// What is new in `now` since `before` (null: everything), in sentences without a time.
std::vector<std::string> ProgressChanges(const Operation* before, const Operation& now);

}  // namespace protector::cli
