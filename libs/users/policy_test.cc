#include "libs/users/policy.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "libs/base/error.h"

namespace protector::users {
namespace {

rpc::User With(const std::vector<std::string>& roles) {
  rpc::User user;
  user.id = "u1";
  user.name = "olga";
  user.project = {"site-a", "p1", "demo"};
  user.roles = roles;
  return user;
}

bool Allows(const std::string& text, const rpc::User& user) {
  const auto policy = Policy::Make({{"it", text, ""}, {"boss", "role:admin", ""}}, {}, "test");
  INFO(policy.status().ToString());
  REQUIRE(policy.ok());
  return policy->Allows("it", user);
}

std::string Fault(const std::map<std::string, std::string>& overrides) {
  const auto policy = Policy::Make(DefaultRules(), overrides, "policy.yaml");
  return policy.ok() ? "" : MessageOf(policy.status());
}

TEST_CASE("rules mean what oslo.policy's mean") {
  const rpc::User member = With({"member", "reader"});
  const rpc::User admin = With({"Admin"});
  CHECK(Allows("", member));
  CHECK(Allows("@", member));
  CHECK_FALSE(Allows("!", admin));
  CHECK(Allows("role:member", member));
  CHECK_FALSE(Allows("role:member", admin));
  CHECK(Allows("rule:boss", admin));  // in any case of the role
  CHECK_FALSE(Allows("rule:boss", member));
  CHECK(Allows("not role:admin", member));
  CHECK(Allows("role:x or role:member and role:reader", member));
  CHECK_FALSE(Allows("(role:x or role:member) and role:y", member));
  CHECK(Allows("role:member and not (role:admin or role:x)", member));
  CHECK(Allows("user_id:u1 and user_name:olga and project_id:p1 and project_name:demo", member));
  CHECK_FALSE(Allows("project_id:p2", member));
}

TEST_CASE("what nobody has decided is not allowed") {
  const auto policy = Policy::Make(DefaultRules(), {}, "test");
  REQUIRE(policy.ok());
  CHECK_FALSE(policy->Allows("nothing:such", With({"admin"})));
}

TEST_CASE("a policy that is wrong is refused, with file and rule") {
  CHECK(Fault({{"site:create", "role:operator"}}).empty());
  CHECK(Fault({{"our_operators", "role:operator"}, {"site:create", "rule:our_operators"}}).empty());
  const std::vector<std::pair<std::map<std::string, std::string>, std::string>> wrong = {
      {{{"site:create", "role:"}}, "\"role:\" is no check"},
      {{{"site:create", "admin"}}, "\"admin\" is no check"},
      {{{"site:create", "(role:admin"}}, "not closed"},
      {{{"site:create", "role:admin role:member"}}, "too much"},
      {{{"site:create", "role:admin or"}}, "ends too early"},
      {{{"site:create", "rule:nowhere"}}, "there is no rule \"nowhere\""},
      {{{"site:create", "rule:site:create"}}, "rests on itself"},
      {{{"member", "rule:reader"}}, "rests on itself"},
      {{{"site:craete", "role:admin"}}, "nothing is decided"},
      {{{"site:create", std::string(1000, '(') + "@"}}, "too deeply"},
  };
  for (const auto& [overrides, what] : wrong) {
    const std::string fault = Fault(overrides);
    CAPTURE(fault, what);
    CHECK(fault.find(what) != std::string::npos);
    CHECK(fault.find("policy.yaml") == 0);
  }
}

TEST_CASE("the default policy: readers look, members work, administrators of sites look after sites") {
  const auto policy = Policy::Make(DefaultRules(), {}, "test");
  REQUIRE(policy.ok());
  const auto may = [&](const std::string& rule) {
    std::string who;
    for (const char* role : {"nobody", "reader", "member", "dr_site_admin", "admin"}) {
      if (policy->Allows(rule, With({role}))) who += std::string(who.empty() ? "" : " ") + role;
    }
    return who;
  };
  CHECK(may("protection_group:list") == "reader member dr_site_admin admin");
  CHECK(may("protection_group:failover") == "member admin");
  CHECK(may("site:create") == "dr_site_admin admin");
  CHECK(may("site:list") == "dr_site_admin admin");
  CHECK(may("metadata:carry") == "dr_site_admin admin");
  CHECK(may("audit:list") == "dr_site_admin admin");
  CHECK(may("all_projects") == "admin");
}

TEST_CASE("the sample shows every rule with its default") {
  std::ifstream file(PROTECTOR_SOURCE_DIR "/deploy/config/policy.sample.yaml");
  const std::string sample{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  CHECK(sample == SamplePolicy());
}

TEST_CASE("a policy file is read again when it changes, and a wrong one changes nothing") {
  const std::string path = "policy_test.yaml";
  const auto write = [&](const std::string& text) { std::ofstream(path, std::ios::trunc) << text; };
  write("\"site:create\": \"role:operator\"\n");
  std::vector<std::string> complaints;
  auto file = PolicyFile::Open(path, [&](const absl::Status& why) { complaints.push_back(MessageOf(why)); });
  REQUIRE(file.ok());
  const rpc::User operating = With({"operator"});
  CHECK((*file)->Current()->Allows("site:create", operating));
  write("\"site:create\": \"role:admin\" # longer than before\n");
  CHECK_FALSE((*file)->Current()->Allows("site:create", operating));
  write("\"site:create\": \"role:operator or and something that is wrong\"\n");
  CHECK_FALSE((*file)->Current()->Allows("site:create", operating));
  CHECK_FALSE((*file)->Current()->Allows("site:create", operating));
  CHECK(complaints.size() == 1);
  std::remove(path.c_str());
  CHECK_FALSE(PolicyFile::Open(path, [](const absl::Status&) {}).ok());
}

}  // namespace
}  // namespace protector::users
