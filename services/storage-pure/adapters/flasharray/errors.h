#pragma once
// What an answer of the array with a status other than 2xx means. The only place that reads the array's error texts.
//
// Threads: pure functions. Failure: a body that is no JSON is taken as text.

#include <string>

#include "absl/status/status.h"
#include "libs/failpoint/failpoint.h"
#include "libs/http/client.h"
#include "services/storage-pure/ports/array_error.h"

namespace protector::storage::flasharray {

// All messages of the body with their contexts: "vol1: Volume does not exist.".
std::string ErrorText(const std::string& body);

ErrorClass Classify(int status, const std::string& text);

// `what`: the request in words, e.g. "POST /volumes vol1".
absl::Status StatusOf(const http::Response& response, const std::string& what);

// What a failpoint's `error` looks like here: no connection before the change, no answer after it.
absl::Status LostCall(failpoint::When when, const std::string& point);

}  // namespace protector::storage::flasharray
