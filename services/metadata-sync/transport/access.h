#pragma once
// Which of our programs may call which method of metadata-sync. A method that is missing here is called by nobody.
//
// Threads: a pure function. Failure: none.

#include "libs/grpc/access.h"

namespace protector::metadata_sync {

rpc::Access MethodCallers();

}  // namespace protector::metadata_sync
