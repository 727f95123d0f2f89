#include "services/storage-pure/adapters/flasharray/client.h"

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "libs/base/error.h"
#include "libs/http/fake_client.h"

namespace protector::storage::flasharray {
namespace {

struct Array {
  explicit Array(const std::string& version = "2.26") : prefix("https://a/api/" + version) {
    http.Always("GET", "https://a/api/api_version",
                http::JsonResponse(200, fmt::format(R"({{"version":["{}"]}})", version)));
    http.Always("POST", prefix + "/login", http::JsonResponse(200, "{}", {{"x-auth-token", "t"}}));
    SessionOptions options;
    options.url = "https://a";
    client = std::make_unique<Client>(options, SessionEnv{http, clock, ids, [] { return 0.5; }, nullptr});
  }
  // The last request of a method and path.
  http::Request Last(const std::string& method, const std::string& path) {
    http::Request found;
    for (const auto& request : http.requests()) {
      if (request.method == method && request.route == path) found = request;
    }
    return found;
  }
  std::string prefix;
  http::FakeHttpClient http;
  ManualClock clock{absl::FromUnixSeconds(1'700'000'000)};
  RandomIdGenerator ids;
  std::unique_ptr<Client> client;
  Scope scope;
};

bool Has(const http::Request& request, const std::string& text) {
  return request.url.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("a clone never lands in default groups where the version knows them, and says nothing of them elsewhere") {
  const std::string answer =
      R"({"items":[{"name":"n","id":"i","serial":"S","source":{"name":"a:pg.1.v"},"pod":{"name":null}}]})";
  Array now;
  now.http.Always("POST", now.prefix + "/volumes", http::JsonResponse(200, answer));
  const auto made = now.client->CloneVolume(now.scope, "n", "a:pg.1.v");
  REQUIRE(made.ok());
  CHECK(made->source == "a:pg.1.v");
  CHECK(made->pod.empty());
  const http::Request sent = now.Last("POST", "/volumes");
  CHECK(Has(sent, "with_default_protection=false"));
  CHECK(sent.body == R"({"source":{"name":"a:pg.1.v"}})");

  Array old("2.4");
  old.http.Always("POST", old.prefix + "/volumes", http::JsonResponse(200, answer));
  REQUIRE(old.client->CloneVolume(old.scope, "n", "a:pg.1.v").ok());
  CHECK_FALSE(Has(old.Last("POST", "/volumes"), "with_default_protection"));
}

TEST_CASE("volumes are asked for by filter in pieces, and all at once when they are many") {
  Array a;
  a.http.Always("GET", a.prefix + "/volumes",
                http::JsonResponse(200, R"({"items":[{"id":"1","serial":"S1"},{"id":"2","serial":"S2"}]})"));
  VolumeFilter few{.serials = {"S1", "S2"}};
  REQUIRE(a.client->ListVolumes(a.scope, few)->size() == 2);
  CHECK(Has(a.Last("GET", "/volumes"), http::UrlEncode("(serial='S1' or serial='S2')")));
  VolumeFilter many;
  for (int i = 0; i < 50; ++i) many.serials.push_back("S" + std::to_string(i));
  const size_t before = a.http.Count("GET", a.prefix + "/volumes");
  REQUIRE(a.client->ListVolumes(a.scope, many).ok());
  CHECK(a.http.Count("GET", a.prefix + "/volumes") == before + 2);
  for (int i = 50; i < 2000; ++i) many.serials.push_back("S" + std::to_string(i));
  const auto found = a.client->ListVolumes(a.scope, many);
  CHECK(found->size() == 2);
  CHECK(a.http.Count("GET", a.prefix + "/volumes") == before + 3);
  CHECK_FALSE(Has(a.Last("GET", "/volumes"), "filter"));
}

TEST_CASE("what stands in a filter cannot end it") {
  CHECK(Equals("name", "it's") == "name='it\\'s'");
  CHECK(AnyOf("name", {"a"}) == "name='a'");
  CHECK(AnyOf("name", {}).empty());
}

TEST_CASE("transfers of something that is not there yet are an empty list; other failures stay") {
  Array a;
  const std::string url = a.prefix + "/protection-group-snapshots/transfer";
  a.http.Expect(
      "GET", url,
      http::JsonResponse(400, R"({"errors":[{"context":"x","message":"Protection group snapshot does not exist."}]})"));
  a.http.Expect("GET", url, http::JsonResponse(400, R"({"errors":[{"context":"x","message":"Something else."}]})"));
  a.http.Expect(
      "GET", url,
      http::JsonResponse(
          200, R"({"items":[{"name":"a:pg.1","progress":1,"started":1000,"completed":null,"data_transferred":7}]})"));
  CHECK(a.client->ListTransfers(a.scope, "a:pg.1")->empty());
  CHECK(ClassOf(a.client->ListTransfers(a.scope, "a:pg.1").status()) == ErrorClass::kOther);
  const auto transfers = a.client->ListTransfers(a.scope, "a:pg.1");
  CHECK_FALSE(transfers->at(0).Complete());  // all sent, not yet usable
  CHECK(transfers->at(0).data_transferred == 7);
}

TEST_CASE("frequencies go in milliseconds, retention in seconds, and only what changes is sent") {
  Array a;
  a.http.Always("PATCH", a.prefix + "/protection-groups", http::JsonResponse(200, "{}"));
  REQUIRE(
      a.client->UpdateGroup(a.scope, "pg", {.frequency = absl::Minutes(5), .target_retention = absl::Hours(1)}).ok());
  CHECK(
      a.Last("PATCH", "/protection-groups").body ==
      R"({"replication_schedule":{"frequency":300000},"target_retention":{"all_for_sec":3600,"days":0,"per_day":0}})");
  REQUIRE(a.client->UpdateGroup(a.scope, "pg", {.replication_enabled = true}).ok());
  CHECK(a.Last("PATCH", "/protection-groups").body == R"({"replication_schedule":{"enabled":true}})");
}

TEST_CASE("a recovery point is sent at once and left to the retention") {
  Array a;
  a.http.Always("POST", a.prefix + "/protection-group-snapshots", http::JsonResponse(200, "{}"));
  REQUIRE(a.client->CreateGroupSnapshot(a.scope, "pg", "s-1").ok());
  const http::Request sent = a.Last("POST", "/protection-group-snapshots");
  CHECK(Has(sent, "source_names=pg"));
  CHECK(Has(sent, "replicate_now=true"));
  CHECK(Has(sent, "apply_retention=true"));
  CHECK(sent.body == R"({"suffix":"s-1"})");
}

TEST_CASE("nothing is ever eradicated: destroying is a PATCH, by id") {
  Array a;
  a.http.Always("PATCH", a.prefix + "/volumes", http::JsonResponse(200, "{}"));
  REQUIRE(a.client->DestroyVolume(a.scope, "id-1").ok());
  CHECK(Has(a.Last("PATCH", "/volumes"), "ids=id-1"));
  CHECK(a.Last("PATCH", "/volumes").body == R"({"destroyed":true})");
}

TEST_CASE("a connection of a host group is removed as such") {
  Array a;
  a.http.Always("DELETE", a.prefix + "/connections", http::JsonResponse(200, ""));
  REQUIRE(a.client->DeleteConnection(a.scope, {.volume = "v", .host = "h", .host_group = "hg"}).ok());
  CHECK(Has(a.Last("DELETE", "/connections"), "host_group_names=hg"));
  CHECK_FALSE(Has(a.Last("DELETE", "/connections"), "host_names="));
}

TEST_CASE("nulls and missing members are taken as unset") {
  Array a;
  a.http.Always(
      "GET", a.prefix + "/pods",
      http::JsonResponse(
          200,
          R"({"items":[{"name":"p","arrays":[{"name":"a","frozen_at":null,"progress":null}],"promotion_status":null}]})"));
  a.http.Always(
      "GET", a.prefix + "/pod-replica-links",
      http::JsonResponse(
          200,
          R"({"items":[{"local_pod":{"name":"p"},"remotes":[],"lag":null,"recovery_point":null,"status":"baselining"}]})"));
  a.http.Always(
      "GET", a.prefix + "/arrays",
      http::JsonResponse(200, R"({"items":[{"name":"array-a","id":"i","version":"6.5.0","_as_of":1700000000000}]})"));
  const auto pods = a.client->ListPods(a.scope, {"p"});
  CHECK(pods->at(0).arrays.at(0).frozen_at == absl::InfinitePast());
  const auto links = a.client->ListLinks(a.scope, "p");
  CHECK(links->at(0).lag_ms == -1);
  CHECK(links->at(0).recovery_point == absl::InfinitePast());
  CHECK(a.client->GetIdentity(a.scope)->as_of == absl::FromUnixSeconds(1'700'000'000));
}

}  // namespace protector::storage::flasharray
