#pragma once
// OperationService over gRPC. Starting is domain/operations; everything else asks the engine. A watch is fed by the
// engine's events; nothing polls.
//
// Threads: gRPC's. Ownership: everything passed in outlives it. Failure: statuses of the domain.

#include <grpcpp/grpcpp.h>

#include <memory>

#include "libs/grpc/host.h"
#include "services/orchestrator/domain/engine/engine.h"
#include "services/orchestrator/domain/operations/starter.h"

namespace protector::orchestrator {

std::unique_ptr<::grpc::Service> MakeOperationService(rpc::Host& host, Starter& starter, Engine& engine);

}  // namespace protector::orchestrator
