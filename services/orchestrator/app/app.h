#pragma once
// orchestrator, put together by hand: configuration keys and component graph.
//
// Threads: BuildApp from one. Ownership: the App owns every component; destruction is in reverse order of construction.
// Failure: what cannot be opened or is configured wrongly, with object and remedy.

#include <memory>

#include "libs/grpc/service_main.h"

namespace protector::orchestrator {

config::Schema ConfigKeys();
absl::StatusOr<std::unique_ptr<rpc::App>> BuildApp(const rpc::Environment& environment);

}  // namespace protector::orchestrator
