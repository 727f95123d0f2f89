#include "services/orchestrator/app/access.h"

#include "libs/audit/audit.h"

namespace protector::orchestrator {

rpc::Access MethodCallers() {
  auto rows = audit::AuditRows("orchestrator");
  rows.push_back(users::IdentityRow("orchestrator"));
  rows.insert(rows.end(),
              {
                  {{rpc::Everywhere(rpc::kCommandLine)},
                   {"CreateGroup",     "GetGroup",       "ListGroups",      "UpdateGroup",    "DeleteGroup",
                    "AddMembers",      "RemoveMembers",  "SetMappings",     "SetPolicy",      "CheckGroup",
                    "StartFailover",   "StartFailback",  "GetOperation",    "ListOperations", "WatchOperation",
                    "CancelOperation", "PauseOperation", "ResumeOperation", "RetryOperation", "SkipTask"}},
                  {{rpc::There("orchestrator"), rpc::Everywhere("site-registry")}, {"GetStanding"}},
                  {{rpc::There("orchestrator")},
                   {"DescribeResources", "CaptureMembers", "StopServer", "StartServer", "LockServer", "UnlockServer",
                    "DeleteServer", "DeletePort", "UnmanageVolume", "CheckTarget"}},
              });
  return rpc::ByMethod(rows);
}

users::Targets MethodTargets() {
  users::Targets targets = {{"CreateGroup", "protection_group:create"},
                            {"GetGroup", "protection_group:get"},
                            {"ListGroups", "protection_group:list"},
                            {"UpdateGroup", "protection_group:update"},
                            {"DeleteGroup", "protection_group:delete"},
                            {"AddMembers", "protection_group:add_members"},
                            {"RemoveMembers", "protection_group:remove_members"},
                            {"SetMappings", "protection_group:set_mappings"},
                            {"SetPolicy", "protection_group:set_policy"},
                            {"CheckGroup", "protection_group:check"},
                            {"StartFailover", "protection_group:failover"},
                            {"StartFailback", "protection_group:failback"},
                            {"GetOperation", "operation:get"},
                            {"ListOperations", "operation:list"},
                            {"WatchOperation", "operation:watch"},
                            {"CancelOperation", "operation:cancel"},
                            {"PauseOperation", "operation:pause"},
                            {"ResumeOperation", "operation:resume"},
                            {"RetryOperation", "operation:retry"},
                            {"SkipTask", "operation:skip"}};
  targets.merge(audit::AuditTargets());
  return targets;
}

std::set<std::string> RecordedMethods() {
  return {"CreateGroup",    "UpdateGroup",     "DeleteGroup",    "AddMembers",    "RemoveMembers",
          "SetMappings",    "SetPolicy",       "StartFailover",  "StartFailback", "CancelOperation",
          "PauseOperation", "ResumeOperation", "RetryOperation", "SkipTask"};
}

}  // namespace protector::orchestrator
