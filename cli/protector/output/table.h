#pragma once
// Tables as OpenStack's command line draws them.
//
// Threads: pure functions. Failure: none; a table that cannot be as narrow as asked is as narrow as it can.

#include <string>

#include "cli/protector/output/record.h"

namespace protector::cli {

// Field | Value. `max_width` 0: no limit.
std::string ObjectTable(const Record& record, int max_width);
// One row for each; columns that hold only numbers are right-aligned.
std::string ListTable(const Listing& listing, int max_width);

}  // namespace protector::cli
