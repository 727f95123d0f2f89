#pragma once
// Which of our programs may call which method of storage-pure. A method that is missing here is called by nobody.
//
// Threads: a pure function. Failure: none.

#include "libs/grpc/access.h"

namespace protector::storage {

rpc::Access MethodCallers();

}  // namespace protector::storage
