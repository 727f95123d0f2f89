#pragma once
// All commands there are, by the file that has them.

#include <string>
#include <vector>

#include "cli/protector/args/spec.h"

namespace protector::cli {

std::vector<Command> SiteCommands();
std::vector<Command> TenantMappingCommands();
std::vector<Command> GroupCommands();            // create, list, show, set, delete
std::vector<Command> GroupMemberCommands();      // add-member, remove-member, members
std::vector<Command> GroupRuleCommands();        // set-mapping, mappings, policy-set, policy-show
std::vector<Command> GroupSyncCommands();        // sync-status, sync-force
std::vector<Command> GroupHistoryCommands();     // history, diff
std::vector<Command> GroupMoveCommands();        // check, failover, failback
std::vector<Command> OperationCommands();        // list, show, watch
std::vector<Command> OperationActionCommands();  // cancel, pause, resume, retry, skip
std::vector<Command> AuditCommands();            // list, verify
std::vector<Command> CompletionCommands();

Program BuildProgram(const std::string& version);

// Shared by several files.
Option GroupOption();
Option RequestIdOption();

}  // namespace protector::cli
