#include "simulators/flasharray/rest/spec.h"

#include <catch2/catch.hpp>

namespace protector::fasim {

TEST_CASE("the table knows operations, versions and envelopes") {
  const Spec spec;
  const Operation* volumes = spec.Find("GET", "/volumes");
  REQUIRE(volumes != nullptr);
  CHECK(volumes->since == 0);
  CHECK(volumes->listing);
  CHECK(volumes->total);
  CHECK_FALSE(spec.Find("GET", "/hosts")->total);
  CHECK(spec.Find("GET", "/array-connections")->since == 4);
  CHECK(spec.Find("GET", "/nothing") == nullptr);
  CHECK_FALSE(spec.HasPath("/remote-arrays"));  // later than 2.26
}

TEST_CASE("an item gets exactly the properties of its version") {
  const Spec spec;
  const auto& shape = spec.Find("GET", "/volumes")->item;
  const Json item = {{"name", "v"}, {"priority", 3}, {"pod", nullptr}, {"more", 1}};
  const Json old = Project(shape, item, 0);
  const Json now = Project(shape, item, 26);
  CHECK_FALSE(old.contains("priority"));
  CHECK(now["priority"] == 3);
  CHECK_FALSE(now.contains("more"));
  CHECK(now["serial"].is_null());
  CHECK(now["pod"] == Json{{"id", nullptr}, {"name", nullptr}});
  const Json pod = Project(spec.Find("GET", "/pods")->item, {{"arrays", {{{"name", "a"}}}}}, 26);
  CHECK(pod["arrays"][0]["frozen_at"].is_null());
  CHECK(pod["failover_preferences"] == Json::array());
}

TEST_CASE("parameters and bodies are gated by version") {
  const Spec spec;
  const Operation& create = *spec.Find("POST", "/volumes");
  CHECK_NOTHROW(CheckParams(create, {{"names", "v"}, {"with_default_protection", "false"}}, 16));
  CHECK_THROWS_AS(CheckParams(create, {{"with_default_protection", "false"}}, 15), ApiError);
  CHECK_THROWS_AS(CheckParams(create, {{"bogus", "1"}}, 26), ApiError);
  CHECK_NOTHROW(CheckParams(create, {{"context_names", ""}}, 26));
  CHECK_NOTHROW(CheckBody(create, {{"source", {{"name", "x"}}}, {"qos", {{"iops_limit", 1}}}}, 0));
  CHECK_THROWS_AS(CheckBody(create, {{"serial", "x"}}, 26), ApiError);
  CHECK_THROWS_AS(CheckBody(create, {{"source", {{"bogus", "x"}}}}, 26), ApiError);
  CHECK_THROWS_AS(CheckBody(create, {{"priority_adjustment", {{"priority_adjustment_value", 1}}}}, 9), ApiError);
  CHECK_NOTHROW(CheckBody(create, nullptr, 26));
  const Operation& tags = *spec.Find("PUT", "/volumes/tags/batch");
  CHECK_NOTHROW(CheckBody(tags, Json::array({{{"key", "k"}, {"value", "v"}}}), 26));
  CHECK_THROWS_AS(CheckBody(tags, Json::object(), 26), ApiError);
  CHECK_THROWS_AS(CheckBody(tags, Json::array({{{"bogus", 1}}}), 26), ApiError);
  CHECK_NOTHROW(
      CheckBody(*spec.Find("POST", "/hosts"), {{"iqns", {"a"}}, {"preferred_arrays", {{{"name", "x"}}}}}, 26));
}

}  // namespace protector::fasim
