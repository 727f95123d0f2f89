// Times, globs, latency profiles, redaction, routes, seeds.
#include <catch2/catch.hpp>

#include <fstream>

#include "simulators/openstack/core/latency.h"
#include "simulators/openstack/core/request_journal.h"
#include "simulators/openstack/core/seed.h"
#include "simulators/openstack/core/util.h"
#include "simulators/openstack/http/router.h"

namespace protector::ossim {
namespace {

TEST_CASE("times in the services' forms, there and back") {
  int64_t ms = 1700000000123;
  REQUIRE(IsoSeconds(ms) == "2023-11-14T22:13:20Z");
  REQUIRE(IsoMicros(ms) == "2023-11-14T22:13:20.123000");
  REQUIRE(ParseIso(IsoMicrosZ(ms)) == ms);
  REQUIRE(ParseIso("2023-11-14T22:13:20Z") == ms - 123);
  REQUIRE(ParseIso("yesterday") == 0);
}

TEST_CASE("ids") {
  REQUIRE(LooksLikeUuid(NewUuid()));
  REQUIRE(LooksLikeUuid(NewHexId()));
  REQUIRE_FALSE(LooksLikeUuid("volumes"));
  REQUIRE(NewUuid() != NewUuid());
  REQUIRE(NewUuid()[14] == '4');
}

TEST_CASE("latency profiles") {
  Latency l;
  REQUIRE(l.Parse("zero") == "");
  REQUIRE(l.SampleMs("nova_build") == 0);
  REQUIRE(l.Parse("realistic,nova_build=7:9,keystone=5") == "");
  for (int i = 0; i < 50; ++i) {
    REQUIRE(l.SampleMs("nova_build") >= 7);
    REQUIRE(l.SampleMs("nova_build") <= 9);
    REQUIRE(l.SampleMs("keystone") == 5);
    REQUIRE(l.SampleMs("cinder_manage") >= 1300);
  }
  for (const char* bad : {"fast", "nova=1:2", "nova_build=9:7", "nova_build=x", "nova_build=-1:2"})
    REQUIRE_FALSE(l.Parse(bad).empty());
  REQUIRE(l.SampleMs("keystone") == 5);  // a bad profile changes nothing
}

TEST_CASE("secrets are taken out, wherever they are") {
  json body = {
      {"auth",
       {{"identity", {{"password", {{"user", {{"name", "demo"}, {"password", "p"}}}}}, {"token", {{"id", "t"}}}}}}},
      {"list", {{{"adminPass", "a"}}}}};
  json out = Redacted(body);
  REQUIRE(out["auth"]["identity"]["password"]["user"] == json{{"name", "demo"}, {"password", "***"}});
  REQUIRE(out["auth"]["identity"]["token"]["id"] == "***");
  REQUIRE(out["list"][0]["adminPass"] == "***");
}

TEST_CASE("routes: literal before placeholder, and what is missing") {
  Router router;
  auto answer = [](int status) { return [status](Request&) { return Response::Empty(status); }; };
  router.Add("GET", "/volumes/{}", answer(1));
  router.Add("GET", "/volumes/detail", answer(2));
  router.Add("POST", "/volumes/{}/action", answer(3));
  const Route* route = nullptr;
  std::vector<std::string> args;
  Request request;
  REQUIRE(router.Find("GET", {"volumes", "detail"}, &route, &args) == Router::Result::kFound);
  REQUIRE(route->handler(request).status == 2);
  REQUIRE(args.empty());
  REQUIRE(router.Find("GET", {"volumes", "x"}, &route, &args) == Router::Result::kFound);
  REQUIRE(args == std::vector<std::string>{"x"});
  // "detail" is a literal, but only the placeholder goes on to /action.
  REQUIRE(router.Find("POST", {"volumes", "detail", "action"}, &route, &args) == Router::Result::kFound);
  REQUIRE(args == std::vector<std::string>{"detail"});
  REQUIRE(router.Find("HEAD", {"volumes", "x"}, &route, &args) == Router::Result::kFound);
  REQUIRE(router.Find("PATCH", {"volumes", "x"}, &route, &args) == Router::Result::kNoMethod);
  REQUIRE(router.Find("GET", {"volumes", "x", "y"}, &route, &args) == Router::Result::kNoPath);
}

TEST_CASE("seeds") {
  REQUIRE(BuiltInSeed("site-a").at("volume_host") == "cinder-a@pure#array-a");
  REQUIRE(BuiltInSeed("site-b").at("flavors")[0].at("id") == "b-small");
  REQUIRE(BuiltInSeed("site-a").at("networks")[0].at("cidr") == BuiltInSeed("site-b").at("networks")[0].at("cidr"));
  REQUIRE(BuiltInSeed("mars").is_null());
  std::string path = "/tmp/ossim-seed-" + NewUuid() + ".yaml", error;
  std::ofstream(path) << "volume_host: c@b#p\nkeypairs: [{name: '007', user: demo}]\n";
  json seed = LoadSeed(path, "mars", &error);
  REQUIRE(error.empty());
  REQUIRE(seed.at("volume_host") == "c@b#p");
  REQUIRE(seed.at("keypairs")[0].at("name") == "007");
  REQUIRE(seed.at("site") == "mars");
  std::ofstream(path) << "flavours: []\n";
  LoadSeed(path, "mars", &error);
  REQUIRE(error.find("flavours") != std::string::npos);
  std::remove(path.c_str());
}

}  // namespace
}  // namespace protector::ossim
