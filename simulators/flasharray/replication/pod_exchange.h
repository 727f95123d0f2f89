// What two arrays tell each other about pods: replica links and stretched pods.
//
// Threads: inside a Tx. Ownership: none. Failure: a malformed message throws.
#pragma once

#include <string>

#include "simulators/flasharray/model/db.h"

namespace protector::fasim {

Json PodMessage(Tx& tx, const std::string& peer_id);
void TakePodMessage(Tx& tx, const Json& message, const std::string& peer_id);

}  // namespace protector::fasim
