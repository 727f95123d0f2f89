// Puts the site together, starts it, waits for a signal, ends it in order. Threads: Run is called once, from main.
// Failure: Run returns the process's exit code, 1 with a message on stderr when something cannot start.
#pragma once

#include "simulators/openstack/core/config.h"

namespace protector::ossim {

int Run(const Config& config);

}  // namespace protector::ossim
