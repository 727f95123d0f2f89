#include "services/metadata-sync/transport/access.h"

#include "libs/audit/audit.h"

namespace protector::metadata_sync {

rpc::Access MethodCallers() {
  auto rows = audit::AuditRows("metadata-sync");
  rows.push_back(users::IdentityRow("metadata-sync"));
  rows.insert(
      rows.end(),
      {
          {{rpc::Everywhere("orchestrator")}, {"Commit", "GetDocument", "ListDocuments", "WatchHeads"}},
          {{rpc::Everywhere(rpc::kCommandLine), rpc::Everywhere("orchestrator")}, {"GetSyncStatus", "ForceSync"}},
          {{rpc::Everywhere(rpc::kCommandLine)}, {"ListHistory", "DiffVersions"}},
          {{rpc::Everywhere(rpc::kCommandLine), rpc::There("metadata-sync")}, {"ApplyVersion", "ExportVersions"}},
          {{rpc::Everywhere(rpc::kCommandLine), rpc::Everywhere("orchestrator"), rpc::There("metadata-sync")},
           {"ListHeads"}},
      });
  return rpc::ByMethod(rows);
}

users::Targets MethodTargets() {
  users::Targets targets = {{"GetSyncStatus", "metadata:status"}, {"ForceSync", "metadata:force_sync"},
                            {"ListHistory", "metadata:history"},  {"DiffVersions", "metadata:history"},
                            {"ApplyVersion", "metadata:carry"},   {"ExportVersions", "metadata:carry"},
                            {"ListHeads", "metadata:carry"}};
  targets.merge(audit::AuditTargets());
  return targets;
}

std::set<std::string> RecordedMethods() {
  return {"ForceSync", "ApplyVersion"};
}

}  // namespace protector::metadata_sync
