#include "services/site-registry/transport/access.h"

#include "libs/audit/audit.h"

namespace protector::site_registry {

rpc::Access MethodCallers() {
  auto rows = audit::AuditRows("site-registry");
  rows.push_back(users::IdentityRow("site-registry"));
  rows.insert(rows.end(),
              {
                  {{rpc::Everywhere(rpc::kCommandLine)},
                   {"CreateSite", "UpdateSite", "DeleteSite", "CreateTenantMapping", "DeleteTenantMapping"}},
                  {{rpc::Everywhere(rpc::kCommandLine), rpc::Here("orchestrator")}, {"ListSites", "ResolveProject"}},
                  {{rpc::Everywhere(rpc::kCommandLine), rpc::There("site-registry")},
                   {"GetSite", "ValidateSite", "ListVolumeTypes"}},
                  {{rpc::Everywhere(rpc::kCommandLine), rpc::Here("orchestrator"), rpc::There("site-registry")},
                   {"ListTenantMappings"}},
              });
  return rpc::ByMethod(rows);
}

users::Targets MethodTargets() {
  users::Targets targets = {{"CreateSite", "site:create"},
                            {"GetSite", "site:list"},
                            {"ListSites", "site:addresses"},  // more than addresses: site:list
                            {"UpdateSite", "site:update"},
                            {"DeleteSite", "site:delete"},
                            {"ValidateSite", "site:validate"},
                            {"ListVolumeTypes", "site:volume_types"},
                            {"CreateTenantMapping", "tenant_mapping:create"},
                            {"ListTenantMappings", "tenant_mapping:list"},
                            {"DeleteTenantMapping", "tenant_mapping:delete"},
                            {"ResolveProject", "project:resolve"}};
  targets.merge(audit::AuditTargets());
  return targets;
}

std::set<std::string> RecordedMethods() {
  return {"CreateSite", "UpdateSite", "DeleteSite", "CreateTenantMapping", "DeleteTenantMapping"};
}

}  // namespace protector::site_registry
