#pragma once
// YAML and JSON documents as one kind of tree, with plain scalars understood as YAML 1.1 (what PyYAML reads) and
// numbers kept as the text that Python prints for them, since that is what they end as in a cloud's configuration.
//
// Threads: functions. Failure: INVALID_ARGUMENT with file and line, never the content.

#include <string>

#include "absl/status/statusor.h"
#include "libs/json/json.h"

namespace protector::cloudconfig {

// The document in `text`, by the ending of `path`; null when it is empty.
absl::StatusOr<json::Value> ParseDocument(const std::string& path, const std::string& text);

// The value of an unquoted YAML scalar: null, true or false, or text.
json::Value PlainScalar(const std::string& text);

}  // namespace protector::cloudconfig
