#pragma once
// PeerService over gRPC: this site's SourceCloudPort for the other site's orchestrator.
//
// Threads: gRPC's. Ownership: everything passed in outlives it. Failure: statuses of the port.

#include <memory>

#include <grpcpp/grpcpp.h>

#include "libs/grpc/host.h"
#include "services/orchestrator/ports/source_cloud_port.h"

namespace protector::orchestrator {

std::unique_ptr<::grpc::Service> MakePeerService(rpc::Host& host, SourceCloudPort& cloud);

}  // namespace protector::orchestrator
