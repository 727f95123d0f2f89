#include "services/site-registry/app.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "libs/grpc/testing/access_rows.h"
#include "libs/users/users.h"
#include "protector/audit/v1/audit.pb.h"
#include "protector/identity/v1/identity.pb.h"
#include "protector/site/v1/site.pb.h"
#include "services/site-registry/transport/access.h"

namespace protector::site_registry {
namespace {

TEST_CASE("the sample configuration is what the program declares") {
  std::ifstream file(PROTECTOR_SOURCE_DIR "/deploy/config/site-registry.sample.yaml");
  const std::string sample{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  CHECK(sample == rpc::SampleConfig(Definition()));
  config::Schema schema = rpc::CommonSchema(Definition());
  schema.Append(Definition().schema);
  const auto config = schema.LoadText(sample, "sample");
  INFO(config.status().ToString());
  REQUIRE(config.ok());
}

TEST_CASE("who may call is said of every method, and of nothing else") {
  CHECK(rpc::testing::WrongRows(MethodCallers(), {protector::site::v1::Site::descriptor()->file(),
                                                  protector::identity::v1::User::descriptor()->file(),
                                                  protector::audit::v1::Record::descriptor()->file()}) ==
        std::vector<std::string>{});
}

TEST_CASE("every method that users may call has a rule of the policy, and what changes something is on record") {
  const auto policy = users::Policy::Make(users::DefaultRules(), {}, "defaults");
  REQUIRE(policy.ok());
  for (const auto& [method, callers] : MethodCallers()) {
    const bool by_users = callers.contains(rpc::Everywhere(rpc::kCommandLine));
    CAPTURE(method);
    CHECK(MethodTargets().contains(method) == by_users);
    if (by_users) CHECK(policy->Text(MethodTargets().at(method)) != "!");
    const bool reads = method.starts_with("Get") || method.starts_with("List") || method.starts_with("Watch") ||
                       method.starts_with("Check") || method.starts_with("Diff") || method.starts_with("Export") ||
                       method.starts_with("Resolve") || method.starts_with("Validate") || method.starts_with("Verify");
    CHECK(RecordedMethods().contains(method) == (by_users && !reads));
  }
}

}  // namespace
}  // namespace protector::site_registry
