#pragma once
// The commands that look at a site's cloud and array: validate and list-volume-types.

#include <vector>

#include "cli/protector/args/spec.h"

namespace protector::cli {

std::vector<Command> SiteProbeCommands();

}  // namespace protector::cli
