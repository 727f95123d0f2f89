#include "services/metadata-sync/app.h"

#include <fmt/format.h>

#include "libs/audit/audit.h"
#include "libs/base/error.h"
#include "libs/store/sqlite_store.h"
#include "libs/users/users.h"
#include "services/metadata-sync/adapters/grpc_peer.h"
#include "services/metadata-sync/transport/access.h"
#include "services/metadata-sync/transport/metadata_service.h"

namespace protector::metadata_sync {
namespace {

constexpr int kSchemaVersion = 1;
constexpr absl::Duration kKeepRequests = absl::Hours(24 * 7);

RetryOptions MakeRetryOptions(const config::Config& config) {
  return {.interval = config.GetDuration("sync.interval"),
          .first_backoff = config.GetDuration("sync.first_backoff"),
          .max_backoff = config.GetDuration("sync.max_backoff")};
}

GrpcPeerOptions MakePeerOptions(const config::Config& config) {
  return {.local_site = config.GetString("site"),
          .site = config.GetString("peer.site"),
          .address = config.GetString("peer.address"),
          .timeout = config.GetDuration("peer.timeout")};
}

class MetadataApp final : public rpc::App {
 public:
  MetadataApp(const rpc::Environment& environment, std::unique_ptr<store::Store> store,
              std::unique_ptr<users::Users> users, std::unique_ptr<audit::Audit> audit)
      : clock_(environment.clock),
        store_(std::move(store)),
        repository_(*store_, {environment.site, environment.config.GetString("peer.site")}),
        replica_(repository_, hub_, environment.clock),
        peer_(MakePeerOptions(environment.config), environment.security),
        synchroniser_(repository_, replica_, peer_, environment.clock, environment.logger),
        loop_(synchroniser_, repository_, peer_, environment.clock, MakeRetryOptions(environment.config),
              environment.logger, environment.metrics),
        queries_(repository_),
        users_(std::move(users)),
        audit_(std::move(audit)),
        transport_({environment.host, repository_, replica_, queries_, synchroniser_, loop_, hub_}) {
    synchroniser_.OnWork([this] { loop_.Wake(); });
  }

  std::vector<::grpc::Service*> Services() override { return {&transport_, users_->service(), audit_->service()}; }
  absl::Status Start() override {
    PROTECTOR_RETURN_IF_ERROR(repository_.ForgetRequestsBefore(clock_.Now() - kKeepRequests).status());
    loop_.Start();
    return absl::OkStatus();
  }
  void Stop() override { loop_.Stop(); }

 private:
  Clock& clock_;
  std::unique_ptr<store::Store> store_;
  HeadHub hub_;
  Repository repository_;
  Replica replica_;
  GrpcPeer peer_;
  Synchroniser synchroniser_;
  RetryLoop loop_;
  Queries queries_;
  std::unique_ptr<users::Users> users_;
  std::unique_ptr<audit::Audit> audit_;
  MetadataTransport transport_;
};

config::Schema OwnSchema() {
  using config::Type;
  config::Schema schema = users::KeystoneConfigKeys();
  schema.Append(users::UsersConfigKeys());
  schema.Append(audit::AuditConfigKeys());
  schema.Add({.path = "peer.site", .doc = "Name of the other site.", .required = true, .example = "site-b"});
  schema.Add({.path = "peer.address",
              .doc = "Address and port of the other site's metadata-sync.",
              .required = true,
              .example = "127.0.20.1:7102"});
  schema.Add(
      {.path = "peer.timeout",
       .type = Type::kDuration,
       .doc =
           "How long one call to the other site may take. A change that is not answered in this time is in doubt until "
           "the other site has been asked.",
       .default_value = "5s"});
  schema.Add({.path = "sync.interval",
              .type = Type::kDuration,
              .doc = "How often the two sites compare their versions while all is well.",
              .default_value = "15s"});
  schema.Add(
      {.path = "sync.first_backoff",
       .type = Type::kDuration,
       .doc = "First pause after a try that failed; it doubles up to sync.max_backoff. A returning peer ends the pause "
              "at once by calling.",
       .default_value = "1s"});
  schema.Add({.path = "sync.max_backoff",
              .type = Type::kDuration,
              .doc = "Longest pause between two tries.",
              .default_value = "10s"});
  return schema;
}

absl::Status Check(const config::Config& config) {
  if (config.GetString("peer.site") != config.GetString("site")) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "CONFIG_INVALID",
               fmt::format("{}: key \"peer.site\" names this site", config.Where("peer.site")))
      .Object("configuration key peer.site")
      .Remedy("Name the other site.");
}

absl::StatusOr<std::unique_ptr<rpc::App>> Build(const rpc::Environment& environment) {
  const metrics::Histogram commits = environment.metrics.GetHistogram(
      "protector_store_commit_seconds", "Time of one durable commit of the store, which may hold many changes.");
  store::SqliteOptions options;
  options.path = environment.config.GetString("store.path");
  options.schema_version = kSchemaVersion;
  options.on_commit = [commits](size_t, absl::Duration took) { commits.Observe(absl::ToDoubleSeconds(took)); };
  PROTECTOR_ASSIGN_OR_RETURN(auto store, store::OpenSqlite(options, environment.clock));
  const users::PeerAddress peer =
      [other = MakePeerOptions(environment.config)](const rpc::Credentials& of) -> absl::StatusOr<std::string> {
    if (of.site.empty() || of.site == other.site) return other.address;
    return Error(absl::StatusCode::kNotFound, "SITE_NOT_FOUND",
                 fmt::format("{} is not the other site of {}", of.site, other.local_site));
  };
  PROTECTOR_ASSIGN_OR_RETURN(auto users, users::Users::Make(environment, "metadata-sync", MethodTargets(), peer));
  PROTECTOR_ASSIGN_OR_RETURN(auto audit, audit::Audit::Make(environment, "metadata-sync", RecordedMethods(), peer));
  return std::make_unique<MetadataApp>(environment, std::move(store), std::move(users), std::move(audit));
}

}  // namespace

rpc::ServiceDefinition Definition() {
  rpc::ServiceDefinition definition;
  definition.name = "metadata-sync";
  definition.description = "Keeps one versioned document per protection group, the same on both sites.";
  definition.default_port = 7102;
  definition.schema = OwnSchema();
  definition.access = MethodCallers();
  definition.build = Build;
  definition.sample_policy = users::SamplePolicy();
  definition.check = Check;
  return definition;
}

}  // namespace protector::metadata_sync
