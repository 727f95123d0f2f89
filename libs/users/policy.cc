#include "libs/users/policy.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "libs/base/error.h"
#include "libs/cloudconfig/document.h"

namespace protector::users {
namespace {

absl::Status Wrong(const std::string& file, const std::string& rule, const std::string& what) {
  return Error(absl::StatusCode::kInvalidArgument, "POLICY_INVALID",
               fmt::format("{}: rule \"{}\": {}", file, rule, what))
      .Object("policy rule " + rule)
      .Remedy("Correct the rule; deploy/config/policy.sample.yaml shows every rule with its default.");
}

}  // namespace

// Reads one rule's text. Grammar: or := and {"or" and}; and := not {"and" not}; not := "not" not | "(" or ")" | check.
class RuleParser {
 public:
  RuleParser(const std::string& text, std::set<std::string>& named) : named_(named) { Split(text); }

  absl::StatusOr<Policy::Check> Parse() {
    if (tokens_.empty()) return Policy::Check([](const Policy&, const rpc::User&) { return true; });
    PROTECTOR_ASSIGN_OR_RETURN(Policy::Check check, Or());
    if (at_ != tokens_.size()) return absl::InvalidArgumentError(fmt::format("\"{}\" is too much", tokens_[at_]));
    return check;
  }

 private:
  using Check = Policy::Check;

  void Split(const std::string& text) {
    std::string token;
    const auto end = [&] {
      if (!token.empty()) tokens_.push_back(std::exchange(token, ""));
    };
    for (const char c : text) {
      if (c == ' ' || c == '\t' || c == '\n' || c == '(' || c == ')') {
        end();
        if (c == '(' || c == ')') tokens_.emplace_back(1, c);
      } else {
        token += c;
      }
    }
    end();
  }

  bool Word(const char* word) {
    if (at_ >= tokens_.size() || !absl::EqualsIgnoreCase(tokens_[at_], word)) return false;
    ++at_;
    return true;
  }

  absl::StatusOr<Check> Or() {
    PROTECTOR_ASSIGN_OR_RETURN(Check left, And());
    while (Word("or")) {
      PROTECTOR_ASSIGN_OR_RETURN(Check right, And());
      left = [left, right](const Policy& policy, const rpc::User& user) {
        return left(policy, user) || right(policy, user);
      };
    }
    return left;
  }

  absl::StatusOr<Check> And() {
    PROTECTOR_ASSIGN_OR_RETURN(Check left, Not());
    while (Word("and")) {
      PROTECTOR_ASSIGN_OR_RETURN(Check right, Not());
      left = [left, right](const Policy& policy, const rpc::User& user) {
        return left(policy, user) && right(policy, user);
      };
    }
    return left;
  }

  absl::StatusOr<Check> Not() {
    if (depth_ > kDeepest) return absl::InvalidArgumentError("it is nested too deeply");
    ++depth_;
    absl::StatusOr<Check> check = Inner();
    --depth_;
    return check;
  }

  absl::StatusOr<Check> Inner() {
    if (Word("not")) {
      PROTECTOR_ASSIGN_OR_RETURN(Check inner, Not());
      return Check([inner](const Policy& policy, const rpc::User& user) { return !inner(policy, user); });
    }
    if (Word("(")) {
      PROTECTOR_ASSIGN_OR_RETURN(Check inner, Or());
      if (!Word(")")) return absl::InvalidArgumentError("a parenthesis is not closed");
      return inner;
    }
    if (at_ >= tokens_.size()) return absl::InvalidArgumentError("it ends too early");
    return Single(tokens_[at_++]);
  }

  absl::StatusOr<Check> Single(const std::string& token) {
    if (token == "@") return Check([](const Policy&, const rpc::User&) { return true; });
    if (token == "!") return Check([](const Policy&, const rpc::User&) { return false; });
    const size_t colon = token.find(':');
    const std::string kind = token.substr(0, colon);
    const std::string value = colon == std::string::npos ? "" : token.substr(colon + 1);
    if (value.empty()) return absl::InvalidArgumentError(fmt::format("\"{}\" is no check", token));
    if (kind == "rule") {
      named_.insert(value);
      return Check([value](const Policy& policy, const rpc::User& user) { return policy.Allows(value, user); });
    }
    if (kind == "role") return Check([value](const Policy&, const rpc::User& user) { return user.HasRole(value); });
    if (kind == "user_id") return Equal([](const rpc::User& user) { return user.id; }, value);
    if (kind == "user_name") return Equal([](const rpc::User& user) { return user.name; }, value);
    if (kind == "project_id") return Equal([](const rpc::User& user) { return user.project.project_id; }, value);
    if (kind == "project_name") return Equal([](const rpc::User& user) { return user.project.project_name; }, value);
    return absl::InvalidArgumentError(
        fmt::format("\"{}\" is no check; there are role, rule, user_id, user_name, "
                    "project_id, project_name, @ and !",
                    token));
  }

