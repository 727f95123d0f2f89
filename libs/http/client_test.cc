#include "libs/http/client.h"

#include <catch2/catch.hpp>

#include "libs/base/error.h"
#include "libs/http/fake_client.h"
#include "libs/http/observe.h"

namespace protector::http {
namespace {

TEST_CASE("the outcome of a call travels with its status") {
  const absl::Status status = WithOutcome(absl::UnavailableError("gone"), Outcome::kUnknown);
  CHECK(OutcomeUnknown(status));
  CHECK_FALSE(NotSent(status));
  CHECK(OutcomeUnknown(Annotate(status, "creating port p")));
  CHECK(NotSent(WithOutcome(status, Outcome::kNotSent)));
  CHECK(OutcomeOf(absl::OkStatus()) == Outcome::kNone);
  CHECK(RetryDelayOf(WithRetryDelay(status, absl::Seconds(7))) == absl::Seconds(7));
}

TEST_CASE("hosts are named without credentials and values encoded") {
  CHECK(HostOf("https://user:pw@[::1]:8443/a@b?c") == "[::1]:8443");
  CHECK(HostOf("http://cloud") == "cloud");
  CHECK(HostOf("ftp://cloud").empty());
  CHECK(HostOf("cloud:5000").empty());
  CHECK(UrlEncode("a b/ä~") == "a%20b%2F%C3%A4~");
}

TEST_CASE("headers are found in any case") {
  CHECK(Response{200, {{"X-Subject-Token", "t"}}, ""}.Header("x-subject-token") == "t");
}

struct Recorder final : Observer {
  std::vector<CallRecord> records;
  void OnCall(const CallRecord& record) override { records.push_back(record); }
};

TEST_CASE("an observer gets route, status and request id, never the query") {
  FakeHttpClient fake;
  fake.Expect("GET", "http://h/v2/servers", Response{200, {{"X-Openstack-Request-Id", "req-1"}}, "{}"});
  fake.Expect("GET", "http://h/v2/servers", ConnectionCut());
  ManualClock clock(absl::UnixEpoch());
  Recorder recorder;
  const Request request{"GET", "http://h/v2/servers?secret=1", {}, "", absl::InfiniteFuture(), {}, "/servers"};
  CHECK(DoObserved(fake, request, clock, {&recorder, "nova", "req-ours"}, 1).ok());
  CHECK_FALSE(DoObserved(fake, request, clock, {&recorder, "nova", "req-ours"}, 2).ok());
  REQUIRE(recorder.records.size() == 2);
  CHECK(recorder.records[0].status == 200);
  CHECK(recorder.records[0].request_id == "req-1");
  CHECK(recorder.records[0].caller_request_id == "req-ours");
  CHECK(recorder.records[0].route == "/servers");
  CHECK(recorder.records[0].host == "h");
  CHECK(recorder.records[1].status == 0);
  CHECK(recorder.records[1].attempt == 2);
  CHECK_FALSE(recorder.records[1].error.empty());
}

}  // namespace
}  // namespace protector::http
