#include "libs/openstack/own_token.h"

#include <catch2/catch.hpp>

#include "libs/base/error.h"
#include "libs/http/fake_client.h"

namespace protector::openstack {
namespace {

TEST_CASE("a token is asked about with itself") {
  http::FakeHttpClient http;
  http::Headers sent;
  http.Handle("GET", "http://k/identity/v3/auth/tokens?nocatalog", [&](const http::Request& request) {
    sent = request.headers;
    return http::JsonResponse(200, R"({"token":{"user":{"id":"u","name":"n","domain":{"id":"d","name":"D"}},
      "expires_at":"2026-01-01T00:00:00.000000Z","issued_at":"2026-01-01T00:00:00.000000Z"}})");
  });
  const auto info = AskAboutToken(http, "http://k/identity", "tok", absl::InfiniteFuture(), "r");
  INFO(info.status().ToString());
  REQUIRE(info.ok());
  CHECK(info->user_id == "u");
  CHECK(sent[0] == std::pair<std::string, std::string>("X-Auth-Token", "tok"));
  CHECK(sent[1] == std::pair<std::string, std::string>("X-Subject-Token", "tok"));
}

TEST_CASE("an answer that is none is no user") {
  http::FakeHttpClient http;
  http.Always("GET", "http://k/v3/auth/tokens?nocatalog", http::JsonResponse(200, "<html>"));
  const absl::Status refused = AskAboutToken(http, "http://k", "tok", absl::InfiniteFuture(), "").status();
  CHECK(DetailOf(refused).reason == "KEYSTONE_UNREACHABLE");
  CHECK_FALSE(DetailOf(refused).remedy.empty());
}

}  // namespace
}  // namespace protector::openstack
