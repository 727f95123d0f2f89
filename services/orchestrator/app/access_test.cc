#include "services/orchestrator/app/access.h"

#include <catch2/catch.hpp>

#include "libs/grpc/testing/access_rows.h"
#include "protector/operation/v1/operation.pb.h"
#include "protector/peer/v1/peer.pb.h"

namespace protector::orchestrator {
namespace {

TEST_CASE("who may call is said of every method, and of nothing else") {
  CHECK(rpc::testing::WrongRows(MethodCallers(), {protector::operation::v1::Operation::descriptor()->file(),
                                                  protector::peer::v1::ChangeResponse::descriptor()->file()}) ==
        std::vector<std::string>{});
}

TEST_CASE("nobody but the other site's orchestrator may touch servers and volumes here") {
  for (const char* method : {"StopServer", "DeleteServer", "UnmanageVolume", "LockServer"}) {
    CAPTURE(method);
    CHECK(MethodCallers().at(method) == std::set<rpc::Caller>{rpc::There("orchestrator")});
  }
}

}  // namespace
}  // namespace protector::orchestrator
