#pragma once
// The gRPC face of the service: checks each request, runs the domain on the host's workers, hands its status on.
//
// Threads: gRPC's; the domain is called on the host's workers. Ownership: the host and the domain outlive it.
// Failure: the domain's statuses, mapped by libs/grpc.

#include <memory>

#include <grpcpp/grpcpp.h>

#include "libs/grpc/host.h"
#include "services/storage-pure/domain/storage.h"

namespace protector::storage {

std::unique_ptr<::grpc::Service> NewStorageService(rpc::Host& host, Storage& storage);

}  // namespace protector::storage
