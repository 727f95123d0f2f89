#include "services/orchestrator/app/app.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/service_type.h>

#include <utility>
#include <vector>

#include "libs/audit/audit.h"
#include "libs/base/error.h"
#include "libs/servicecloud/service_cloud.h"
#include "libs/store/sqlite_store.h"
#include "libs/users/users.h"
#include "services/orchestrator/adapters/grpc/ports_factory.h"
#include "services/orchestrator/adapters/openstack/cloud_members.h"
#include "services/orchestrator/adapters/openstack/source_cloud.h"
#include "services/orchestrator/adapters/openstack/target_cloud.h"
#include "services/orchestrator/app/access.h"
#include "services/orchestrator/app/group_keeper.h"
#include "services/orchestrator/app/operations_part.h"
#include "services/orchestrator/transport/group/group_service.h"
#include "services/orchestrator/transport/peer/peer_service.h"

namespace protector::orchestrator {
namespace {

class RecordedDecisions final : public Decisions {
 public:
  explicit RecordedDecisions(audit::Audit& audit) : audit_(audit) {}
  void Note(const std::string& what, const std::string& about, const std::string& evidence,
            const std::string& request_id) override {
    audit_.Decided(what, about, evidence, request_id);
  }

 private:
  audit::Audit& audit_;
};

// Where the orchestrator of a site is; "": of the other one.
absl::StatusOr<std::string> OrchestratorOf(SitesPort& registry, const std::string& site) {
  const Call call(absl::Seconds(5));
  if (!site.empty()) {
    PROTECTOR_ASSIGN_OR_RETURN(const sites::Site known, registry.GetSite(call, site));
    return known.endpoints().orchestrator();
  }
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<sites::Site> all, registry.ListSites(call));
  for (const sites::Site& one : all) {
    if (one.name() != registry.LocalSite()) return one.endpoints().orchestrator();
  }
  return absl::NotFoundError("the other site is not registered yet");
}

class OrchestratorApp final : public rpc::App {
 public:
  OrchestratorApp(const rpc::Environment& environment, std::unique_ptr<store::Store> store,
                  std::unique_ptr<ServiceCloud> cloud, std::shared_ptr<SitesPort> sites,
                  std::unique_ptr<users::Users> users, std::unique_ptr<audit::Audit> audit)
      : store_(std::move(store)),
        service_cloud_(std::move(cloud)),
        sites_(std::move(sites)),
        users_(std::move(users)),
        audit_(std::move(audit)),
        ports_(*sites_, environment.security, environment.config.GetString("services.metadata_sync"),
               environment.config.GetString("services.storage_pure")),
        local_cloud_(service_cloud_->cloud(), ports_.local_metadata(), environment.clock, environment.site),
        guard_(*store_, environment.site),
        source_cloud_(MakeLocalSourceCloud(local_cloud_, guard_)),
        target_cloud_(MakeTargetCloud(local_cloud_, *sites_)),
        members_(MakeCloudMembers(local_cloud_)),
        groups_({*sites_, ports_, *members_, *store_, environment.clock, environment.ids}),
        readiness_(*sites_, ports_, environment.clock),
        keeper_(groups_, environment.logger, environment.config.GetDuration("capture.interval")),
        operations_(environment, *store_, guard_, ports_, *sites_, *target_cloud_,
                    std::make_shared<RecordedDecisions>(*audit_)),
        group_service_(MakeGroupService(environment.host, groups_, readiness_)),
        peer_service_(MakePeerService(environment.host, *source_cloud_)),
        operation_service_(operations_.MakeService(environment.host)) {
    ports_.SetLocalCloud(*source_cloud_);
  }

  std::vector<::grpc::Service*> Services() override {
    return {group_service_.get(), peer_service_.get(), operation_service_.get(), users_->service(), audit_->service()};
  }
  absl::Status Start() override {
    keeper_.Start();
    return operations_.Start();
  }
  void Stop() override {
    operations_.Stop();
    keeper_.Stop();
  }

 private:
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<ServiceCloud> service_cloud_;
  std::shared_ptr<SitesPort> sites_;
  std::unique_ptr<users::Users> users_;
  std::unique_ptr<audit::Audit> audit_;
  GrpcPorts ports_;
  LocalCloud local_cloud_;
  EpochGuard guard_;
  std::unique_ptr<SourceCloudPort> source_cloud_;
  std::unique_ptr<TargetCloudPort> target_cloud_;
  std::unique_ptr<MemberSource> members_;
  Groups groups_;
  Readiness readiness_;
  GroupKeeper keeper_;
  OperationsPart operations_;
  std::unique_ptr<::grpc::Service> group_service_;
  std::unique_ptr<::grpc::Service> peer_service_;
  std::unique_ptr<::grpc::Service> operation_service_;
};

}  // namespace

config::Schema ConfigKeys() {
  config::Schema schema = CloudConfigKeys();
  schema.Append(users::UsersConfigKeys());
  schema.Append(audit::AuditConfigKeys());
  schema.Add({.path = "services.site_registry",
              .doc = "Address of this site's site-registry.",
              .default_value = "127.0.10.1:7101"});
  schema.Add({.path = "services.metadata_sync",
              .doc = "Address of this site's metadata-sync.",
              .default_value = "127.0.10.1:7102"});
  schema.Add({.path = "services.storage_pure",
              .doc = "Address of this site's storage-pure.",
              .default_value = "127.0.10.1:7104"});
  schema.Add(
      {.path = "capture.interval",
       .type = config::Type::kDuration,
       .doc =
           "How often the members of groups at rest on this site are captured anew. An unplanned failover brings up what was "
           "captured last.",
       .default_value = "5m"});
  AddOperationKeys(schema);
  return schema;
}

absl::StatusOr<std::unique_ptr<rpc::App>> BuildApp(const rpc::Environment& environment) {
  PROTECTOR_ASSIGN_OR_RETURN(
      auto store, store::OpenSqlite({.path = environment.config.GetString("store.path")}, environment.clock));
  PROTECTOR_ASSIGN_OR_RETURN(auto cloud, MakeServiceCloud(environment.config, environment.logger, environment.metrics,
                                                          environment.clock, environment.ids));
  std::shared_ptr<SitesPort> sites =
      MakeSitesClient({environment.site, environment.config.GetString("services.site_registry")}, environment.security);
  const users::PeerAddress peer = [sites](const rpc::Credentials& of) { return OrchestratorOf(*sites, of.site); };
  PROTECTOR_ASSIGN_OR_RETURN(auto users, users::Users::Make(environment, "orchestrator", MethodTargets(), peer));
  PROTECTOR_ASSIGN_OR_RETURN(auto audit, audit::Audit::Make(environment, "orchestrator", RecordedMethods(), peer));
  return std::make_unique<OrchestratorApp>(environment, std::move(store), std::move(cloud), std::move(sites),
                                           std::move(users), std::move(audit));
}

}  // namespace protector::orchestrator
