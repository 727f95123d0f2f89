#include "services/orchestrator/app/access.h"

#include <catch2/catch.hpp>

#include "libs/grpc/testing/access_rows.h"
#include "libs/users/users.h"
#include "protector/audit/v1/audit.pb.h"
#include "protector/identity/v1/identity.pb.h"
#include "protector/operation/v1/operation.pb.h"
#include "protector/peer/v1/peer.pb.h"

namespace protector::orchestrator {
namespace {

TEST_CASE("who may call is said of every method, and of nothing else") {
  CHECK(rpc::testing::WrongRows(MethodCallers(), {protector::operation::v1::Operation::descriptor()->file(),
                                                  protector::peer::v1::ChangeResponse::descriptor()->file(),
                                                  protector::identity::v1::User::descriptor()->file(),
                                                  protector::audit::v1::Record::descriptor()->file()}) ==
        std::vector<std::string>{});
}

TEST_CASE("nobody but the other site's orchestrator may touch servers and volumes here") {
  for (const char* method : {"StopServer", "DeleteServer", "UnmanageVolume", "LockServer"}) {
    CAPTURE(method);
    CHECK(MethodCallers().at(method) == std::set<rpc::Caller>{rpc::There("orchestrator")});
  }
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
}  // namespace protector::orchestrator