  static Check Equal(std::function<std::string(const rpc::User&)> part, const std::string& value) {
    return [part = std::move(part), value](const Policy&, const rpc::User& user) { return part(user) == value; };
  }

  static constexpr int kDeepest = 100;
  std::set<std::string>& named_;
  std::vector<std::string> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
};

namespace {

// Whether following rule: checks from `from` comes back to it.
bool Circular(const std::map<std::string, std::set<std::string>>& names, const std::string& from) {
  std::set<std::string> seen;
  std::vector<std::string> todo = {from};
  while (!todo.empty()) {
    const std::string name = todo.back();
    todo.pop_back();
    const auto found = names.find(name);
    if (found == names.end()) continue;
    for (const std::string& next : found->second) {
      if (next == from) return true;
      if (seen.insert(next).second) todo.push_back(next);
    }
  }
  return false;
}

}  // namespace

absl::StatusOr<Policy> Policy::Make(const std::vector<Rule>& defaults,
                                    const std::map<std::string, std::string>& overrides, const std::string& file) {
  Policy policy;
  std::set<std::string> known;
  for (const Rule& rule : defaults) {
    policy.texts_[rule.name] = rule.text;
    known.insert(rule.name);
  }
  for (const auto& [name, text] : overrides) policy.texts_[name] = text;
  std::map<std::string, std::set<std::string>> names;
  std::set<std::string> used;
  for (const auto& [name, text] : policy.texts_) {
    auto check = RuleParser(text, names[name]).Parse();
    if (!check.ok()) return Wrong(file, name, MessageOf(check.status()));
    policy.checks_[name] = *std::move(check);
    used.insert(names[name].begin(), names[name].end());
  }
  for (const auto& [name, text] : policy.texts_) {
    for (const std::string& other : names[name]) {
      if (!policy.checks_.contains(other)) return Wrong(file, name, fmt::format("there is no rule \"{}\"", other));
    }
    if (Circular(names, name)) return Wrong(file, name, "it rests on itself");
    if (!known.contains(name) && !used.contains(name)) {
      return Wrong(file, name, "nothing is decided by a rule of this name");
    }
  }
  return policy;
}

absl::StatusOr<Policy> Policy::FromText(const std::string& text, const std::string& file) {
  PROTECTOR_ASSIGN_OR_RETURN(const json::Value document, cloudconfig::ParseDocument(file, text));
  if (!document.IsNull() && !document.IsObject()) return Wrong(file, "", "the file is not a map of rules");
  std::map<std::string, std::string> overrides;
  for (const auto& [name, rule] : document.members()) {
    if (!rule.IsString()) return Wrong(file, name, "a rule is a text");
    overrides[name] = *rule.AsString();
  }
  return Policy::Make(DefaultRules(), overrides, file);
}

bool Policy::Allows(const std::string& name, const rpc::User& user) const {
  const auto found = checks_.find(name);
  return found != checks_.end() && found->second(*this, user);
}

std::string Policy::Text(const std::string& name) const {
  const auto found = texts_.find(name);
  return found == texts_.end() ? "!" : found->second;
}

absl::StatusOr<Policy> PolicyFile::Read() const {
  if (path_.empty()) return Policy::Make(DefaultRules(), {}, "the default policy");
  std::ifstream stream(path_);
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (!stream.is_open() || stream.bad()) {
    return Error(absl::StatusCode::kNotFound, "POLICY_UNREADABLE",
                 fmt::format("the policy file {} is not there or cannot be read", path_))
        .Object("file " + path_)
        .Remedy("Put it there, readable by the service's user, or remove users.policy_file: the defaults hold then.");
  }
  return Policy::FromText(text, path_);
}

namespace {

std::string StampOf(const std::string& path) {
  struct stat now = {};
  if (path.empty() || stat(path.c_str(), &now) != 0) return "";
  return fmt::format("{}.{}.{}.{}", now.st_mtim.tv_sec, now.st_mtim.tv_nsec, now.st_size, now.st_ino);
}

}  // namespace

absl::StatusOr<std::unique_ptr<PolicyFile>> PolicyFile::Open(const std::string& path,
                                                             std::function<void(const absl::Status&)> complain) {
  std::unique_ptr<PolicyFile> file(new PolicyFile(path, std::move(complain)));
  file->stamp_ = StampOf(path);
  PROTECTOR_ASSIGN_OR_RETURN(Policy policy, file->Read());
  file->policy_ = std::make_shared<const Policy>(std::move(policy));
  return file;
}

std::shared_ptr<const Policy> PolicyFile::Current() {
  const std::lock_guard lock(mutex_);
  const std::string stamp = StampOf(path_);
  if (stamp == stamp_) return policy_;
  stamp_ = stamp;
  absl::StatusOr<Policy> read = Read();
  if (read.ok()) {
    policy_ = std::make_shared<const Policy>(*std::move(read));
  } else {
    complain_(read.status());
  }
  return policy_;
}

}  // namespace protector::users
