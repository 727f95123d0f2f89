#pragma once
// storage-pure's configuration and component graph.
//
// Threads: built once by main. Ownership: the app owns store, array client and domain. Failure: what is wrong with the
// configuration or the store, with the remedy. An array that does not answer at start is no failure: it may come back.

#include "libs/grpc/service_main.h"

namespace protector::storage {

rpc::ServiceDefinition Definition();

}  // namespace protector::storage
