#include "services/site-registry/transport/access.h"

namespace protector::site_registry {

rpc::Access MethodCallers() {
  return rpc::ByMethod({
      {{rpc::Everywhere(rpc::kCommandLine)},
       {"CreateSite", "UpdateSite", "DeleteSite", "CreateTenantMapping", "DeleteTenantMapping"}},
      {{rpc::Everywhere(rpc::kCommandLine), rpc::Here("orchestrator")}, {"ListSites", "ResolveProject"}},
      {{rpc::Everywhere(rpc::kCommandLine), rpc::There("site-registry")},
       {"GetSite", "ValidateSite", "ListVolumeTypes"}},
      {{rpc::Everywhere(rpc::kCommandLine), rpc::Here("orchestrator"), rpc::There("site-registry")},
       {"ListTenantMappings"}},
  });
}

}  // namespace protector::site_registry
