// Tags of volumes and snapshots as REST items, and their routes.
//
// Threads: pure. Ownership: none. Failure: none.
#pragma once

#include "simulators/flasharray/model/objects.h"

namespace protector::fasim {

class Dispatcher;
Json TagItem(const Tag& tag, const std::string& id, const std::string& name);
void AddTagRoutes(Dispatcher* dispatcher);

}  // namespace protector::fasim
