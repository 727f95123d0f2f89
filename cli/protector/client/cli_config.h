#pragma once
// The command line's own configuration file: where the services of each site are, when they are not on the standard
// ports of the auth_url's host, or when a site whose registry is gone has to be found; and the certificate that proves
// to them who calls.
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

struct CliConfig {
  std::vector<SiteAddress> sites;
  // Directory of ca.pem, cli.pem and cli.key. $PROTECTOR_TLS_DIR, else tls_dir, else the first of
  // ~/.config/protector/tls and /etc/protector/tls that has a ca.pem, else the first.
  std::string tls_dir;
  bool insecure = false;
};

// Without a file: no sites, and TLS.
absl::StatusOr<CliConfig> LoadCliConfig(const cloudconfig::Env& env, const std::string& config_option);

// The commented sample.
std::string SampleCliConfig();

}  // namespace protector::cli
