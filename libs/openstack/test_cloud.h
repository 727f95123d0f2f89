#pragma once
// A cloud of scripted answers for the tests of the clients: Keystone lets everybody in, the catalog and the versions
// are there, everything else is for the test to script.
//
// Threads: as FakeHttpClient. Ownership: the Cloud must not outlive the TestCloud.

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "libs/http/fake_client.h"
#include "libs/json/json.h"
#include "libs/openstack/cloud.h"

namespace protector::openstack {

struct RecordingObserver final : http::Observer {
  std::mutex mutex;
  std::vector<http::CallRecord> records;
  void OnCall(const http::CallRecord& record) override {
    const std::lock_guard<std::mutex> lock(mutex);
    records.push_back(record);
  }
};

struct TestCloud {
  static constexpr char kNova[] = "http://c:8774/v2.1";
  static constexpr char kCinder[] = "http://c:8776/v3/p1";
  static constexpr char kNeutron[] = "http://c:9696/v2.0";
  static constexpr char kGlance[] = "http://c:9292/v2";
  static constexpr char kKeystone[] = "http://c:5000/v3";

  http::FakeHttpClient http;
  ManualClock clock{absl::FromUnixSeconds(1767225600)};  // 2026-01-01T00:00:00Z
  RecordingObserver observer;
  RandomIdGenerator ids;
  cloudconfig::Cloud config;
  int logins = 0;
  absl::Duration token_lifetime = absl::Hours(1);

  explicit TestCloud(const std::string& nova_max = "2.93") {
    config.name = "test";
    config.auth_type = "password";
    config.auth = {{"auth_url", "http://c:5000"},
                   {"username", "protector"},
                   {"password", "s3cret-pw"},
                   {"project_name", "service"}};
    config.region_name = "R";
    http.Handle("POST", std::string(kKeystone) + "/auth/tokens", [this](const http::Request&) { return Login(); });
    http.Always("GET", "http://c:8774/v2.1/",
                http::JsonResponse(
                    200, fmt::format(R"({{"version":{{"id":"v2.1","version":"{}","min_version":"2.1"}}}})", nova_max)));
    http.Always("GET", "http://c:8776/v3/",
                http::JsonResponse(300, R"({"versions":[{"id":"v3.0","version":"3.70","min_version":"3.0"}]})"));
  }

  absl::StatusOr<http::Response> Login() {
    ++logins;
    std::string catalog;
    for (const auto& [type, url] : std::vector<std::pair<std::string, std::string>>{
             {"compute", kNova}, {"volumev3", kCinder}, {"network", "http://c:9696/"}, {"image", "http://c:9292"}}) {
      catalog += fmt::format(
          R"({}{{"type":"{}","name":"x","endpoints":[{{"interface":"admin","region":"R","url":"http://wrong"}},)"
          R"({{"interface":"public","region":"Q","url":"http://wrong"}},{{"interface":"public","region":"R","url":"{}"}}]}})",
          catalog.empty() ? "" : ",", type, url);
    }
    const std::string body = fmt::format(
        R"({{"token":{{"user":{{"id":"u1","name":"protector","domain":{{"id":"default","name":"Default"}}}},)"
        R"("project":{{"id":"p1","name":"service","domain":{{"id":"default","name":"Default"}}}},"roles":[{{"name":"admin"}}],)"
        R"("issued_at":"{}","expires_at":"{}","catalog":[{}]}}}})",
        Rfc3339(clock.Now()), Rfc3339(clock.Now() + token_lifetime), catalog);
    return http::JsonResponse(201, body, {{"X-Subject-Token", fmt::format("token-{}", logins)}});
  }

  Dependencies dependencies() {
    return {http, clock, [] { return 0.0; }, &observer, &ids, {}};
  }

  std::shared_ptr<Cloud> Connected() { return *Connect(config, dependencies()); }

  // The last request but those for tokens and versions.
  http::Request Last() const {
    const std::vector<http::Request> all = http.requests();
    return all.back();
  }
  json::Value LastBody() const { return *json::Parse(Last().body); }
};

inline std::string HeaderOf(const http::Request& request, const std::string& name) {
  return http::Response{0, request.headers, ""}.Header(name);
}

}  // namespace protector::openstack
