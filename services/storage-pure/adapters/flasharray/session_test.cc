#include "services/storage-pure/adapters/flasharray/session.h"

#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <mutex>
#include <set>

#include "libs/base/error.h"
#include "libs/http/fake_client.h"
#include "services/storage-pure/ports/array_error.h"

namespace protector::storage::flasharray {
namespace {

constexpr char kUrl[] = "https://array:443";

struct Records final : http::Observer {
  void OnCall(const http::CallRecord& record) override {
    const std::lock_guard lock(mutex);
    seen.push_back(record);
  }
  std::mutex mutex;
  std::vector<http::CallRecord> seen;
};

struct Array {
  Array() {
    http.Always("GET", Url("/api/api_version"), http::JsonResponse(200, R"({"version":["1.0","2.4","2.26","2.38"]})"));
    http.Handle("POST", Url("/api/2.26/login"), [this](const http::Request& request) -> absl::StatusOr<http::Response> {
      bool good = false;
      for (const auto& [key, value] : request.headers) good = good || (key == "api-token" && value == "secret");
      if (!good)
        return http::JsonResponse(400,
                                  R"({"errors":[{"context":null,"message":"Unable to list user for API token."}]})");
      return http::JsonResponse(200, R"({"items":[{"username":"pureuser"}]})",
                                {{"x-auth-token", fmt::format("session-{}", ++logins)}});
    });
  }
  static std::string Url(const std::string& path) { return kUrl + path; }
  Session Make(const std::string& token = "secret") {
    return Make([token] { return token; });
  }
  Session Make(std::function<std::string()> token) {
    SessionOptions options;
    options.url = kUrl;
    options.api_token = std::move(token);
    options.page_size = 2;
    return Session(options, {http, clock, ids, [] { return 0.5; }, &records});
  }
  static std::string TokenOf(const http::Request& request) {
    for (const auto& [key, value] : request.headers) {
      if (key == "x-auth-token") return value;
    }
    return "";
  }
  http::FakeHttpClient http;
  ManualClock clock{absl::FromUnixSeconds(1'700'000'000)};
  RandomIdGenerator ids;
  Records records;
  int logins = 0;
  Scope scope;
};

}  // namespace

TEST_CASE("a session negotiates, logs in once and goes on with the token") {
  Array a;
  a.http.Always("GET", a.Url("/api/2.26/volumes"), http::JsonResponse(200, R"({"items":[{"name":"v"}]})"));
  {
    Session session = a.Make();
    REQUIRE(session.Call(a.scope, {.path = "/volumes"}).ok());
    REQUIRE(session.Call(a.scope, {.path = "/volumes"}).ok());
    CHECK(session.Version(a.scope)->Text() == "2.26");
    CHECK(a.logins == 1);
    CHECK(Array::TokenOf(a.http.requests().back()) == "session-1");
  }
  CHECK(a.http.requests().back().url == a.Url("/api/2.26/logout"));
}

TEST_CASE("a wrong API token is ARRAY_AUTH and is not in the error") {
  Array a;
  Session session = a.Make("wrong-token-value");
  const auto refused = session.Call(a.scope, {.path = "/volumes"});
  CHECK(refused.status().code() == absl::StatusCode::kUnauthenticated);
  CHECK(DetailOf(refused.status()).reason == "ARRAY_AUTH");
  CHECK(MessageOf(refused.status()).find("Unable to list user") != std::string::npos);
  CHECK(MessageOf(refused.status()).find("wrong-token-value") == std::string::npos);
}

TEST_CASE("a token that was rotated is used from the next login on, without a restart") {
  Array a;
  a.http.Always("GET", a.Url("/api/2.26/volumes"), http::JsonResponse(200, R"({"items":[]})"));
  std::string now = "old-token";
  Session session = a.Make([&now] { return now; });
  CHECK(DetailOf(session.Call(a.scope, {.path = "/volumes"}).status()).reason == "ARRAY_AUTH");
  now = "secret";
  CHECK(session.Call(a.scope, {.path = "/volumes"}).ok());
}

TEST_CASE("a gateway that repeats what it was sent does not get a secret into an error") {
  Array array;
  array.http.Always("GET", Array::Url("/api/2.26/volumes"),
                    http::JsonResponse(400, "<html>x-auth-token: session-1, api-token: secret</html>"));
  Session session = array.Make();
  const auto refused = session.List(array.scope, "/volumes", {});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.status().ToString().find("session-1") == std::string::npos);
  CHECK(refused.status().ToString().find("secret") == std::string::npos);
  CHECK(MessageOf(refused.status()).find("x-auth-token: ***") != std::string::npos);
}

TEST_CASE("an expired session is renewed once and the call repeated, even a creation") {
  Array a;
  a.http.Handle("POST", a.Url("/api/2.26/volumes"),
                [&](const http::Request& request) -> absl::StatusOr<http::Response> {
                  if (Array::TokenOf(request) == "session-1") {
                    return http::JsonResponse(401, R"({"errors":[{"context":null,"message":"Invalid session."}]})");
                  }
                  return http::JsonResponse(200, R"({"items":[{"name":"v"}]})");
                });
  Session session = a.Make();
  const ArrayRequest create{.method = "POST", .path = "/volumes", .idempotency = http::Idempotency::kNotIdempotent};
  REQUIRE(session.Call(a.scope, create).ok());
  CHECK(a.logins == 2);
  CHECK(a.http.Count("POST", a.Url("/api/2.26/volumes")) == 2);

  Array b;
  b.http.Always("GET", b.Url("/api/2.26/volumes"), http::JsonResponse(401, "{}"));
  Session rejected = b.Make();
  CHECK(DetailOf(rejected.Call(b.scope, {.path = "/volumes"}).status()).reason == "ARRAY_AUTH");
  CHECK(b.logins == 2);
}

TEST_CASE("a creation that got no answer is not sent again; one that was not sent is") {
  Array a;
  const ArrayRequest create{.method = "POST", .path = "/volumes", .idempotency = http::Idempotency::kNotIdempotent};
  a.http.Expect("POST", a.Url("/api/2.26/volumes"), http::ConnectionCut());
  Session session = a.Make();
  const auto unknown = session.Call(a.scope, create);
  CHECK(IsOutcomeUnknown(unknown.status()));
  CHECK(DetailOf(unknown.status()).reason == "ARRAY_UNREACHABLE");
  CHECK(unknown.status().code() == absl::StatusCode::kUnavailable);
  CHECK(a.http.Count("POST", a.Url("/api/2.26/volumes")) == 1);

  a.http.Expect("POST", a.Url("/api/2.26/volumes"), http::ConnectionRefused());
  a.http.Expect("POST", a.Url("/api/2.26/volumes"), http::JsonResponse(200, "{}"));
  CHECK(session.Call(a.scope, create).ok());
}

TEST_CASE("429 and 503 are waited out for every request, and each attempt has its own id in the log") {
  Array a;
  const std::string url = a.Url("/api/2.26/volumes");
  a.http.Expect("POST", url, http::JsonResponse(429, R"({"message":"too many"})", {{"Retry-After", "3"}}));
  a.http.Expect("POST", url, http::JsonResponse(503, "{}", {{"Retry-After", "1"}}));
  a.http.Expect("POST", url, http::JsonResponse(200, "{}"));
  Session session = a.Make();
  const absl::Time before = a.clock.Now();
  a.scope.request_id = "caller-1";
  REQUIRE(
      session.Call(a.scope, {.method = "POST", .path = "/volumes", .idempotency = http::Idempotency::kNotIdempotent})
          .ok());
  CHECK(a.clock.Now() - before >= absl::Seconds(4));
  std::set<std::string> ids;
  for (const auto& record : a.records.seen) {
    if (record.route != "/volumes") continue;
    ids.insert(record.request_id);
    CHECK(record.caller_request_id == "caller-1");
  }
  CHECK(ids.size() == 3);
}

TEST_CASE("listings follow continuation tokens, offsets where there are none, and end") {
  Array a;
  a.http.Handle("GET", a.Url("/api/2.26/volumes"), [](const http::Request& request) -> absl::StatusOr<http::Response> {
    if (request.url.find("continuation_token=t1") != std::string::npos) {
      return http::JsonResponse(200,
                                R"({"continuation_token":null,"more_items_remaining":false,"items":[{"name":"c"}]})");
    }
    return http::JsonResponse(
        200, R"({"continuation_token":"t1","more_items_remaining":true,"items":[{"name":"a"},{"name":"b"}]})");
  });
  a.http.Handle("GET", a.Url("/api/2.26/pod-replica-links"),
                [](const http::Request& request) -> absl::StatusOr<http::Response> {
                  CHECK(request.url.find("continuation_token") == std::string::npos);
                  if (request.url.find("offset=2") != std::string::npos) {
                    return http::JsonResponse(200, R"({"more_items_remaining":false,"items":[{"id":"3"}]})");
                  }
                  return http::JsonResponse(
                      200, R"({"continuation_token":"x","more_items_remaining":true,"items":[{"id":"1"},{"id":"2"}]})");
                });
  a.http.Always("GET", a.Url("/api/2.26/hosts"),
                http::JsonResponse(200, R"({"more_items_remaining":true,"items":[]})"));
  Session session = a.Make();
  CHECK(session.List(a.scope, "/volumes", Query().Add("destroyed", "false"))->size() == 3);
  CHECK(session.List(a.scope, "/pod-replica-links", {}, kTokensEverywhere)->size() == 3);
  CHECK(session.List(a.scope, "/hosts", {})->empty());
  CHECK(a.http.Unexpected().empty());
}

TEST_CASE("nothing is sent after the caller's deadline") {
  Array a;
  a.scope.deadline = a.clock.Now() - absl::Seconds(1);
  Session session = a.Make();
  const auto late = session.Call(a.scope, {.path = "/volumes"});
  CHECK(DetailOf(late.status()).reason == "ARRAY_UNREACHABLE");
  CHECK(a.http.requests().empty());
}

}  // namespace protector::storage::flasharray
