#include "services/metadata-sync/transport/access.h"

namespace protector::metadata_sync {

rpc::Access MethodCallers() {
  return rpc::ByMethod({
      {{rpc::Everywhere("orchestrator")}, {"Commit", "GetDocument", "ListDocuments", "WatchHeads"}},
      {{rpc::Everywhere(rpc::kCommandLine), rpc::Everywhere("orchestrator")}, {"GetSyncStatus", "ForceSync"}},
      {{rpc::Everywhere(rpc::kCommandLine)}, {"ListHistory", "DiffVersions"}},
      {{rpc::Everywhere(rpc::kCommandLine), rpc::There("metadata-sync")}, {"ApplyVersion", "ExportVersions"}},
      {{rpc::Everywhere(rpc::kCommandLine), rpc::Everywhere("orchestrator"), rpc::There("metadata-sync")},
       {"ListHeads"}},
  });
}

}  // namespace protector::metadata_sync
