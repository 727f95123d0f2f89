#include "services/orchestrator/app/operations_part.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/service_type.h>

#include "services/orchestrator/app/engine_metrics.h"
#include "services/orchestrator/transport/operation/operation_service.h"

namespace protector::orchestrator {
namespace {

constexpr size_t kLookThreads = 16;  // beyond the limits: for looks, of which each operation has a few under way

EngineOptions OptionsOf(const config::Config& config) {
  EngineOptions options;
  const auto limit = [&config](const std::string& key) { return static_cast<int>(config.GetInteger("limits." + key)); };
  options.limits = {.nova = limit("nova"),
                    .cinder = limit("cinder"),
                    .neutron = limit("neutron"),
                    .array = limit("array"),
                    .peer = limit("peer"),
                    .metadata = limit("metadata")};
  options.most_of_one_project = limit("operations_per_project");
  options.backoff_min = config.GetDuration("retry.first");
  options.backoff_max = config.GetDuration("retry.longest");
  return options;
}

OperationTimeouts TimeoutsOf(const config::Config& config) {
  OperationTimeouts timeouts;
  timeouts.call = config.GetDuration("timeouts.call");
  timeouts.lost_site = config.GetDuration("timeouts.lost_site");
  timeouts.transfer = config.GetDuration("timeouts.transfer");
  timeouts.boot = config.GetDuration("timeouts.boot");
  timeouts.import = config.GetDuration("timeouts.import");
  return timeouts;
}

EngineOptions WatchedOptionsOf(const rpc::Environment& environment, const std::shared_ptr<Decisions>& decisions) {
  EngineOptions options = OptionsOf(environment.config);
  options.meter = std::make_shared<EngineMetrics>(environment.metrics);
  options.decisions = decisions;
  return options;
}

size_t ThreadsOf(const config::Config& config) {
  return Limits(OptionsOf(config).limits).Total() + kLookThreads;
}

}  // namespace

void AddOperationKeys(config::Schema& schema) {
  const auto limit = [&schema](const std::string& name, const std::string& doc, const std::string& value) {
    schema.Add({.path = "limits." + name,
                .type = config::Type::kInteger,
                .doc = doc,
                .default_value = value,
                .minimum = 1,
                .maximum = 512});
  };
  limit("nova", "Calls to this site's Nova under way at a time (server creations). Halved while Nova throttles.", "32");
  limit("cinder", "Calls to this site's Cinder under way at a time (imports).", "20");
  limit("neutron", "Calls to this site's Neutron under way at a time (ports).", "16");
  limit("array", "Calls to either site's storage-pure under way at a time.", "16");
  limit("peer", "Calls to the other site's orchestrator under way at a time (stop, lock, delete, unmanage).", "16");
  limit("metadata", "Calls to either site's metadata-sync under way at a time.", "4");
  schema.Add({.path = "limits.operations_per_project",
              .type = config::Type::kInteger,
              .doc = "Operations of one project that may be under way at a time; more are refused.",
              .default_value = "100",
              .minimum = 1,
              .maximum = 100000});
  const auto duration = [&schema](const std::string& path, const std::string& doc, const std::string& value) {
    schema.Add({.path = path, .type = config::Type::kDuration, .doc = doc, .default_value = value});
  };
  duration("timeouts.call", "How long one call to a cloud, an array or the other site may take.", "30s");
  duration("timeouts.lost_site", "How long a site that is probably lost is waited for, per call.", "5s");
  duration("timeouts.transfer", "How long the transfer of a recovery point may take.", "8h");
  duration("timeouts.boot", "How long a server may be in BUILD.", "15m");
  duration("timeouts.import", "How long Cinder may take to take over one volume.", "15m");
  duration("retry.first",
           "Wait before the second attempt of a task whose first met a transient failure; doubled each time.", "1s");
  duration("retry.longest", "Longest wait between two attempts.", "30s");
}

OperationsPart::OperationsPart(const rpc::Environment& environment, store::Store& store, EpochGuard& guard,
                               PortsFactory& ports, SitesPort& sites, TargetCloudPort& target,
                               std::shared_ptr<Decisions> decisions)
    : context_{ports, sites, target, environment.clock, TimeoutsOf(environment.config)},
      director_(context_),
      executor_(std::make_unique<ThreadExecutor>(ThreadsOf(environment.config))),
      engine_(WatchedOptionsOf(environment, decisions), store, environment.clock, *executor_, director_,
              environment.logger),
      starter_(context_, engine_, environment.ids),
      quarantine_(context_, store, guard, engine_, environment.logger, decisions) {}

std::unique_ptr<::grpc::Service> OperationsPart::MakeService(rpc::Host& host) {
  return MakeOperationService(host, starter_, engine_);
}

absl::Status OperationsPart::Start() {
  const absl::Status loaded = engine_.Load();
  if (!loaded.ok()) return loaded;
  turning_ = std::thread([this] {
    quarantine_.Check();
    watching_ = std::thread([this] { quarantine_.Loop(); });
    engine_.Loop();
  });
  return absl::OkStatus();
}

void OperationsPart::Stop() {
  engine_.Stop();
  if (turning_.joinable()) turning_.join();
  quarantine_.Stop();
  if (watching_.joinable()) watching_.join();
  executor_->Drain();
}

}  // namespace protector::orchestrator
