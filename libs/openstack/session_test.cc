#include <catch2/catch.hpp>

#include <atomic>
#include <future>
#include <thread>

#include "libs/base/error.h"
#include "libs/openstack/test_cloud.h"

namespace protector::openstack {
namespace {

using http::JsonResponse;

const std::string kServer = std::string(TestCloud::kNova) + "/servers/s1";
const char kServerBody[] = R"({"server":{"id":"s1","name":"web","status":"ACTIVE"}})";

TEST_CASE("the first call logs in, asks for the versions and sends token, version and request id") {
  TestCloud test;
  test.http.Always("GET", kServer, JsonResponse(200, kServerBody, {{"X-Openstack-Request-Id", "req-service"}}));
  const auto cloud = test.Connected();
  CallContext call;
  call.request_id = "0f3e";
  REQUIRE(cloud->nova().GetServer(call, "s1").ok());
  const http::Request request = test.Last();
  CHECK(HeaderOf(request, "X-Auth-Token") == "token-1");
  CHECK(HeaderOf(request, "OpenStack-API-Version") == "compute 2.90");
  CHECK(HeaderOf(request, "X-OpenStack-Nova-API-Version") == "2.90");
  CHECK(HeaderOf(request, "X-OpenStack-Request-ID") == "req-0f3e");
  CHECK(test.observer.records.back().request_id == "req-service");
  CHECK(test.observer.records.back().caller_request_id == "req-0f3e");
  CHECK(test.observer.records.back().service == "nova");
  CHECK(test.observer.records.back().route == "/servers/{id}");
  REQUIRE(cloud->nova().GetServer({}, "s1").ok());
  CHECK(test.logins == 1);
  CHECK(test.http.Count("GET", "http://c:8774/v2.1/") == 1);
  CHECK(test.http.Unexpected().empty());
}

TEST_CASE("an older service gets the newest version that it knows") {
  TestCloud test("2.79");
  test.http.Always("GET", kServer, JsonResponse(200, kServerBody));
  const auto cloud = test.Connected();
  REQUIRE(cloud->nova().GetServer({}, "s1").ok());
  CHECK(HeaderOf(test.Last(), "OpenStack-API-Version") == "compute 2.79");
  const absl::Status status = cloud->nova().SetDeleteOnTermination({}, "s1", "v1", false);
  CHECK(status.code() == absl::StatusCode::kUnimplemented);
  CHECK(http::NotSent(status));
}

TEST_CASE("the token is renewed before it expires") {
  TestCloud test;
  test.http.Always("GET", kServer, JsonResponse(200, kServerBody));
  const auto cloud = test.Connected();
  REQUIRE(cloud->nova().GetServer({}, "s1").ok());
  test.clock.Advance(absl::Minutes(54));
  REQUIRE(cloud->nova().GetServer({}, "s1").ok());
  CHECK(test.logins == 1);
  test.clock.Advance(absl::Minutes(2));
  REQUIRE(cloud->nova().GetServer({}, "s1").ok());
  CHECK(test.logins == 2);
  CHECK(HeaderOf(test.Last(), "X-Auth-Token") == "token-2");
}

TEST_CASE("a password that was rotated is used from the next login on") {
  TestCloud test;
  test.http.Always("GET", kServer, JsonResponse(200, kServerBody));
  std::string now = "first-pw";
  Dependencies dependencies = test.dependencies();
  dependencies.renew_secrets = [&now](std::map<std::string, std::string>& auth) { auth["password"] = now; };
  const auto cloud = *Connect(test.config, dependencies);
  const auto sent = [&](size_t login) {
    size_t seen = 0;
    for (const http::Request& request : test.http.requests()) {
      if (request.method == "POST" && ++seen == login) return request.body;
    }
    return std::string();
  };
  REQUIRE(cloud->nova().GetServer({}, "s1").ok());
  CHECK(sent(1).find("first-pw") != std::string::npos);
  now = "second-pw";
  test.clock.Advance(absl::Hours(1));
  REQUIRE(cloud->nova().GetServer({}, "s1").ok());
  CHECK(sent(2).find("second-pw") != std::string::npos);
  CHECK(sent(2).find("first-pw") == std::string::npos);
}

TEST_CASE("a token of short life is used for most of it") {
  TestCloud test;
  test.token_lifetime = absl::Seconds(40);
  test.http.Always("GET", kServer, JsonResponse(200, kServerBody));
  const auto cloud = test.Connected();
  REQUIRE(cloud->nova().GetServer({}, "s1").ok());
  test.clock.Advance(absl::Seconds(29));
  REQUIRE(cloud->nova().GetServer({}, "s1").ok());
  CHECK(test.logins == 1);
  test.clock.Advance(absl::Seconds(2));
  REQUIRE(cloud->nova().GetServer({}, "s1").ok());
  CHECK(test.logins == 2);
}

TEST_CASE("a 401 renews the token once, also for a change") {
  TestCloud test;
  const std::string action = kServer + "/action";
  test.http.Expect("POST", action, JsonResponse(401, "{}"));
  test.http.Expect("POST", action, JsonResponse(202, ""));
  const auto cloud = test.Connected();
  CHECK(cloud->nova().UnlockServer({}, "s1").ok());
  CHECK(test.logins == 2);
  CHECK(test.http.Count("POST", action) == 2);

  test.http.Always("POST", action, JsonResponse(401, R"({"error":{"message":"go away","code":401}})"));
  const absl::Status status = cloud->nova().UnlockServer({}, "s1");
  CHECK(status.code() == absl::StatusCode::kUnauthenticated);
  CHECK(test.logins == 3);
  CHECK(test.http.Count("POST", action) == 4);
}

TEST_CASE("refused credentials: no secret in the error, nothing was sent") {
  TestCloud test;
  test.http.Handle("POST", std::string(TestCloud::kKeystone) + "/auth/tokens", [](const http::Request& request) {
    const std::string echo =
        json::Value::Object({{"error", json::Value::Object({{"message", "bad: " + request.body}})}}).Dump();
    return absl::StatusOr<http::Response>(JsonResponse(401, echo));
  });
  const absl::Status status = test.Connected()->nova().StartServer({}, "s1");
  CHECK(status.code() == absl::StatusCode::kUnauthenticated);
  CHECK_THAT(MessageOf(status), Catch::Contains("***") && !Catch::Contains("s3cret-pw"));
  CHECK(http::NotSent(status));
  CHECK(DetailOf(status).reason == "NOT_AUTHENTICATED");
}

TEST_CASE("Keystone that does not answer leaves a change certainly not sent") {
  TestCloud test;
  test.http.Always("POST", std::string(TestCloud::kKeystone) + "/auth/tokens", http::ConnectionCut());
  const absl::Status status = test.Connected()->nova().StartServer({}, "s1");
  CHECK(status.code() == absl::StatusCode::kUnavailable);
  CHECK(http::NotSent(status));
}

TEST_CASE("another project is another token of the same user, made once") {
  TestCloud test;
  test.http.Always("GET", kServer, JsonResponse(200, kServerBody));
  const auto cloud = test.Connected();
  REQUIRE(cloud->nova().GetServer({}, "s1").ok());
  const auto tenant = *cloud->ForProject("tenant-id");
  REQUIRE(tenant->nova().GetServer({}, "s1").ok());
  CHECK(test.logins == 2);
  CHECK(*cloud->ForProject("tenant-id") == tenant);
  CHECK(*tenant->ForProject("tenant-id") == tenant);
  CHECK(test.http.Count("GET", "http://c:8774/v2.1/") == 1);
  std::vector<std::string> scopes;
  for (const http::Request& request : test.http.requests()) {
    if (request.route == "/auth/tokens") scopes.push_back(json::Parse(request.body)->At("auth.scope")->Dump());
  }
  CHECK(scopes == std::vector<std::string>{R"({"project":{"name":"service","domain":{"id":"default"}}})",
                                           R"({"project":{"id":"tenant-id"}})"});
}

TEST_CASE("a cloud of another project outlives the first") {
  TestCloud test;
  test.http.Always("GET", kServer, JsonResponse(200, kServerBody));
  std::shared_ptr<Cloud> tenant = *test.Connected()->ForProject("tenant-id");
  CHECK(tenant->nova().GetServer({}, "s1").ok());
  CHECK((*tenant->ForProject("other-id"))->nova().GetServer({}, "s1").ok());
}

TEST_CASE("an application credential has no other project") {
  TestCloud test;
  test.config.auth_type = "v3applicationcredential";
  test.config.auth = {
      {"auth_url", "http://c:5000/v3"}, {"application_credential_id", "a"}, {"application_credential_secret", "s"}};
  CHECK(test.Connected()->ForProject("x").status().code() == absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("threads that need a token at the same time get it by one login") {
  TestCloud test;
  test.http.Always("GET", kServer, JsonResponse(200, kServerBody));
  std::promise<void> first;
  std::promise<void> others;
  std::shared_future<void> go = others.get_future().share();
  test.http.Handle("POST", std::string(TestCloud::kKeystone) + "/auth/tokens", [&, go](const http::Request&) {
    first.set_value();
    go.wait();
    return test.Login();
  });
  const auto cloud = test.Connected();
  std::vector<std::future<bool>> workers;
  const auto work = [&cloud] { return cloud->nova().GetServer({}, "s1").ok(); };
  workers.push_back(std::async(std::launch::async, work));
  first.get_future().wait();
  for (int i = 0; i < 4; ++i) workers.push_back(std::async(std::launch::async, work));
  others.set_value();
  for (auto& worker : workers) CHECK(worker.get());
  CHECK(test.logins == 1);
}

TEST_CASE("a login that Keystone refuses fails all that wait for it at once") {
  TestCloud test;
  std::promise<void> first;
  std::promise<void> others;
  std::shared_future<void> go = others.get_future().share();
  std::atomic<int> logins{0};
  test.http.Handle("POST", std::string(TestCloud::kKeystone) + "/auth/tokens", [&, go](const http::Request&) {
    if (++logins == 1) first.set_value();
    go.wait();
    return absl::StatusOr<http::Response>(JsonResponse(401, "{}"));
  });
  const auto cloud = test.Connected();
  std::vector<std::future<absl::StatusCode>> workers;
  std::atomic<int> begun{0};
  const auto work = [&] {
    ++begun;
    return cloud->nova().GetServer({}, "s1").status().code();
  };
  workers.push_back(std::async(std::launch::async, work));
  first.get_future().wait();
  for (int i = 0; i < 4; ++i) workers.push_back(std::async(std::launch::async, work));
  while (begun < 5) std::this_thread::yield();
  others.set_value();
  for (auto& worker : workers) CHECK(worker.get() == absl::StatusCode::kUnauthenticated);
  CHECK(logins <= 5);
}

TEST_CASE("a thread that waits for another's login keeps to its own deadline and can be stopped") {
  TestCloud test;
  SystemClock clock;
  std::promise<void> first;
  std::promise<void> end;
  std::shared_future<void> ended = end.get_future().share();
  test.http.Always("GET", kServer, JsonResponse(200, kServerBody));
  test.http.Handle("POST", std::string(TestCloud::kKeystone) + "/auth/tokens", [&, ended](const http::Request&) {
    first.set_value();
    ended.wait();
    return test.Login();
  });
  const auto cloud = *Connect(test.config, {test.http, clock, [] { return 0.0; }, nullptr, nullptr, {}});
  std::future<bool> leader = std::async(std::launch::async, [&] { return cloud->nova().GetServer({}, "s1").ok(); });
  first.get_future().wait();
  CallContext hurried;
  hurried.deadline = clock.Now() + absl::Milliseconds(50);
  const absl::Status late = cloud->nova().GetServer(hurried, "s1").status();
  CHECK(late.code() == absl::StatusCode::kDeadlineExceeded);
  CHECK(http::NotSent(late));
  std::stop_source stop;
  CallContext stoppable;
  stoppable.stop = stop.get_token();
  stop.request_stop();
  CHECK(cloud->nova().GetServer(stoppable, "s1").status().code() == absl::StatusCode::kCancelled);
  end.set_value();
  CHECK(leader.get());
}

TEST_CASE("versions and probes renew a token that is refused, too") {
  TestCloud test;
  test.http.Expect("GET", "http://c:8774/v2.1/", JsonResponse(401, "{}"));
  test.http.Always("GET", kServer, JsonResponse(200, kServerBody));
  const auto cloud = test.Connected();
  CHECK(cloud->nova().GetServer({}, "s1").ok());
  CHECK(test.logins == 2);
  test.http.Expect("GET", "http://c:9696/v2.0/", JsonResponse(401, "{}"));
  test.http.Expect("GET", "http://c:9696/v2.0/", JsonResponse(200, "{}"));
  CHECK(cloud->Probe({}, "network").ok());
  CHECK(test.logins == 3);
}

TEST_CASE("a change of unknown outcome is sent once and says so; a read is repeated") {
  TestCloud test;
  const auto cloud = test.Connected();
  test.http.Always("POST", std::string(TestCloud::kNova) + "/servers", http::ConnectionCut());
  CreateServer server;
  server.name = "web";
  const absl::Status status = cloud->nova().CreateServer({}, server).status();
  CHECK(http::OutcomeUnknown(status));
  CHECK_THAT(MessageOf(status), Catch::StartsWith("nova: server web: "));
  CHECK(test.http.Count("POST", std::string(TestCloud::kNova) + "/servers") == 1);

  test.http.Expect("GET", kServer, http::ConnectionCut());
  test.http.Expect("GET", kServer, JsonResponse(200, kServerBody));
  CHECK(cloud->nova().GetServer({}, "s1").ok());
}

TEST_CASE("a service that is not in the catalog is named with what there is") {
  TestCloud test;
  test.config.interface = "internal";
  const absl::Status status = test.Connected()->nova().GetServer({}, "s1").status();
  CHECK(status.code() == absl::StatusCode::kNotFound);
  CHECK_THAT(DetailOf(status).remedy, Catch::Contains("public in region R"));
}

TEST_CASE("what is no cloud is said so") {
  TestCloud test;
  test.http.Always("GET", kServer, http::Response{200, {}, "<html>login</html>"});
  CHECK_THAT(MessageOf(test.Connected()->nova().GetServer({}, "s1").status()), Catch::Contains("not valid JSON"));
  test.http.Always("POST", std::string(TestCloud::kKeystone) + "/auth/tokens", JsonResponse(200, "{}"));
  CHECK_THAT(DetailOf(test.Connected()->nova().GetServer({}, "s1").status()).remedy, Catch::Contains("auth_url"));
}

TEST_CASE("probing a service gives its versions, and how far its clock is off") {
  TestCloud test;
  test.http.Always("GET", "http://c:8774/v2.1/",
                   JsonResponse(200, R"({"version":{"version":"2.93","min_version":"2.1"}})",
                                {{"Date", "Thu, 01 Jan 2026 00:01:30 GMT"}}));
  const auto probe = test.Connected()->Probe({}, "compute");
  REQUIRE(probe.ok());
  CHECK(probe->endpoint == TestCloud::kNova);
  CHECK(probe->min_version == "2.1");
  CHECK(probe->max_version == "2.93");
  CHECK(probe->clock_skew == absl::Seconds(90));
  test.http.Always("GET", "http://c:9696/v2.0/", http::ConnectionRefused());
  CHECK(test.Connected()->Probe({}, "network").status().code() == absl::StatusCode::kUnavailable);
  CHECK(test.Connected()->Probe({}, "nonsense").status().code() == absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace protector::openstack
