#include "libs/http/curl_client.h"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>

#include "libs/base/error.h"
#include "libs/http/test_server.h"

namespace protector::http {
namespace {

struct Bench {
  SystemClock clock;
  CurlOptions options;
  std::unique_ptr<HttpClient> client;

  absl::StatusOr<Response> Do(const std::string& method, const std::string& url, const std::string& body = "",
                              Headers headers = {}) {
    if (client == nullptr) client = NewCurlHttpClient(options, clock);
    Request request;
    request.method = method;
    request.url = url;
    request.body = body;
    request.headers = std::move(headers);
    return client->Do(request);
  }
};

std::string DeadEnd() {  // an address where nobody listens
  TestServer server([](const std::string&, int) { return std::nullopt; });
  return server.url();
}

TEST_CASE("method, headers and body arrive, status, headers and body come back") {
  std::string got;
  TestServer server([&got](const std::string& request, int) {
    got = request;
    return Answer(409, "taken", "X-Openstack-Request-Id:  req-7 \r\n");
  });
  Bench bench;
  const auto response =
      bench.Do("PATCH", server.url() + "/a?b=c", "{}", {{"X-Auth-Token", "t"}, {"Content-Type", "application/json"}});
  REQUIRE(response.ok());
  CHECK(response->status == 409);
  CHECK(response->body == "taken");
  CHECK(response->Header("x-openstack-request-id") == "req-7");
  CHECK_THAT(got, Catch::StartsWith("PATCH /a?b=c HTTP/1.1\r\n") && Catch::Contains("X-Auth-Token: t\r\n") &&
                      Catch::Contains("Content-Type: application/json\r\n") && Catch::EndsWith("\r\n\r\n{}") &&
                      !Catch::Contains("Expect"));
}

TEST_CASE("a change without a body says so and names no content type") {
  std::string got;
  TestServer server([&got](const std::string& request, int) {
    got = request;
    return Answer(200, "");
  });
  Bench bench;
  REQUIRE(bench.Do("POST", server.url() + "/x").ok());
  CHECK_THAT(got, Catch::Contains("Content-Length: 0") && !Catch::Contains("Content-Type"));
  REQUIRE(bench.Do("DELETE", server.url() + "/x").ok());
  CHECK_THAT(got, Catch::StartsWith("DELETE /x "));
}

TEST_CASE("connections are kept and used again") {
  TestServer server([](const std::string&, int) { return Answer(200, "ok"); });
  Bench bench;
  for (int i = 0; i < 5; ++i) REQUIRE(bench.Do(i % 2 == 0 ? "GET" : "PUT", server.url(), i % 2 == 0 ? "" : "x").ok());
  CHECK(server.requests() == 5);
  CHECK(server.connections() == 1);
}

TEST_CASE("no connection: certainly not received") {
  Bench bench;
  const absl::Status status = bench.Do("POST", DeadEnd() + "/x", "{}").status();
  CHECK(status.code() == absl::StatusCode::kUnavailable);
  CHECK(NotSent(status));
  CHECK(DetailOf(status).reason == "CONNECTION_FAILED");
  CHECK_FALSE(DetailOf(status).remedy.empty());
}

TEST_CASE("no answer: outcome unknown") {
  TestServer server([](const std::string&, int) { return std::nullopt; });
  Bench bench;
  const absl::Status status = bench.Do("POST", server.url() + "/x", "{}").status();
  CHECK(status.code() == absl::StatusCode::kUnavailable);
  CHECK(OutcomeUnknown(status));
  CHECK(server.requests() == 1);
}

TEST_CASE("half an answer: outcome unknown") {
  TestServer server([](const std::string&, int n) -> std::optional<std::string> {
    return n == 1 ? std::optional<std::string>("HTTP/1.1 202 X\r\nContent-Length: 2\r\n\r\nOK") : std::nullopt;
  });
  Bench bench;
  REQUIRE(bench.Do("GET", server.url()).ok());
  CHECK(OutcomeUnknown(bench.Do("POST", server.url() + "/x", "{}").status()));
}

// The heart of "effects exactly once" on this level: libcurl by itself sends the second request again on a new
// connection.
TEST_CASE("a change over a kept connection that is cut is received once only") {
  for (const std::string method : {"POST", "PUT", "PATCH", "DELETE"}) {
    for (const std::string body : {"", "{\"a\":1}"}) {
      TestServer server([](const std::string& request, int) -> std::optional<std::string> {
        if (request.rfind("GET", 0) == 0) return Answer(200, "");
        return std::nullopt;
      });
      Bench bench;
      REQUIRE(bench.Do("GET", server.url()).ok());
      INFO(method << " with body " << body);
      CHECK(OutcomeUnknown(bench.Do(method, server.url() + "/x", body).status()));
      CHECK(server.requests() == 2);
    }
  }
}

TEST_CASE("a call ends at its deadline, with its outcome unknown") {
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  TestServer server([released](const std::string&, int) {
    released.wait();
    return Answer(200, "");
  });
  Bench bench;
  bench.client = NewCurlHttpClient({}, bench.clock);
  Request request;
  request.method = "POST";
  request.url = server.url();
  request.body = "{}";
  request.deadline = bench.clock.Now() + absl::Milliseconds(150);
  const absl::Status status = bench.client->Do(request).status();
  CHECK(status.code() == absl::StatusCode::kDeadlineExceeded);
  CHECK(OutcomeUnknown(status));
  request.deadline = bench.clock.Now() - absl::Seconds(1);
  CHECK(NotSent(bench.client->Do(request).status()));
  release.set_value();
}

TEST_CASE("a call can be given up") {
  std::stop_source stop;
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  TestServer server([&stop, released](const std::string&, int) {
    stop.request_stop();
    released.wait();
    return Answer(200, "");
  });
  Bench bench;
  bench.client = NewCurlHttpClient({}, bench.clock);
  Request request;
  request.url = server.url();
  request.stop = stop.get_token();
  const absl::Status status = bench.client->Do(request).status();
  CHECK(status.code() == absl::StatusCode::kCancelled);
  CHECK(OutcomeUnknown(status));
  CHECK(NotSent(bench.client->Do(request).status()));
  release.set_value();
}

TEST_CASE("neither redirects nor proxies are followed") {
  setenv("http_proxy", DeadEnd().c_str(), 1);
  TestServer server([](const std::string&, int) { return Answer(302, "", "Location: http://127.0.0.1:1/\r\n"); });
  Bench bench;
  const auto response = bench.Do("GET", server.url());
  unsetenv("http_proxy");
  REQUIRE(response.ok());
  CHECK(response->status == 302);
}

TEST_CASE("a certificate is checked against the CA file, the fingerprint, or not at all") {
  TestServer server([](const std::string&, int) { return Answer(200, "ok"); }, /*tls=*/true);
  const std::filesystem::path ca =
      std::filesystem::temp_directory_path() / ("http_test_ca_" + server.certificate_sha256());
  std::ofstream(ca) << server.certificate_pem();
  {
    Bench untrusting;
    const absl::Status status = untrusting.Do("POST", server.url(), "{}").status();
    CHECK(NotSent(status));
    CHECK(DetailOf(status).reason == "TLS_FAILED");
  }
  {
    Bench with_ca;
    with_ca.options.ca_file = ca;
    CHECK(with_ca.Do("GET", server.url()).ok());
  }
  {
    Bench pinned;
    pinned.options.pinned_sha256 = server.certificate_sha256();
    CHECK(pinned.Do("GET", server.url()).ok());
  }
  {
    Bench wrong_pin;
    wrong_pin.options.pinned_sha256 = std::string(64, 'a');
    wrong_pin.options.insecure = true;
    const absl::Status status = wrong_pin.Do("POST", server.url(), "{}").status();
    CHECK(NotSent(status));
    CHECK(DetailOf(status).reason == "TLS_FAILED");
  }
  {
    Bench insecure;
    insecure.options.insecure = true;
    CHECK(insecure.Do("GET", server.url()).ok());
  }
  CHECK(server.requests() == 3);
  std::filesystem::remove(ca);
}

TEST_CASE("what is no URL is refused, without showing it") {
  Bench bench;
  for (const std::string url : {"", "ftp://x/", "site-a:5000", "http://"}) {
    const absl::Status status = bench.Do("GET", url).status();
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK(NotSent(status));
  }
  CHECK_THAT(MessageOf(bench.Do("GET", "http://user:s3cret@127.0.0.1:1/").status()), !Catch::Contains("s3cret"));
}

TEST_CASE("many threads share a client") {
  TestServer server(
      [](const std::string& request, int) { return Answer(200, request.substr(request.find("\r\n\r\n") + 4)); });
  Bench bench;
  bench.client = NewCurlHttpClient({}, bench.clock);
  std::vector<std::future<int>> workers;
  for (int worker = 0; worker < 8; ++worker) {
    workers.push_back(std::async(std::launch::async, [&bench, &server, worker] {
      int good = 0;
      for (int i = 0; i < 25; ++i) {
        const std::string body = std::to_string(worker * 1000 + i);
        Request request;
        request.method = "POST";
        request.url = server.url();
        request.body = body;
        const auto response = bench.client->Do(request);
        good += response.ok() && response->body == body ? 1 : 0;
      }
      return good;
    }));
  }
  for (auto& worker : workers) CHECK(worker.get() == 25);
  CHECK(server.connections() <= 8);
}

TEST_CASE("an answer larger than allowed is refused") {
  TestServer server([](const std::string&, int) { return Answer(200, std::string(5000, 'x')); });
  Bench bench;
  bench.options.max_response_bytes = 1000;
  CHECK_FALSE(bench.Do("GET", server.url()).ok());
}

}  // namespace
}  // namespace protector::http
