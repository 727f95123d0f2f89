#include <fmt/format.h>

#include "libs/users/policy.h"

namespace protector::users {
namespace {

constexpr char kReader[] = "rule:reader";
constexpr char kMember[] = "rule:member";
constexpr char kSiteAdmin[] = "rule:site_admin";

}  // namespace

const std::vector<Rule>& DefaultRules() {
  static const std::vector<Rule> rules = {
      {"site_admin", "role:admin or role:dr_site_admin", "Looks after the sites and what lies between them."},
      {"member", "role:member or role:admin", "Works with the protection groups of a project."},
      {"reader", "role:reader or rule:member or rule:site_admin", "Looks at the protection groups of a project."},
      {"all_projects", "role:admin", "Is not kept to the project of its token."},

      {"site:addresses", kReader, "Learn where the services of the sites are: every command of protector needs it."},
      {"site:list", kSiteAdmin, "protector site list and show: arrays, Cinder hosts, results of validation."},
      {"site:create", kSiteAdmin, "protector site create"},
      {"site:update", kSiteAdmin, "protector site set"},
      {"site:delete", kSiteAdmin, "protector site delete"},
      {"site:validate", kSiteAdmin, "protector site validate"},
      {"site:volume_types", kSiteAdmin, "protector site list-volume-types"},
      {"tenant_mapping:list", kReader, "protector tenant-mapping list; of the own project, of all for a site_admin"},
      {"tenant_mapping:create", kSiteAdmin, "protector tenant-mapping create"},
      {"tenant_mapping:delete", kSiteAdmin, "protector tenant-mapping delete"},
      {"project:resolve", kReader, "Look up a project by name; of the own project, of all for a site_admin"},

      {"protection_group:list", kReader, "protector protection-group list"},
      {"protection_group:get", kReader, "protector protection-group show, members, mappings, policy-show"},
      {"protection_group:check", kReader, "protector protection-group check"},
      {"protection_group:create", kMember, "protector protection-group create"},
      {"protection_group:update", kMember, "protector protection-group set"},
      {"protection_group:delete", kMember, "protector protection-group delete"},
      {"protection_group:add_members", kMember, "protector protection-group add-member"},
      {"protection_group:remove_members", kMember, "protector protection-group remove-member"},
      {"protection_group:set_mappings", kMember, "protector protection-group set-mapping"},
      {"protection_group:set_policy", kMember, "protector protection-group policy-set"},
      {"protection_group:failover", kMember, "protector protection-group failover"},
      {"protection_group:failback", kMember, "protector protection-group failback"},

      {"operation:get", kReader, "protector operation show"},
      {"operation:list", kReader, "protector operation list"},
      {"operation:watch", kReader, "protector operation watch"},
      {"operation:cancel", kMember, "protector operation cancel"},
      {"operation:pause", kMember, "protector operation pause"},
      {"operation:resume", kMember, "protector operation resume"},
      {"operation:retry", kMember, "protector operation retry"},
      {"operation:skip", kMember, "protector operation skip"},

      {"metadata:status", kReader, "protector protection-group sync-status"},
      {"metadata:history", kReader, "protector protection-group history"},
      {"metadata:force_sync", kMember, "protector protection-group sync-force"},
      {"metadata:carry", kSiteAdmin,
       "Carry versions from one site to the other (sync-force while they do not reach each other): what is carried is believed."},

      {"audit:list", kSiteAdmin, "protector audit list"},
      {"audit:verify", kSiteAdmin, "protector audit verify"},
  };
  return rules;
}

std::string SamplePolicy() {
  std::string text =
      "# Who may do what: rules in the language of oslo.policy, over what a user's Keystone token says.\n"
      "# `users.policy_file` of site-registry, metadata-sync and orchestrator names this file; it is read again when it\n"
      "# changes. Each rule is shown with its default; change those that you want otherwise, and keep the sites' files the\n"
      "# same.\n"
      "#\n"
      "# Checks: role:NAME rule:NAME user_id:ID user_name:NAME project_id:ID project_name:NAME @ (always) ! (never),\n"
      "# joined by not, and, or, parentheses. Whoever is not allowed `all_projects` sees and changes only what belongs to\n"
      "# the project of its token.\n";
  for (const Rule& rule : DefaultRules()) {
    text += fmt::format("\n# {}\n#\"{}\": \"{}\"\n", rule.doc, rule.name, rule.text);
  }
  return text;
}

}  // namespace protector::users
