#include "services/orchestrator/app/access.h"

namespace protector::orchestrator {

rpc::Access MethodCallers() {
  return rpc::ByMethod({
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
}

}  // namespace protector::orchestrator
