#include "libs/grpc/service_main.h"

#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iostream>

#include "absl/synchronization/mutex.h"
#include "libs/base/error.h"
#include "libs/failpoint/failpoint.h"
#include "libs/grpc/grpc_log.h"
#include "libs/grpc/health.h"
#include "libs/grpc/server.h"
#include "libs/grpc/service_manager.h"

#ifndef PROTECTOR_VERSION
#error "PROTECTOR_VERSION comes from CMake"
#endif

// jemalloc reads this before main (jemalloc(3), TUNING). A service has some hundred threads that mostly wait for
// networks and disks: caches of their own would keep what each has freed, and pages that are free go back to the system
// at once.
extern "C" {
const char* malloc_conf = "background_thread:true,narenas:2,tcache:false,dirty_decay_ms:1000,muzzy_decay_ms:0";
}

namespace protector::rpc {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;

void PrintError(const std::string& program, const absl::Status& status) {
  fmt::print(stderr, "{}: {}\n", program, MessageOf(status));
  const ErrorDetail detail = DetailOf(status);
  if (!detail.remedy.empty()) fmt::print(stderr, "Remedy: {}\n", detail.remedy);
}

struct Flags {
  std::string config;
  bool check = false;
  bool sample = false;
  bool policy = false;
  bool failpoints = false;
};

// True when the program goes on; else `exit_code` is what it ends with.
bool ParseFlags(int argc, char** argv, const ServiceDefinition& definition, Flags& flags, int& exit_code) {
  CLI::App cli(definition.description, definition.name);
  cli.set_version_flag("--version", fmt::format("{} {}", definition.name, PROTECTOR_VERSION),
                       "Print the version and exit");
  cli.add_option("--config", flags.config, "Configuration file (YAML)");
  cli.add_flag("--check-config", flags.check, "Check the configuration and exit");
  cli.add_flag("--print-sample-config", flags.sample, "Print a configuration with every key documented and exit");
  if (!definition.sample_policy.empty()) {
    cli.add_flag("--print-sample-policy", flags.policy,
                 "Print a policy file with every rule, its default and what it is about, and exit");
  }
  cli.add_flag("--list-failpoints", flags.failpoints, "Print the failpoints that are compiled in, for tests, and exit");
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    exit_code = cli.exit(e) == 0 ? 0 : kUsage;
    return false;
  }
  exit_code = 0;
  if (flags.sample) {
    std::cout << SampleConfig(definition);
    return false;
  }
  if (flags.policy) {
    std::cout << definition.sample_policy;
    return false;
  }
  if (flags.failpoints) {
    for (const std::string& point : failpoint::List()) std::cout << point << "\n";
    return false;
  }
  if (flags.config.empty()) {
    PrintError(definition.name,
               Error(absl::StatusCode::kInvalidArgument, "CONFIG_MISSING", "no configuration was named")
                   .Remedy("Start it with --config FILE; --print-sample-config prints one."));
    exit_code = kUsage;
    return false;
  }
  return true;
}

absl::StatusOr<config::Config> Load(const ServiceDefinition& definition, const std::string& file) {
  config::Schema schema = CommonSchema(definition);
  schema.Append(definition.schema);
  PROTECTOR_ASSIGN_OR_RETURN(config::Config config, schema.LoadFile(file));
  if (definition.check) PROTECTOR_RETURN_IF_ERROR(definition.check(config));
  return config;
}

log::Logger MakeLogger(const ServiceDefinition& definition, const config::Config& config) {
  log::Options options{definition.name, config.GetString("site"), log::Level::kInfo};
  log::ParseLevel(config.GetString("log.level"), options.level);  // the schema allows nothing else
  return log::Logger::ToStderr(options);
}

HostOptions MakeHostOptions(const ServiceDefinition& definition, const config::Config& config) {
  HostOptions options;
  options.site = config.GetString("site");
  options.access = definition.access;
  options.insecure = config.GetBoolean("insecure");
  options.workers = static_cast<int>(config.GetInteger("grpc.workers"));
  options.max_queued = static_cast<int>(config.GetInteger("grpc.max_queued"));
  options.max_streams = static_cast<int>(config.GetInteger("grpc.max_streams"));
  options.max_deadline = config.GetDuration("grpc.max_deadline");
  return options;
}

