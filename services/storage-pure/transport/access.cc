#include "services/storage-pure/transport/access.h"

namespace protector::storage {

rpc::Access MethodCallers() {
  return rpc::ByMethod({
      {{rpc::Everywhere("orchestrator"), rpc::Everywhere("site-registry")}, {"GetArray"}},
      {{rpc::Everywhere("orchestrator")},
       {"ResolveVolumes", "EnsureProtection", "AcceptProtection", "GetProtection", "SuspendProtection",
        "RemoveProtection", "ListRecoveryPoints", "CreateRecoveryPoint", "GetRecoveryPoint", "FenceVolumes",
        "UnfenceVolumes", "RefuseReplication", "MaterializeVolumes", "DescribeVolumes", "RetireVolumes",
        "ListOwnedObjects"}},
  });
}

}  // namespace protector::storage
