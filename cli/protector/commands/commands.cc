#include "cli/protector/commands/commands.h"

namespace protector::cli {

Program BuildProgram(const std::string& version) {
  Program program;
  program.version = version;
  program.globals = GlobalOptions();
  program.groups = {
      {"site", "The sites, where their services are, and whether they are fit for a move."},
      {"tenant-mapping", "Which project of one site is which of the other."},
      {"protection-group", "Groups of VMs that move between the sites as one, and the moves themselves."},
      {"operation", "Moves that run or have run: their steps, and what to do with one that is stuck."},
      {"audit", "Who asked for which change, what was decided, and whether that record is as it was written."},
  };
  for (const auto& part : {SiteCommands(), TenantMappingCommands(), GroupCommands(), GroupMemberCommands(),
                           GroupRuleCommands(), GroupSyncCommands(), GroupHistoryCommands(), GroupMoveCommands(),
                           OperationCommands(), OperationActionCommands(), AuditCommands(), CompletionCommands()}) {
    program.commands.insert(program.commands.end(), part.begin(), part.end());
  }
  return program;
}

Option GroupOption() {
  return {.name = "group",
          .value = "",
          .help = "Name or id of the protection group.",
          .required = true,
          .names = Names::kGroup};
}

Option RequestIdOption() {
  return {
      .name = "--request-id",
      .value = "UUID",
      .help =
          "Names this request: the same command with the same id finds what the first one began instead of beginning again."};
}

}  // namespace protector::cli