// A certificate for another program or site would be refused by everybody; say so here, with the remedy.
absl::StatusOr<Security> MakeSecurity(const ServiceDefinition& definition, const config::Config& config) {
  if (config.GetBoolean("insecure")) return Security::Insecure();
  PROTECTOR_ASSIGN_OR_RETURN(Security security,
                             Security::Tls({.ca_file = config.GetString("tls.ca_file"),
                                            .certificate_file = config.GetString("tls.certificate_file"),
                                            .key_file = config.GetString("tls.key_file")}));
  const Identity ours{config.GetString("site"), definition.name};
  if (security.self() == ours) return security;
  return Error(absl::StatusCode::kFailedPrecondition, "TLS_WRONG_IDENTITY",
               fmt::format("{}: the certificate is for {}, this is {}", config.GetString("tls.certificate_file"),
                           security.self().Name(), ours.Name()))
      .Object("file " + config.GetString("tls.certificate_file"))
      .Remedy("Put the certificate that was made for this program of this site in its place.");
}

// The signals that end a service are blocked in every thread and waited for by the main one.
sigset_t BlockSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return set;
}

// A server that listens on every address is reached on the loopback one.
std::string OwnAddress(const std::string& listen) {
  for (const char* any : {"0.0.0.0:", "[::]:"}) {
    if (listen.starts_with(any)) return "127.0.0.1:" + listen.substr(std::string(any).size());
  }
  return listen;
}

// Until a signal to end, which it returns. systemd's watchdog is fed meanwhile as long as the server answers: one that
// hangs is started again.
int WaitForEnd(const sigset_t& signals, const ServiceManager& manager, const std::function<bool()>& answers) {
  const absl::Duration feeding = manager.watchdog() / 3;
  if (feeding == absl::InfiniteDuration()) {
    int signal_number = 0;
    sigwait(&signals, &signal_number);
    return signal_number;
  }
  const timespec pause = absl::ToTimespec(feeding);
  while (true) {
    const int signal_number = sigtimedwait(&signals, nullptr, &pause);
    if (signal_number > 0) return signal_number;
    if (answers()) manager.Alive();
  }
}

absl::Status Serve(const ServiceDefinition& definition, const config::Config& config, const sigset_t& signals) {
  const log::Logger logger = MakeLogger(definition, config);
  RouteGrpcLog(logger);
  const ServiceManager manager;
  SystemClock clock;
  RandomIdGenerator ids;
  metrics::Registry metrics;
  PROTECTOR_ASSIGN_OR_RETURN(const Security security, MakeSecurity(definition, config));
  if (security.insecure()) {
    logger.Warning(
        "insecure: calls are neither encrypted nor is it known who makes them; for a lab on one machine only");
  }
  Host host(MakeHostOptions(definition, config), logger, metrics, ids);
  PROTECTOR_ASSIGN_OR_RETURN(
      std::unique_ptr<App> app,
      definition.build(Environment{config, logger, metrics, clock, ids, host, security, config.GetString("site")}));
  PROTECTOR_ASSIGN_OR_RETURN(auto endpoint, metrics::Endpoint::Start(metrics, config.GetString("metrics.listen")));

  ServerOptions options;
  options.listen = config.GetString("listen");
  options.security = security;
  options.max_message_bytes = static_cast<int>(config.GetInteger("grpc.max_message_bytes"));
  options.drain_timeout = config.GetDuration("drain_timeout");
  PROTECTOR_ASSIGN_OR_RETURN(std::unique_ptr<Server> server, Server::Start(options, host, app->Services()));
  const absl::Status started = app->Start();
  if (started.ok()) {
    logger.Info("serving", {{"listen", options.listen}, {"version", PROTECTOR_VERSION}});
    manager.Ready("listening on " + options.listen);
    const auto channel =
        MakeChannel(OwnAddress(options.listen), security.ForChannel({config.GetString("site"), definition.name}));
    const int signal_number = WaitForEnd(signals, manager, [&] {
      const absl::Status answer = CheckHealth(channel, CallOptions(absl::Seconds(5), definition.name));
      if (!answer.ok()) {
        logger.Warning("the server does not answer itself; systemd starts it again if that stays so", answer);
      }
      return answer.ok();
    });
    logger.Info("draining", {{"signal", signal_number}});
  }
  manager.Stopping();
  server->Drain();
  app->Stop();
  server.reset();
  if (started.ok()) logger.Info("stopped");
  return started;
}

}  // namespace

