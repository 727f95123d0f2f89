#pragma once
// site-registry's component graph and configuration.
//
// Threads: built and stopped by the main thread. Ownership: the App owns everything below it. Failure: Build says what
// is wrong with the store or the configuration.

#include "libs/grpc/service_main.h"

namespace protector::site_registry {

rpc::ServiceDefinition Definition();

}  // namespace protector::site_registry
