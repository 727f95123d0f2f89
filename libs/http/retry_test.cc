#include "libs/http/retry.h"

#include <catch2/catch.hpp>

#include "libs/http/fake_client.h"

namespace protector::http {
namespace {

const char kUrl[] = "http://h/x";

struct Bench {
  FakeHttpClient fake;
  ManualClock clock{absl::FromUnixSeconds(1000)};
  double random = 0.0;

  absl::StatusOr<Response> Do(Idempotency idempotency, absl::Time deadline = absl::InfiniteFuture(),
                              RetryPolicy policy = {}) {
    Request request;
    request.method = "POST";
    request.url = kUrl;
    request.deadline = deadline;
    return DoWithRetry(request, idempotency, policy, {clock, [this] { return random; }},
                       [this](const Request& r, int) { return fake.Do(r); });
  }
  void Then(absl::StatusOr<Response> answer) { fake.Expect("POST", kUrl, std::move(answer)); }
  size_t Sent() const { return fake.Count("POST", kUrl); }
  absl::Duration Waited() { return clock.Now() - absl::FromUnixSeconds(1000); }
};

TEST_CASE("a request that was not received is sent again whatever it does") {
  Bench bench;
  bench.Then(ConnectionRefused());
  bench.Then(Response{202, {}, ""});
  CHECK(bench.Do(Idempotency::kNotIdempotent)->status == 202);
  CHECK(bench.Waited() == absl::Milliseconds(200));
}

TEST_CASE("a change of unknown outcome is handed to the caller") {
  Bench bench;
  bench.Then(ConnectionCut());
  CHECK(OutcomeUnknown(bench.Do(Idempotency::kNotIdempotent).status()));
  CHECK(bench.Sent() == 1);
}

TEST_CASE("what can be repeated is repeated after a cut and a broken server") {
  Bench bench;
  bench.Then(ConnectionCut());
  bench.Then(Response{502, {}, ""});
  bench.Then(Response{200, {}, ""});
  CHECK(bench.Do(Idempotency::kIdempotent)->status == 200);
  CHECK(bench.Sent() == 3);
}

TEST_CASE("5xx of a change is not repeated") {
  for (const int status : {500, 502, 503, 504}) {
    Bench bench;
    bench.Then(Response{status, {}, ""});
    CHECK(bench.Do(Idempotency::kNotIdempotent)->status == status);
    CHECK(bench.Sent() == 1);
  }
}

TEST_CASE("a server that asks for time gets it, for every request") {
  Bench bench;
  bench.Then(Response{429, {{"Retry-After", "3"}}, ""});
  bench.Then(Response{503, {{"Retry-After", "Thu, 01 Jan 1970 00:16:50 GMT"}}, ""});
  bench.Then(Response{202, {}, ""});
  CHECK(bench.Do(Idempotency::kNotIdempotent)->status == 202);
  CHECK(bench.Waited() == absl::Seconds(10));
}

TEST_CASE("a server that asks for too much time gets no second request") {
  Bench bench;
  bench.Then(Response{503, {{"Retry-After", "3600"}}, ""});
  CHECK(bench.Do(Idempotency::kIdempotent)->status == 503);
  CHECK(bench.Waited() == absl::ZeroDuration());
}

TEST_CASE("waits grow, are bounded, and jitter makes them shorter") {
  for (const double random : {0.0, 0.999999}) {
    Bench bench;
    bench.random = random;
    RetryPolicy policy;
    policy.max_attempts = 4;
    policy.initial_backoff = absl::Seconds(1);
    policy.max_backoff = absl::Seconds(3);
    for (int i = 0; i < 4; ++i) bench.Then(Response{500, {}, ""});
    CHECK(bench.Do(Idempotency::kIdempotent, absl::InfiniteFuture(), policy)->status == 500);
    CHECK(bench.Sent() == 4);
    const double seconds = absl::ToDoubleSeconds(bench.Waited());
    CHECK(seconds == Approx(random == 0.0 ? 6.0 : 3.0).epsilon(0.001));
  }
}

TEST_CASE("no wait goes past the deadline") {
  Bench bench;
  bench.Then(Response{429, {{"Retry-After", "20"}}, ""});
  CHECK(bench.Do(Idempotency::kIdempotent, absl::FromUnixSeconds(1010))->status == 429);
  CHECK(bench.Sent() == 1);
}

TEST_CASE("answers that mean something are final") {
  for (const int status : {200, 202, 300, 400, 401, 403, 404, 409, 413, 501}) {
    Bench bench;
    bench.Then(Response{status, {}, ""});
    CHECK(bench.Do(Idempotency::kIdempotent)->status == status);
    CHECK(bench.Sent() == 1);
  }
}

TEST_CASE("a caller that gave up is not kept waiting") {
  Bench bench;
  std::stop_source stop;
  bench.fake.Handle("POST", kUrl, [&stop](const Request&) {
    stop.request_stop();
    return absl::StatusOr<Response>(ConnectionRefused());
  });
  Request request;
  request.method = "POST";
  request.url = kUrl;
  request.stop = stop.get_token();
  CHECK_FALSE(
      DoWithRetry(request, Idempotency::kIdempotent, {}, {bench.clock, [] { return 0.0; }}, [&](const Request& r, int) {
        return bench.fake.Do(r);
      }).ok());
  CHECK(bench.Sent() == 1);
}

TEST_CASE("nonsense in Retry-After counts as nothing") {
  CHECK(RetryAfter({503, {{"Retry-After", "soon"}}, ""}, absl::Now()) == absl::ZeroDuration());
  CHECK(RetryAfter({503, {{"Retry-After", "99999999999999"}}, ""}, absl::Now()) == absl::InfiniteDuration());
}

}  // namespace
}  // namespace protector::http