config::Schema CommonSchema(const ServiceDefinition& definition) {
  using config::Type;
  config::Schema schema;
  schema.Add({.path = "site",
              .doc = "Name of the site that this service belongs to, as registered.",
              .required = true,
              .example = "site-a"});
  schema.Add({.path = "listen",
              .doc = "Address and port of the gRPC server.",
              .default_value = fmt::format("127.0.10.1:{}", definition.default_port)});
  schema.Add({.path = "metrics.listen",
              .doc = "Address and port from which Prometheus pulls /metrics.",
              .default_value = fmt::format("127.0.10.1:{}", definition.default_port + 100)});
  schema.Add({.path = "tls.ca_file",
              .doc = "PEM file of every CA whose certificates are trusted.",
              .default_value = "/etc/protector/tls/ca.pem"});
  schema.Add({.path = "tls.certificate_file",
              .doc = "PEM file of this service's certificate (URI:spiffe://protector/SITE/PROGRAM), then its chain. "
                     "Read again when it changes, as are the other two.",
              .default_value = fmt::format("/etc/protector/tls/{}.pem", definition.name)});
  schema.Add({.path = "tls.key_file",
              .doc = "PEM file of its private key, readable by this service's user only.",
              .default_value = fmt::format("/etc/protector/tls/{}.key", definition.name)});
  schema.Add({.path = "insecure",
              .type = Type::kBoolean,
              .doc = "Plain text instead of TLS: anybody who reaches the port is obeyed. For a lab on one machine.",
              .default_value = "false"});
  schema.Add({.path = "log.level",
              .doc = "The least important lines that are logged.",
              .default_value = "info",
              .choices = {"debug", "info", "warning", "error"}});
  schema.Add({.path = "store.path",
              .doc = "The SQLite file that holds this service's state; its directory is made when it is missing.",
              .default_value = fmt::format("/var/lib/protector/{0}/{0}.db", definition.name)});
  schema.Add({.path = "grpc.workers",
              .type = Type::kInteger,
              .doc = "Requests that are worked on at the same time.",
              .default_value = "16",
              .minimum = 1,
              .maximum = 512});
  schema.Add({.path = "grpc.max_queued",
              .type = Type::kInteger,
              .doc = "Requests that may wait for a worker; more are refused with RESOURCE_EXHAUSTED. One caller (a "
                     "project, or a program of the other site) gets at most half of them and three quarters of the "
                     "workers.",
              .default_value = "1024",
              .minimum = 1,
              .maximum = 1000000});
  schema.Add({.path = "grpc.max_streams",
              .type = Type::kInteger,
              .doc = "Streams (`operation watch` and the like) that one caller may have open.",
              .default_value = "256",
              .minimum = 1,
              .maximum = 100000});
  schema.Add({.path = "grpc.max_message_bytes",
              .type = Type::kInteger,
              .doc = "Largest message, received or sent.",
              .default_value = "67108864",
              .minimum = 65536,
              .maximum = 1073741824});
  schema.Add({.path = "grpc.max_deadline",
              .type = Type::kDuration,
              .doc = "A call with a longer deadline is cut to this; one without a deadline is refused.",
              .default_value = "5m"});
  schema.Add({.path = "drain_timeout",
              .type = Type::kDuration,
              .doc = "After SIGTERM: how long running requests may take before they are cut.",
              .default_value = "20s"});
  return schema;
}

std::string SampleConfig(const ServiceDefinition& definition) {
  config::Schema schema = CommonSchema(definition);
  schema.Append(definition.schema);
  return schema.Sample(fmt::format("Configuration of {}. {}", definition.name, definition.description));
}

int RunService(int argc, char** argv, const ServiceDefinition& definition) {
  // gRPC's own locks are checked for lock-order inversions in this platform's build of Abseil; a find would end the
  // process.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  Flags flags;
  int exit_code = 0;
  if (!ParseFlags(argc, argv, definition, flags, exit_code)) return exit_code;
  const absl::StatusOr<config::Config> config = Load(definition, flags.config);
  if (!config.ok()) {
    PrintError(definition.name, config.status());
    return kUsage;
  }
  if (flags.check) {
    fmt::print("{} is valid.\n", flags.config);
    return 0;
  }
  failpoint::Activate(definition.name);
  const sigset_t signals = BlockSignals();
  const absl::Status status = Serve(definition, *config, signals);
  if (status.ok()) return 0;
  PrintError(definition.name, status);
  return kFailed;
}

}  // namespace protector::rpc
