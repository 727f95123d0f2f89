#pragma once
// What gRPC itself has to say (a handshake that failed, a port that cannot be bound) in the service's own log, as
// warnings: refused connections are seen there, although no call of ours ever began.
//
// Threads: gRPC calls from any of its threads. Ownership: the logger is kept for the rest of the process. Failure:
// none; beyond 20 lines a second the rest of that second is only counted, so that who knocks often does not fill the
// disk.

#include "libs/log/log.h"

namespace protector::rpc {

void RouteGrpcLog(const log::Logger& logger);

}  // namespace protector::rpc
