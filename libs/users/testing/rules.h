#pragma once
// For tests: whether every method that users may call has a rule of the policy, and every one that changes something
// goes on record.
//
// Threads: a pure function. Failure: none.

#include <set>
#include <string>
#include <vector>

#include "libs/grpc/access.h"
#include "libs/users/users.h"

namespace protector::users::testing {

// What is wrong, a line each; empty: nothing.
inline std::vector<std::string> WrongRules(const rpc::Access& access, const Targets& targets,
                                           const std::set<std::string>& recorded) {
  std::vector<std::string> wrong;
  const auto policy = Policy::Make(DefaultRules(), {}, "the default policy");
  if (!policy.ok()) return {policy.status().ToString()};
  for (const auto& [method, callers] : access) {
    const bool by_users = callers.contains(rpc::Everywhere(rpc::kCommandLine));
    const auto target = targets.find(method);
    if (by_users != (target != targets.end()))
      wrong.push_back(method + ": users may call it and no rule decides, or else");
    if (target != targets.end() && policy->Text(target->second) == "!") wrong.push_back(method + ": its rule is none");
    bool reads = false;
    for (const char* verb : {"Get", "List", "Watch", "Check", "Diff", "Export", "Resolve", "Validate", "Verify"}) {
      reads = reads || method.starts_with(verb);
    }
    if (recorded.contains(method) != (by_users && !reads))
      wrong.push_back(method + ": on record or not, and should be otherwise");
  }
  return wrong;
}

}  // namespace protector::users::testing
