#include "services/site-registry/app.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "libs/grpc/testing/access_rows.h"
#include "libs/users/testing/rules.h"
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
  CHECK(users::testing::WrongRules(MethodCallers(), MethodTargets(), RecordedMethods()) == std::vector<std::string>{});
}

}  // namespace
}  // namespace protector::site_registry
