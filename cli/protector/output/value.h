#pragma once
// The formats for scripts: bare values, CSV, shell assignments.
//
// Threads: pure functions. Failure: none.

#include <string>

#include "cli/protector/output/record.h"

namespace protector::cli {

std::string ObjectValues(const Record& record);  // one line each
std::string ListValues(const Listing& listing);  // one line a row, blank-separated
std::string ListCsv(const Listing& listing);     // everything that is not a number is quoted
std::string ObjectShell(const Record& record);   // name="value", safe to eval

}  // namespace protector::cli
