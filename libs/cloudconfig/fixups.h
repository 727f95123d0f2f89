#pragma once
// The corrections that a cloud's merged settings go through before they are used: options laid over, old spellings,
// domains given once, the settings of the login collected in "auth".
//
// Threads: functions over a tree whose "auth" is an object. Failure: only Expand, see there.

#include <string>

#include "absl/status/statusor.h"
#include "libs/cloudconfig/cloudconfig.h"
#include "libs/json/json.h"

namespace protector::cloudconfig {

// "true" in any case, or true.
bool IsTrue(const json::Value& value);
// Neither absent, null, false nor empty.
bool IsSet(const json::Value* value);
// A scalar as text; booleans as Python prints them.
std::string Text(const json::Value& value);

// "auth-url" -> "auth_url".
std::string Underscores(std::string key);

void ApplyOptions(const Options& options, json::Value& config);
void FixSpelling(json::Value& config);
void FixDomain(json::Value& config);
json::Value WithUnderscores(const json::Value& config);
void CollectAuth(const std::string& auth_type, json::Value& config);

// "http://{region_name}.example:5000" with the settings of the cloud put in; INVALID_ARGUMENT for one that it does not
// have.
absl::StatusOr<std::string> Expand(const std::string& text, const json::Value& config);

}  // namespace protector::cloudconfig
