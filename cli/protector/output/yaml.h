#pragma once
// JSON values as block-style YAML 1.1 that every reader takes back as the same values: strings that look like
// something else (yes, 1e3, null, 2026-01-31) are quoted.
//
// Threads: pure. Failure: none.

#include <string>

#include "libs/json/json.h"

namespace protector::cli {

std::string ToYaml(const json::Value& value);

}  // namespace protector::cli
