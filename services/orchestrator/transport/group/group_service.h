#pragma once
// GroupService over gRPC: one line per method; the work is domain/groups and domain/check.
//
// Threads: gRPC's. Ownership: everything passed in outlives it. Failure: statuses of the domain.

#include <memory>

#include <grpcpp/grpcpp.h>

#include "libs/grpc/host.h"
#include "services/orchestrator/domain/check/readiness.h"
#include "services/orchestrator/domain/groups/groups.h"

namespace protector::orchestrator {

std::unique_ptr<::grpc::Service> MakeGroupService(rpc::Host& host, Groups& groups, Readiness& readiness);

}  // namespace protector::orchestrator
