#pragma once
// Who may do what, as rules in the language of oslo.policy: a rule is text over the roles and names that a user's token
// has, and each thing that a user can do ("protection_group:failover") is decided by the rule of that name.
//
//   "site_admin": "role:admin or role:dr_site_admin"
//   "site:create": "rule:site_admin"
//
// Checks: role:NAME, rule:NAME, user_id:ID, user_name:NAME, project_id:ID, project_name:NAME, "@" or "" (always), "!"
// (never); joined by `not`, `and`, `or` and parentheses, in this order of strength. (The language:
// https://docs.openstack.org/oslo.policy/latest/reference/api/oslo_policy.policy.html)
//
// Threads: a Policy is a value; a PolicyFile may be used from any thread. Failure: INVALID_ARGUMENT that names file,
// rule and what is wrong: a rule that is none, names a rule that is not there, or itself.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/grpc/user.h"

namespace protector::users {

struct Rule {
  std::string name;  // "site_admin", "protection_group:failover"
  std::string text;
  std::string doc;  // one sentence
};

// The rules that hold as long as the policy file does not say otherwise, in the order of the sample.
const std::vector<Rule>& DefaultRules();

// deploy/config/policy.sample.yaml: every rule with its default, commented out.
std::string SamplePolicy();

class Policy {
 public:
  // `overrides`: name -> text, of a file. An unknown name that another rule uses is one of the file's own; one that
  // nothing uses is refused, for it is a mistyped one.
  static absl::StatusOr<Policy> Make(const std::vector<Rule>& defaults,
                                     const std::map<std::string, std::string>& overrides, const std::string& file);

  // The default rules with those of a policy file's text (YAML: a map of names to texts).
  static absl::StatusOr<Policy> FromText(const std::string& text, const std::string& file);

  bool Allows(const std::string& name, const rpc::User& user) const;
  // The rule's text as it holds now, for errors; "!" when there is none.
  std::string Text(const std::string& name) const;

 private:
  using Check = std::function<bool(const Policy&, const rpc::User&)>;
  friend class RuleParser;
  std::map<std::string, std::string> texts_;
  std::map<std::string, Check> checks_;
};

// The policy of a file, read again when it changes; without a file, the defaults. While a changed file is wrong, what
// it said before holds, and `complain` is told once.
class PolicyFile {
 public:
  // "": no file. A file that is not there or wrong is an error here.
  static absl::StatusOr<std::unique_ptr<PolicyFile>> Open(const std::string& path,
                                                          std::function<void(const absl::Status&)> complain);
  std::shared_ptr<const Policy> Current();

 private:
  PolicyFile(std::string path, std::function<void(const absl::Status&)> complain)
      : path_(std::move(path)), complain_(std::move(complain)) {}
  absl::StatusOr<Policy> Read() const;

  const std::string path_;
  const std::function<void(const absl::Status&)> complain_;
  std::mutex mutex_;
  std::string stamp_;  // of the file that was read: its time and size
  std::shared_ptr<const Policy> policy_;
};

}  // namespace protector::users
