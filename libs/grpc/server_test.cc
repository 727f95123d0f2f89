// Server, host, unary and stream helpers and the client together, over a real socket.
#include "libs/grpc/server.h"

#include <fmt/format.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "libs/base/error.h"
#include "libs/grpc/client.h"
#include "libs/grpc/health.h"
#include "libs/grpc/stream.h"
#include "libs/grpc/unary.h"
#include "protector/metadata/v1/metadata.grpc.pb.h"

namespace protector::rpc {
namespace {

namespace pb = protector::metadata::v1;
using Stub = pb::MetadataService::StubInterface;

// A service whose answers the test decides.
class FakeService final : public pb::MetadataService::CallbackService {
 public:
  explicit FakeService(Host& host) : host_(host) {}

  ::grpc::ServerUnaryReactor* ListHeads(::grpc::CallbackServerContext* context, const pb::ListHeadsRequest* request,
                                        pb::ListHeadsResponse* response) override {
    return Unary(host_, context, request, response, "ListHeads",
                 [this](const CallContext& call, const pb::ListHeadsRequest&) { return on_list(call); });
  }
  ::grpc::ServerWriteReactor<pb::Head>* WatchHeads(::grpc::CallbackServerContext* context,
                                                   const pb::WatchHeadsRequest* request) override {
    return Stream<pb::Head>(
        host_, context, request, "WatchHeads",
        [this](const CallContext&, const pb::WatchHeadsRequest&, std::shared_ptr<EventStream<pb::Head>> stream) {
          return on_watch(std::move(stream));
        });
  }

  std::function<absl::StatusOr<pb::ListHeadsResponse>(const CallContext&)> on_list;
  std::function<absl::Status(std::shared_ptr<EventStream<pb::Head>>)> on_watch;

 private:
  Host& host_;
};

struct Fixture {
  explicit Fixture(HostOptions host_options = {.site = "site-t", .insecure = true})
      : host(host_options,
             log::Logger::ToFunction({"test", "site-t", log::Level::kInfo},
                                     [this](const std::string& line) {
                                       std::lock_guard lock(lines_mutex);
                                       lines.push_back(line);
                                     }),
             metrics, ids),
        service(host) {
    auto started = Server::Start({.listen = "127.0.0.1:0", .drain_timeout = absl::Seconds(10)}, host, {&service});
    REQUIRE(started.ok());
    server = *std::move(started);
    channel = MakeChannel(fmt::format("127.0.0.1:{}", server->port()), Security::Insecure().ForChannel({}));
    stub = pb::MetadataService::NewStub(channel);
  }
  CallOptions Options(absl::Duration timeout = absl::Seconds(10)) const { return {timeout, "test service"}; }
  absl::StatusOr<pb::ListHeadsResponse> List(const CallOptions& options) {
    return Call(*stub, &Stub::ListHeads, pb::ListHeadsRequest(), options);
  }

