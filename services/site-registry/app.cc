#include "services/site-registry/app.h"

#include <atomic>

#include "libs/audit/audit.h"
#include "libs/base/error.h"
#include "libs/servicecloud/service_cloud.h"
#include "libs/store/sqlite_store.h"
#include "libs/users/users.h"
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

// Where the registry of a token's site is: as registered here; before that, as the caller says.
struct PeerBook {
  std::atomic<Registry*> registry = nullptr;

  absl::StatusOr<std::string> AddressOf(const rpc::Credentials& credentials) const {
    Registry* const known = registry;
    if (known == nullptr) return absl::UnavailableError("the registry is starting");
    if (credentials.site.empty()) {
      PROTECTOR_ASSIGN_OR_RETURN(const std::vector<pb::Site> sites, known->All());
      for (const pb::Site& site : sites) {
        if (!site.local()) return site.endpoints().site_registry();
      }
      return absl::NotFoundError("the other site is not registered yet");
    }
    const absl::StatusOr<pb::Site> site = known->Get(credentials.site);
    if (site.ok()) return site->endpoints().site_registry();
    if (!credentials.registry.empty()) return credentials.registry;
    return site.status();
  }
};

class RegistryApp final : public rpc::App {
 public:
  RegistryApp(const rpc::Environment& environment, std::unique_ptr<store::Store> store,
              std::unique_ptr<ServiceCloud> cloud, std::unique_ptr<users::Users> users,
              std::unique_ptr<audit::Audit> audit, PeerBook& book)
      : store_(std::move(store)),
        service_cloud_(std::move(cloud)),
        cloud_(MakeCloudPort(service_cloud_->cloud(), MakePlace(environment.config))),
        services_(MakeGrpcServices(environment.security)),
        registry_(*store_, environment.clock, environment.site),
        validator_(registry_, *cloud_, *services_, environment.clock, MakeOptions(environment.config),
                   environment.logger),
        users_(std::move(users)),
        audit_(std::move(audit)),
        transport_({environment.host, registry_, validator_, *cloud_, *services_, users_->gate()}) {
    book.registry = &registry_;
  }

  std::vector<::grpc::Service*> Services() override { return {&transport_, users_->service(), audit_->service()}; }

 private:
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<ServiceCloud> service_cloud_;
  std::unique_ptr<CloudPort> cloud_;
  std::unique_ptr<ServicesPort> services_;
  Registry registry_;
  Validator validator_;
  std::unique_ptr<users::Users> users_;
  std::unique_ptr<audit::Audit> audit_;
  SiteTransport transport_;
};

config::Schema OwnSchema() {
  using config::Type;
  config::Schema schema = CloudConfigKeys();
  schema.Append(users::UsersConfigKeys());
  schema.Append(audit::AuditConfigKeys());
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
  auto book = std::make_shared<PeerBook>();
  const users::PeerAddress peer = [book](const rpc::Credentials& of) { return book->AddressOf(of); };
  PROTECTOR_ASSIGN_OR_RETURN(auto users, users::Users::Make(environment, "site-registry", MethodTargets(), peer));
  PROTECTOR_ASSIGN_OR_RETURN(auto audit, audit::Audit::Make(environment, "site-registry", RecordedMethods(), peer));
  return std::make_unique<RegistryApp>(environment, std::move(store), std::move(cloud), std::move(users),
                                       std::move(audit), *book);
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
  definition.sample_policy = users::SamplePolicy();
  return definition;
}

}  // namespace protector::site_registry
