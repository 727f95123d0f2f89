#pragma once
// The one place where absl::Status and grpc::Status meet. Reason, object, site and remedy of libs/base/error.h travel
// as google.rpc.Status{ErrorInfo, Help} in grpc-status-details-bin, so nothing is lost between our programs, and other
// tools read them as usual.
//
// Threads: pure functions. Failure: details that cannot be parsed are ignored; code and message always survive.

#include <grpcpp/support/status.h>

#include <string>

#include "absl/status/status.h"

namespace protector::rpc {

// `site`: put into ErrorInfo unless the error names another one already.
::grpc::Status ToGrpc(const absl::Status& status, const std::string& site = "");
absl::Status FromGrpc(const ::grpc::Status& status);

}  // namespace protector::rpc
