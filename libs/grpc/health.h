#pragma once
// Asks a server for its health (grpc.health.v1).
//
// Threads: as rpc::Call. Failure: as rpc::Call; a server that answers anything but SERVING: UNAVAILABLE, reason
// NOT_SERVING.

#include <memory>

#include "libs/grpc/client.h"

namespace protector::rpc {

absl::Status CheckHealth(const std::shared_ptr<::grpc::Channel>& channel, const CallOptions& options);

}  // namespace protector::rpc
