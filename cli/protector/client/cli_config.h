#pragma once
// The command line's own configuration file: where the services of each site are, when they are not on the standard
// ports of the auth_url's host, or when a site whose registry is gone has to be found.
//
// Looked for in this order, the first one that exists counts: --config, $PROTECTOR_CONFIG,
// ~/.config/protector/protector.yaml, /etc/protector/protector.yaml.
//
// Threads: pure over an Env. Failure: a USAGE error naming file, line and key; a file that was named but is not there.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/protector/client/site_address.h"
#include "libs/cloudconfig/cloudconfig.h"

namespace protector::cli {

// Empty when there is no file.
absl::StatusOr<std::vector<SiteAddress>> LoadCliConfig(const cloudconfig::Env& env, const std::string& config_option);

// The commented sample.
std::string SampleCliConfig();

}  // namespace protector::cli
