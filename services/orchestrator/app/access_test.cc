#include "services/orchestrator/app/access.h"

#include <catch2/catch.hpp>

#include "libs/grpc/testing/access_rows.h"
#include "libs/users/testing/rules.h"
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
  CHECK(users::testing::WrongRules(MethodCallers(), MethodTargets(), RecordedMethods()) == std::vector<std::string>{});
}

}  // namespace
}  // namespace protector::orchestrator
