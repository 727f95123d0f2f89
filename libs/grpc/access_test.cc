#include "libs/grpc/access.h"

#include <catch2/catch.hpp>

#include "libs/base/error.h"

namespace protector::rpc {
namespace {

TEST_CASE("identities are one URI, and nothing else passes for one") {
  CHECK(Identity{"site-a", "orchestrator"}.Uri() == "spiffe://protector/site-a/orchestrator");
  CHECK(ParseIdentity("spiffe://protector/site-a/orchestrator") == Identity{"site-a", "orchestrator"});
  for (const char* wrong : {"", "spiffe://protector", "spiffe://protector/", "spiffe://protector/site-a",
                            "spiffe://protector/site-a/", "spiffe://protector//orchestrator",
                            "spiffe://protector/site-a/orchestrator/x", "spiffe://other/site-a/orchestrator",
                            "https://protector/site-a/orchestrator", "SPIFFE://protector/site-a/orchestrator"}) {
    CAPTURE(wrong);
    CHECK_FALSE(ParseIdentity(wrong).has_value());
  }
}

TEST_CASE("whom a client means may leave site or program open") {
  const Identity found{"site-a", "orchestrator"};
  CHECK(Answers(found, {}));
  CHECK(Answers(found, {"site-a", ""}));
  CHECK(Answers(found, {"", "orchestrator"}));
  CHECK(Answers(found, found));
  CHECK_FALSE(Answers(found, {"site-b", "orchestrator"}));
  CHECK_FALSE(Answers(found, {"site-a", "storage-pure"}));
}

TEST_CASE("a method is called by whom its row names, and by nobody when it has none") {
  const Access access = ByMethod({{{Everywhere("cli"), There("metadata-sync")}, {"Apply", "Export"}},
                                  {{Here("orchestrator")}, {"Commit", "Export"}}});
  const auto code = [&](const std::string& method, const std::string& site, const std::string& program) {
    return MayCall(access, method, Identity{site, program}, "site-a").code();
  };
  const auto allowed = absl::StatusCode::kOk, denied = absl::StatusCode::kPermissionDenied;
  for (const char* site : {"site-a", "site-b"}) {
    const bool other = std::string(site) == "site-b";
    CHECK(code("Apply", site, "cli") == allowed);
    CHECK(code("Apply", site, "metadata-sync") == (other ? allowed : denied));
    CHECK(code("Apply", site, "site-registry") == denied);
    CHECK(code("Commit", site, "orchestrator") == (other ? denied : allowed));
  }
  CHECK(code("Export", "site-a", "orchestrator") == allowed);
  CHECK(code("Export", "site-b", "metadata-sync") == allowed);
  CHECK(code("Metadata/Apply", "site-a", "cli") == allowed);
  CHECK(code("Metadata/Commit", "site-a", "cli") == denied);
  CHECK(code("Unheard", "site-a", "cli") == denied);
  const absl::Status unknown = MayCall(access, "Apply", std::nullopt, "site-a");
  CHECK(unknown.code() == absl::StatusCode::kUnauthenticated);
  CHECK(DetailOf(unknown).reason == "CALLER_UNKNOWN");
  CHECK_FALSE(DetailOf(unknown).remedy.empty());
}

}  // namespace
}  // namespace protector::rpc
