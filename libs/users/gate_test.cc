#include <catch2/catch.hpp>

#include "libs/base/error.h"
#include "libs/http/fake_client.h"
#include "libs/users/users.h"

namespace protector::users {
namespace {

constexpr char kTokens[] = "http://k:5000/v3/auth/tokens";

std::string Body(const std::string& role, const std::string& expires = "2026-01-01T01:00:00.000000Z",
                 bool scoped = true) {
  return R"({"token":{"user":{"id":"u1","name":"olga","domain":{"id":"default","name":"Default"}},)" +
         std::string(scoped ? R"("project":{"id":"p1","name":"demo","domain":{"id":"default","name":"Default"}},)"
                            : "") +
         R"("roles":[{"name":")" + role + R"("}],"issued_at":"2026-01-01T00:00:00.000000Z","expires_at":")" + expires +
         R"("}})";
}

struct Fixture {
  http::FakeHttpClient http;
  ManualClock clock{absl::FromUnixSeconds(1767225600)};  // 2026-01-01T00:00:00Z
  std::unique_ptr<PolicyFile> policy = *PolicyFile::Open("", [](const absl::Status&) {});
  rpc::Security security = rpc::Security::Insecure();
  std::string peer = "";
  Gate gate{{.site = "site-a",
             .program = "orchestrator",
             .auth_url = "http://k:5000",
             .counts_for = absl::Seconds(30),
             .targets = {{"CreateGroup", "protection_group:create"}, {"GetGroup", "protection_group:get"}}},
            http,
            *policy,
            clock,
            security,
            [this](const rpc::Credentials&) -> absl::StatusOr<std::string> {
              if (peer.empty()) return absl::NotFoundError("no such site");
              return peer;
            }};
  int asked = 0;

  void Keystone(int status, const std::string& body) {
    http.Handle("GET", std::string(kTokens) + "?nocatalog", [this, status, body](const http::Request& request) {
      ++asked;
      CHECK(request.headers.size() >= 2);
      return http::JsonResponse(status, body);
    });
  }
  absl::StatusOr<std::shared_ptr<const rpc::User>> Identify(const std::string& token, const std::string& site = "") {
    return gate.Identify({token, site, ""}, absl::Now() + absl::Seconds(2), "r1");
  }
};

std::string ReasonOf(const absl::Status& status) {
  return DetailOf(status).reason;
}

TEST_CASE("a token of this site is its Keystone's to explain, and the answer counts for a while") {
  Fixture f;
  f.Keystone(200, Body("member"));
  CHECK(f.gate.Known({"t1", "", ""}) == nullptr);
  const auto user = f.Identify("t1");
  INFO(user.status().ToString());
  REQUIRE(user.ok());
  CHECK((*user)->name == "olga");
  CHECK((*user)->project == Tenant{"site-a", "p1", "demo"});
  CHECK((*user)->HasRole("MEMBER"));
  CHECK(f.gate.Known({"t1", "site-a", ""}) != nullptr);  // the same, said otherwise
  CHECK(f.gate.Known({"t2", "", ""}) == nullptr);
  CHECK(f.gate.Known({"t1", "site-b", ""}) == nullptr);  // another Keystone's
  f.clock.Advance(absl::Seconds(31));
  CHECK(f.gate.Known({"t1", "", ""}) == nullptr);
}

TEST_CASE("a clock that is set back keeps no answer alive") {
  Fixture f;
  f.Keystone(200, Body("member"));
  REQUIRE(f.Identify("t1").ok());
  f.clock.Jump(-absl::Hours(20));
  f.clock.Advance(absl::Seconds(31));
  CHECK(f.gate.Known({"t1", "", ""}) == nullptr);
}

TEST_CASE("an answer counts no longer than the token") {
  Fixture f;
  f.Keystone(200, Body("member", "2026-01-01T00:00:10.000000Z"));
  REQUIRE(f.Identify("t1").ok());
  f.clock.Advance(absl::Seconds(11));
  CHECK(f.gate.Known({"t1", "", ""}) == nullptr);
}

TEST_CASE("what Keystone does not know is refused; a Keystone that cannot say is another matter") {
  Fixture f;
  for (const int status : {401, 404}) {
    f.Keystone(status, "{}");
    CHECK(f.Identify("t1").status().code() == absl::StatusCode::kUnauthenticated);
    CHECK(ReasonOf(f.Identify("t1").status()) == "TOKEN_REFUSED");
  }
  f.Keystone(503, "{}");
  CHECK(ReasonOf(f.Identify("t1").status()) == "KEYSTONE_UNREACHABLE");
  f.Keystone(403, "{}");
  CHECK(ReasonOf(f.Identify("t1").status()) == "KEYSTONE_POLICY");
  const int before = f.asked;
  for (const std::string token : {"", "a b", "a\r\nX-Evil: 1", "\x01"}) {
    CAPTURE(token);
    CHECK(ReasonOf(f.Identify(token).status()) == "TOKEN_REFUSED");
  }
  CHECK(f.asked == before);  // Keystone is not asked about what cannot be a token
}

TEST_CASE("a token for no project is refused") {
  Fixture f;
  f.Keystone(200, Body("admin", "2026-01-01T01:00:00.000000Z", false));
  CHECK(ReasonOf(f.Identify("t1").status()) == "TOKEN_WITHOUT_PROJECT");
}

TEST_CASE("a token of a site that cannot be asked is not believed") {
  Fixture f;
  const auto user = f.Identify("t1", "site-b");
  CHECK(user.status().code() == absl::StatusCode::kUnavailable);
  CHECK(ReasonOf(user.status()) == "KEYSTONE_UNREACHABLE");
  CHECK(DetailOf(user.status()).remedy.find("site-a") != std::string::npos);
  f.peer = "127.0.0.1:1";
  CHECK(ReasonOf(f.Identify("t1", "site-b").status()) == "KEYSTONE_UNREACHABLE");
  CHECK(f.asked == 0);
}

TEST_CASE("the policy decides by the method's rule") {
  Fixture f;
  rpc::User user;
  user.name = "olga";
  user.project = {"site-a", "p1", "demo"};
  user.roles = {"reader"};
  CHECK(f.gate.Decide("GetGroup", user).ok());
  const absl::Status refused = f.gate.Decide("CreateGroup", user);
  CHECK(refused.code() == absl::StatusCode::kPermissionDenied);
  CHECK(ReasonOf(refused) == "NOT_ALLOWED");
  CHECK(DetailOf(refused).remedy.find("role:member") == std::string::npos);  // as the file says it: rule:member
  CHECK_FALSE(f.gate.InAllProjects(user));
  user.roles = {"admin"};
  CHECK(f.gate.Decide("CreateGroup", user).ok());
  CHECK(f.gate.InAllProjects(user));
  CHECK_FALSE(f.gate.Decide("Unheard", user).ok());
}

}  // namespace
}  // namespace protector::users
