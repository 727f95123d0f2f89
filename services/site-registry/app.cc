#include "services/site-registry/app.h"

#include "libs/base/error.h"
#include "libs/servicecloud/service_cloud.h"
#include "libs/store/sqlite_store.h"
#include "services/site-registry/adapters/grpc_services.h"
#include "services/site-registry/adapters/openstack_cloud.h"
#include "services/site-registry/transport/access.h"
#include "services/site-registry/transport/site_service.h"

namespace protector::site_registry {
namespace {

constexpr int kSchemaVersion = 1;

CloudPlace MakePlace(const config::Config& config) {
  return {.auth_url = config.GetString("cloud.auth_url"),
          .region = config.GetString("cloud.region"),
          .interface = config.GetString("cloud.interface")};
}

ValidatorOptions MakeOptions(const config::Config& config) {
  return {.probe_timeout = config.GetDuration("validate.probe_timeout"),
          .max_clock_skew = config.GetDuration("validate.max_clock_skew"),
          .region = config.GetString("cloud.region")};
}

class RegistryApp final : public rpc::App {
 public:
  RegistryApp(const rpc::Environment& environment, std::unique_ptr<store::Store> store,
              std::unique_ptr<ServiceCloud> cloud)
      : store_(std::move(store)),
        service_cloud_(std::move(cloud)),
        cloud_(MakeCloudPort(service_cloud_->cloud(), MakePlace(environment.config))),
        services_(MakeGrpcServices(environment.security)),
        registry_(*store_, environment.clock, environment.site),
        validator_(registry_, *cloud_, *services_, environment.clock, MakeOptions(environment.config),
                   environment.logger),
        transport_({environment.host, registry_, validator_, *cloud_, *services_}) {}

  std::vector<::grpc::Service*> Services() override { return {&transport_}; }

 private:
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<ServiceCloud> service_cloud_;
  std::unique_ptr<CloudPort> cloud_;
  std::unique_ptr<ServicesPort> services_;
  Registry registry_;
  Validator validator_;
  SiteTransport transport_;
};

config::Schema OwnSchema() {
  using config::Type;
  config::Schema schema = CloudConfigKeys();
  schema.Add({.path = "validate.probe_timeout",
              .type = Type::kDuration,
              .doc = "How long one probe of `site validate` may take; probes run at the same time.",
              .default_value = "10s"});
  schema.Add({.path = "validate.max_clock_skew",
              .type = Type::kDuration,
              .doc = "A clock of the cloud or of the other site that is further off than this is a warning, twelve "
                     "times as much a failure.",
              .default_value = "5s"});
  return schema;
}

absl::StatusOr<std::unique_ptr<rpc::App>> Build(const rpc::Environment& environment) {
  store::SqliteOptions options;
  options.path = environment.config.GetString("store.path");
  options.schema_version = kSchemaVersion;
  PROTECTOR_ASSIGN_OR_RETURN(auto store, store::OpenSqlite(options, environment.clock));
  PROTECTOR_ASSIGN_OR_RETURN(auto cloud, MakeServiceCloud(environment.config, environment.logger, environment.metrics,
                                                          environment.clock, environment.ids));
  return std::make_unique<RegistryApp>(environment, std::move(store), std::move(cloud));
}

}  // namespace

rpc::ServiceDefinition Definition() {
  rpc::ServiceDefinition definition;
  definition.name = "site-registry";
  definition.description = "Knows the sites, where their services are, and which tenant of one is which of the other.";
  definition.default_port = 7101;
  definition.schema = OwnSchema();
  definition.access = MethodCallers();
  definition.build = Build;
  return definition;
}

}  // namespace protector::site_registry
