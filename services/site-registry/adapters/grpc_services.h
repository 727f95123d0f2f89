#pragma once
// ServicesPort over gRPC. Channels are kept per address, so that a validation costs no connections it has made before.
//
// Threads: as ServicesPort. Ownership: keeps its channels. Failure: as rpc::Call.

#include <memory>

#include "libs/grpc/security.h"
#include "services/site-registry/ports/services_port.h"

namespace protector::site_registry {

std::unique_ptr<ServicesPort> MakeGrpcServices(const rpc::Security& security);

}  // namespace protector::site_registry
