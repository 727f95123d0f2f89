#pragma once
// A record or a listing as text in the format that was asked for. The renderers of single formats are in table.h,
// yaml.h and value.h; this is the door to them: it applies -c and --sort-column first.
//
// Threads: pure functions. Failure: an unknown column or a format that does not fit the shape is a USAGE error that
// names what there is.

#include <string>

#include "absl/status/statusor.h"
#include "cli/protector/output/record.h"
#include "cli/protector/output/style.h"

namespace protector::cli {

absl::StatusOr<std::string> Render(const Record& record, const Style& style);
absl::StatusOr<std::string> Render(const Listing& listing, const Style& style);

// A value as people read it in a table: strings as they are, True/False, "" for null, compound values as JSON on one
// line with a blank after each comma (so that it can be wrapped).
std::string HumanText(const json::Value& value);

// The same for a cell of a list, where there is less room: a list of texts is joined by commas.
std::string CellText(const json::Value& value);

}  // namespace protector::cli
