#pragma once
// Which of our programs may call which method of site-registry. A method that is missing here is called by nobody.
//
// Threads: a pure function. Failure: none.

#include "libs/grpc/access.h"

namespace protector::site_registry {

rpc::Access MethodCallers();

}  // namespace protector::site_registry
