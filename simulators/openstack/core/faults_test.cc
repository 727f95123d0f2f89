#include "simulators/openstack/core/faults.h"

#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <thread>

namespace protector::ossim {
namespace {

std::string Add(Faults& faults, const json& rule) {
  std::string error;
  std::string id = faults.Add(rule, &error);
  INFO(error);
  REQUIRE_FALSE(id.empty());
  return id;
}

bool Hit(Faults& f, const std::string& path = "/v2.1/servers", const std::string& body = "") {
  return f.Match("nova", "POST", path, body).has_value();
}

TEST_CASE("a rule fires only where all it names fits") {
  Faults f;
  Add(f, {{"service", "nova"},
          {"method", "POST"},
          {"path", "/v2.1/servers/*/action"},
          {"body", "os-stop"},
          {"action", "error"}});
  REQUIRE_FALSE(Hit(f));
  REQUIRE_FALSE(Hit(f, "/v2.1/servers/x/action", "{\"os-start\": null}"));
  REQUIRE(Hit(f, "/v2.1/servers/x/action", "{\"os-stop\": null}"));
  REQUIRE_FALSE(f.Match("cinder", "POST", "/v2.1/servers/x/action", "os-stop").has_value());
}

TEST_CASE("nth and count") {
  Faults f;
  Add(f, {{"action", "error"}, {"nth", 3}, {"count", 2}});
  std::string fired;
  for (int i = 0; i < 6; ++i) fired += Hit(f) ? 'x' : '-';
  REQUIRE(fired == "--xx--");
  REQUIRE(f.List()[0]["matched"] == 6);
  REQUIRE(f.List()[0]["fired"] == 2);
}

TEST_CASE("probability 0 never fires") {
  Faults f;
  Add(f, {{"action", "error"}, {"probability", 0.0}});
  for (int i = 0; i < 100; ++i) REQUIRE_FALSE(Hit(f));
}

TEST_CASE("behaviour is matched by name or id and is no fault of the transport") {
  Faults f;
  Add(f, {{"behaviour", "server_build_error"}, {"match", {{"name", "web-*"}}}, {"count", 1}});
  REQUIRE_FALSE(Hit(f));
  REQUIRE_FALSE(f.Behaves("server_build_error", "db-1", "id"));
  REQUIRE_FALSE(f.Behaves("stop_error", "web-1", "id"));
  REQUIRE(f.Behaves("server_build_error", "web-1", "id"));
  REQUIRE_FALSE(f.Behaves("server_build_error", "web-2", "id"));
}

TEST_CASE("behaviour that lasts: one firing, until its time is up or the rule is gone") {
  Faults f;
  std::string id = Add(f, {{"behaviour", "server_build_stuck"}, {"count", 1}});
  for (int i = 0; i < 5; ++i) REQUIRE(f.Holds("server_build_stuck", "web", "1"));
  REQUIRE_FALSE(f.Holds("server_build_stuck", "web", "2"));  // the count is used up
  REQUIRE(f.List()[0]["fired"] == 1);
  f.Remove(id);
  REQUIRE_FALSE(f.Holds("server_build_stuck", "web", "1"));
  Add(f, {{"behaviour", "ignore_graceful_stop"}, {"delay_ms", 1}, {"count", 1}});
  REQUIRE(f.Holds("ignore_graceful_stop", "web", "1", 60000));
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (f.Holds("ignore_graceful_stop", "web", "1", 60000)) REQUIRE(std::chrono::steady_clock::now() < deadline);
}

TEST_CASE("what is held goes on when the rule is removed") {
  Faults f;
  std::string id = Add(f, {{"action", "black_hole"}});
  std::atomic<bool> released{false};
  std::thread held([&] {
    f.Hold(id, 0);
    released = true;
  });
  REQUIRE_FALSE(released);
  REQUIRE(f.Remove(id));
  held.join();
  REQUIRE(released);
}

TEST_CASE("rules that cannot be read are refused") {
  Faults f;
  for (const json& rule : {json("text"), json{{"action", "sing"}}, json{{"behaviour", "sing"}},
                           json{{"action", "error"}, {"staus", 500}}}) {
    std::string error;
    REQUIRE(f.Add(rule, &error).empty());
    REQUIRE_FALSE(error.empty());
  }
}

}  // namespace
}  // namespace protector::ossim
