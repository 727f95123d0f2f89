#pragma once
// The main program that all services share: flags, configuration, log, metrics, server, signals, drain. A service's
// main.cc:
//
//   int main(int argc, char** argv) {
//     return protector::rpc::RunService(argc, argv, {
//         .name = "site-registry", .description = "Sites, their endpoints and tenant mappings.",
//         .schema = protector::site_registry::ConfigSchema(), .build = protector::site_registry::BuildApp});
//   }
//
// Flags: --config FILE, --check-config, --print-sample-config, --print-sample-policy, --list-failpoints, --version,
// --help. Exit codes: 0 ended by a signal or said what was asked, 1 failed, 2 wrong usage or configuration.
//
// Common configuration keys (CommonSchema; defaults are the lab's site-a): site, listen, metrics.listen, log.level,
// tls.ca_file, tls.certificate_file, tls.key_file, insecure, store.path, grpc.workers, grpc.max_queued,
// grpc.max_streams, grpc.max_message_bytes, grpc.max_deadline, drain_timeout.
//
// Under systemd (Type=notify) it says when it serves and when it ends, and feeds the unit's watchdog while its server
// answers.
//
// Threads: RunService blocks until SIGTERM or SIGINT. Ownership: the environment outlives the App. Failure: one
// sentence with the remedy on stderr and the exit code.

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/config/config.h"
#include "libs/grpc/host.h"
#include "libs/grpc/security.h"
#include "libs/log/log.h"
#include "libs/metrics/metrics.h"

namespace protector::rpc {

struct Environment {
  const config::Config& config;
  log::Logger logger;
  metrics::Registry& metrics;
  Clock& clock;
  IdGenerator& ids;
  Host& host;
  const Security& security;  // of calls to other services
  std::string site;
};

// A service's component graph.
class App {
 public:
  virtual ~App() = default;
  virtual std::vector<::grpc::Service*> Services() = 0;
  // Background work; called once the server listens. An error ends the program.
  virtual absl::Status Start() { return absl::OkStatus(); }
  // Asks background work to end and waits for it; called after the last call has ended.
  virtual void Stop() {}
};

struct ServiceDefinition {
  std::string name;
  std::string description;
  int default_port = 0;   // of `listen` in the sample; metrics are 100 above
  config::Schema schema;  // the service's own keys, after the common ones
  Access access = {};     // who may call which of its methods
  std::function<absl::StatusOr<std::unique_ptr<App>>(const Environment&)> build;
  // Further checks of a configuration that has the right form; for --check-config as well. May be empty.
  std::function<absl::Status(const config::Config&)> check = {};
  std::string sample_policy = "";  // printed by --print-sample-policy; empty: the service has no users
};

config::Schema CommonSchema(const ServiceDefinition& definition);
// The text of deploy/config/<name>.sample.yaml.
std::string SampleConfig(const ServiceDefinition& definition);

int RunService(int argc, char** argv, const ServiceDefinition& definition);

}  // namespace protector::rpc