  std::mutex lines_mutex;
  std::vector<std::string> lines;
  metrics::Registry metrics;
  RandomIdGenerator ids;
  Host host;
  FakeService service;
  std::unique_ptr<Server> server;
  std::shared_ptr<::grpc::Channel> channel;
  std::unique_ptr<pb::MetadataService::Stub> stub;
};

TEST_CASE("a unary call brings the caller's context, its answer, a log line and metrics") {
  Fixture fixture;
  CallContext seen;
  fixture.service.on_list = [&](const CallContext& call) -> absl::StatusOr<pb::ListHeadsResponse> {
    seen = call;
    seen.cancelled = [] { return false; };
    pb::ListHeadsResponse response;
    response.set_site("site-t");
    return response;
  };
  CallOptions options = fixture.Options();
  options.request_id = "r-1";
  options.project = "p-1";
  options.project_domain = "Default";
  options.user = "demo";
  const auto response = fixture.List(options);
  REQUIRE(response.ok());
  CHECK(response->site() == "site-t");
  CHECK(seen.request_id == "r-1");
  CHECK(seen.project == "p-1");
  CHECK(seen.project_domain == "Default");
  CHECK(seen.user == "demo");
  CHECK(seen.deadline < absl::Now() + absl::Seconds(11));
  REQUIRE(fixture.List(fixture.Options()).ok());
  CHECK_FALSE(seen.request_id.empty());  // one was made
  fixture.server->Drain();
  CHECK(fixture.lines.at(0).find("\"request_id\":\"r-1\"") != std::string::npos);
  CHECK(fixture.metrics.Text().find("protector_rpc_seconds_count{code=\"OK\",method=\"ListHeads\"} 2") !=
        std::string::npos);
}

TEST_CASE("errors arrive with cause, object, remedy and site; exceptions as INTERNAL") {
  Fixture fixture;
  fixture.service.on_list = [&](const CallContext&) -> absl::StatusOr<pb::ListHeadsResponse> {
    return Error(absl::StatusCode::kAborted, "STALE_EPOCH", "epoch 3 is past").Object("group g").Remedy("Look again.");
  };
  const absl::Status status = fixture.List(fixture.Options()).status();
  CHECK(status.code() == absl::StatusCode::kAborted);
  CHECK(DetailOf(status) == ErrorDetail{"STALE_EPOCH", "group g", "Look again.", "site-t"});
  fixture.service.on_list = [&](const CallContext&) -> absl::StatusOr<pb::ListHeadsResponse> {
    throw std::runtime_error("boom");
  };
  CHECK(fixture.List(fixture.Options()).status().code() == absl::StatusCode::kInternal);
}

TEST_CASE("a call without a deadline is refused, a long one is cut") {
  Fixture fixture({.site = "site-t", .insecure = true, .max_deadline = absl::Seconds(30)});
  absl::Time deadline;
  fixture.service.on_list = [&](const CallContext& call) -> absl::StatusOr<pb::ListHeadsResponse> {
    deadline = call.deadline;
    return pb::ListHeadsResponse();
  };
  ::grpc::ClientContext context;
  pb::ListHeadsResponse response;
  const ::grpc::Status refused = fixture.stub->ListHeads(&context, {}, &response);
  CHECK(DetailOf(FromGrpc(refused)).reason == "DEADLINE_REQUIRED");
  REQUIRE(fixture.List(fixture.Options(absl::Hours(1))).ok());
  CHECK(deadline < absl::Now() + absl::Seconds(31));
}

TEST_CASE("a server that is not there, or does not answer, is told apart") {
  Fixture fixture;
  std::promise<void> release;
  std::shared_future<void> gate = release.get_future().share();
  fixture.service.on_list = [gate](const CallContext&) -> absl::StatusOr<pb::ListHeadsResponse> {
    gate.wait();
    return pb::ListHeadsResponse();
  };
  const absl::Status late = fixture.List(fixture.Options(absl::Milliseconds(100))).status();
  CHECK(late.code() == absl::StatusCode::kDeadlineExceeded);
  CHECK(DetailOf(late).reason == "SERVICE_TIMEOUT");
  CHECK(DetailOf(late).object == "test service");
  release.set_value();
  fixture.server->Drain();
  const absl::Status gone = fixture.List(fixture.Options()).status();
  CHECK(gone.code() == absl::StatusCode::kUnavailable);
  CHECK(IsNoAnswer(gone));
  CHECK(CertainlyNotSent(gone));
  CHECK_FALSE(CertainlyNotSent(late));
  CHECK(DetailOf(gone).reason == "SERVICE_UNREACHABLE");
  CHECK_FALSE(DetailOf(gone).remedy.empty());
}

TEST_CASE("a connector finds a server that has come back at once, whatever the backoff") {
  Fixture fixture;
  fixture.service.on_list = [](const CallContext&) -> absl::StatusOr<pb::ListHeadsResponse> {
    return pb::ListHeadsResponse();
  };
  const std::string address = fmt::format("127.0.0.1:{}", fixture.server->port());
  Connector connector(address, Security::Insecure().ForChannel({}), {.max_reconnect_backoff = absl::Hours(1)});
  const auto list = [&] {
    const auto stub = pb::MetadataService::NewStub(connector.Get());
    return Call(*stub, &Stub::ListHeads, pb::ListHeadsRequest(), fixture.Options()).status();
  };
  CHECK(list().ok());
  fixture.server->Drain();
  for (int i = 0; i < 5; ++i) CHECK(list().code() == absl::StatusCode::kUnavailable);
  metrics::Registry metrics;
  RandomIdGenerator ids;
  Host host({.site = "site-t", .insecure = true}, {}, metrics, ids);
  FakeService again(host);
  again.on_list = fixture.service.on_list;
  const auto server = Server::Start({.listen = address}, host, {&again});
  REQUIRE(server.ok());
  CHECK(list().ok());
}

TEST_CASE("only what is harmless to repeat is sent again") {
  Fixture fixture;
  std::atomic<int> calls = 0;
  fixture.service.on_list = [&](const CallContext&) -> absl::StatusOr<pb::ListHeadsResponse> {
    if (++calls % 3 != 0) return absl::UnavailableError("not yet");
    return pb::ListHeadsResponse();
  };
  CHECK_FALSE(fixture.List(fixture.Options()).ok());
  CHECK(calls == 1);
  calls = 0;
  CallOptions options = fixture.Options();
  options.repeat = Repeat::kIfIdempotent;
  CHECK(fixture.List(options).ok());
  CHECK(calls == 3);
}

TEST_CASE("drain: health says no, new calls are refused, the running one ends well") {
  Fixture fixture;
  REQUIRE(CheckHealth(fixture.channel, fixture.Options()).ok());
  fixture.server->SetServing(false);
  CHECK(DetailOf(CheckHealth(fixture.channel, fixture.Options())).reason == "NOT_SERVING");
  fixture.server->SetServing(true);

  std::promise<void> entered;
  std::promise<void> release;
  fixture.service.on_list = [&](const CallContext&) -> absl::StatusOr<pb::ListHeadsResponse> {
    entered.set_value();
    release.get_future().wait();
    return pb::ListHeadsResponse();
  };
  auto running = std::async(std::launch::async, [&] { return fixture.List(fixture.Options()); });
  entered.get_future().wait();
  auto draining = std::async(std::launch::async, [&] { fixture.server->Drain(); });
  const absl::Time give_up = absl::Now() + absl::Seconds(10);
  absl::Status refused;
  while (absl::Now() < give_up && (refused = CheckHealth(fixture.channel, fixture.Options(absl::Seconds(1)))).ok()) {
  }
  CHECK(refused.code() == absl::StatusCode::kUnavailable);
  release.set_value();
  CHECK(running.get().ok());
  draining.wait();
}

TEST_CASE("a full queue refuses with RESOURCE_EXHAUSTED") {
  Fixture fixture({.site = "site-t", .insecure = true, .workers = 1, .max_queued = 1});
  std::promise<void> entered;
  std::atomic<int> calls = 0;
  std::promise<void> release;
  std::shared_future<void> gate = release.get_future().share();
  fixture.service.on_list = [&, gate](const CallContext&) -> absl::StatusOr<pb::ListHeadsResponse> {
    if (++calls == 1) entered.set_value();
    gate.wait();
    return pb::ListHeadsResponse();
  };
  auto first = std::async(std::launch::async, [&] { return fixture.List(fixture.Options()); });
  entered.get_future().wait();
  // One runs, one may wait: of three more, at least two are refused.
  std::vector<std::future<absl::StatusOr<pb::ListHeadsResponse>>> more;
  std::atomic<int> refused = 0;
  for (int i = 0; i < 3; ++i) {
    more.push_back(std::async(std::launch::async, [&] {
      auto result = fixture.List(fixture.Options());
      if (DetailOf(result.status()).reason == "SERVICE_BUSY" && ++refused == 2) release.set_value();
      return result;
    }));
  }
  CHECK(first.get().ok());
  int ok = 0;
  for (auto& one : more) ok += one.get().ok() ? 1 : 0;
  CHECK(ok == 1);
}

TEST_CASE("a stream sends what is pushed, in order, from any thread, and ends with its status") {
  Fixture fixture;
  std::thread feeder;
  fixture.service.on_watch = [&](std::shared_ptr<EventStream<pb::Head>> stream) {
    feeder = std::thread([stream] {
      for (int i = 1; i <= 1000; ++i) {
        pb::Head head;
        head.set_version(i);
        stream->Push(head);
      }
      stream->Close(absl::OkStatus());
    });
    return absl::OkStatus();
  };
  std::vector<int64_t> versions;
  const absl::Status status = ReadStream<pb::MetadataService::Stub, Stub, pb::WatchHeadsRequest, pb::Head>(
      *fixture.stub, &Stub::WatchHeads, pb::WatchHeadsRequest(), fixture.Options(), [&](const pb::Head& head) {
        versions.push_back(head.version());
        return true;
      });
  feeder.join();
  CHECK(status.ok());
  REQUIRE(versions.size() == 1000);
  CHECK(std::is_sorted(versions.begin(), versions.end()));
}

TEST_CASE("a stream is closed when the reader goes and when the host drains; its starter may refuse") {
  Fixture fixture;
  std::promise<std::shared_ptr<EventStream<pb::Head>>> opened;
  std::promise<void> ended;
  fixture.service.on_watch = [&](std::shared_ptr<EventStream<pb::Head>> stream) {
    stream->OnClosed([&] { ended.set_value(); });
    stream->Push(pb::Head());
    opened.set_value(stream);
    return absl::OkStatus();
  };
  const auto read = [&](const std::function<bool(const pb::Head&)>& take) {
    return ReadStream<pb::MetadataService::Stub, Stub, pb::WatchHeadsRequest, pb::Head>(
        *fixture.stub, &Stub::WatchHeads, pb::WatchHeadsRequest(), fixture.Options(), take);
  };
  SECTION("reader goes") {
    CHECK(read([](const pb::Head&) { return false; }).ok());
    ended.get_future().wait();
    CHECK_FALSE(opened.get_future().get()->Push(pb::Head()));
  }
  SECTION("host drains") {
    auto reading = std::async(std::launch::async, [&] { return read([](const pb::Head&) { return true; }); });
    auto stream = opened.get_future().get();
    fixture.server->Drain();
    CHECK(DetailOf(reading.get()).reason == "SHUTTING_DOWN");
    ended.get_future().wait();
  }
  SECTION("starter refuses") {
    fixture.service.on_watch = [](std::shared_ptr<EventStream<pb::Head>>) -> absl::Status {
      return Error(absl::StatusCode::kNotFound, "GROUP_NOT_FOUND", "no such group");
    };
    CHECK(DetailOf(read([](const pb::Head&) { return true; })).reason == "GROUP_NOT_FOUND");
  }
}

TEST_CASE("a project whose calls hang, or that floods, does not stop another") {
  Fixture fixture({.site = "site-t", .insecure = true, .workers = 4, .max_queued = 20});
  std::promise<void> release;
  std::shared_future<void> gate = release.get_future().share();
  fixture.service.on_list = [gate](const CallContext& call) -> absl::StatusOr<pb::ListHeadsResponse> {
    if (call.project == "hangs") gate.wait();
    return pb::ListHeadsResponse();
  };
  std::vector<std::future<absl::StatusOr<pb::ListHeadsResponse>>> hanging;
  std::atomic<int> refused = 0;
  std::promise<void> full;
  for (int i = 0; i < 30; ++i) {
    hanging.push_back(std::async(std::launch::async, [&] {
      CallOptions options = fixture.Options();
      options.project = "hangs";
      auto result = fixture.List(options);
      if (DetailOf(result.status()).reason == "SERVICE_BUSY" && ++refused == 17) full.set_value();
      return result;
    }));
  }
  full.get_future().wait();  // at most three run and ten wait; the others were refused
  CallOptions options = fixture.Options();
  options.project = "other";
  CHECK(fixture.List(options).ok());
  release.set_value();
  int ok = 0;
  for (auto& one : hanging) ok += one.get().ok() ? 1 : 0;
  CHECK(ok <= 13);
  CHECK(ok + refused == 30);
}

TEST_CASE("a caller has so many streams open and no more; one that has ended makes room") {
  Fixture fixture({.site = "site-t", .insecure = true, .max_streams = 1});
  std::promise<std::shared_ptr<EventStream<pb::Head>>> opened;
  fixture.service.on_watch = [&](std::shared_ptr<EventStream<pb::Head>> stream) {
    opened.set_value(stream);
    return absl::OkStatus();
  };
  const auto read = [&](const std::string& project) {
    CallOptions options = fixture.Options();
    options.project = project;
    return ReadStream<pb::MetadataService::Stub, Stub, pb::WatchHeadsRequest, pb::Head>(
        *fixture.stub, &Stub::WatchHeads, pb::WatchHeadsRequest(), options, [](const pb::Head&) { return true; });
  };
  auto first = std::async(std::launch::async, [&] { return read("p"); });
  auto stream = opened.get_future().get();
  CHECK(DetailOf(read("p")).reason == "TOO_MANY_STREAMS");
  fixture.service.on_watch = [](std::shared_ptr<EventStream<pb::Head>> other) {
    other->Close(absl::OkStatus());
    return absl::OkStatus();
  };
  CHECK(read("q").ok());
  stream->Close(absl::OkStatus());
  CHECK(first.get().ok());
  // The reader hears of the end a moment before the host does.
  const absl::Time until = absl::Now() + absl::Seconds(10);
  absl::Status again = read("p");
  while (!again.ok() && absl::Now() < until) again = read("p");
  CHECK(again.ok());
}

TEST_CASE("an address in use is a clear error") {
  Fixture fixture;
  FakeService other(fixture.host);
  const auto second =
      Server::Start({.listen = fmt::format("127.0.0.1:{}", fixture.server->port())}, fixture.host, {&other});
  REQUIRE_FALSE(second.ok());
  CHECK(DetailOf(second.status()).reason == "LISTEN_FAILED");
}

}  // namespace
}  // namespace protector::rpc
