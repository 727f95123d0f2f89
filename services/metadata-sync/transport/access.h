#pragma once
// Which of our programs, and which users, may call which method of metadata-sync. A method that is missing here is
// called by nobody.
//
// Threads: a pure function. Failure: none.

#include <set>
#include <string>

#include "libs/grpc/access.h"
#include "libs/users/users.h"

namespace protector::metadata_sync {

rpc::Access MethodCallers();

// Which rule of the policy decides about a user that calls a method with the command line.
users::Targets MethodTargets();

// Methods whose calls by users go on record.
std::set<std::string> RecordedMethods();

}  // namespace protector::metadata_sync
