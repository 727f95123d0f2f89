#include <catch2/catch.hpp>

#include "libs/base/error.h"
#include "libs/openstack/test_cloud.h"

namespace protector::openstack {
namespace {

using http::JsonResponse;

const std::string kKeystone = TestCloud::kKeystone;

TEST_CASE("who we are, and who a caller is") {
  TestCloud test;
  const auto cloud = test.Connected();
  const auto self = cloud->keystone().Self({});
  REQUIRE(self.ok());
  CHECK(self->user_name == "protector");
  CHECK(self->HasRole("admin"));
  CHECK_FALSE(self->HasRole("member"));

  test.http.Expect("GET", kKeystone + "/auth/tokens", JsonResponse(200, R"({"token":{"user":{"id":"u2","name":"demo"},
    "project":{"id":"t"},"roles":[{"name":"member"}],"expires_at":"2026-01-01T01:00:00.000000Z"}})"));
  const auto caller = cloud->keystone().ValidateToken({}, "callers-token");
  REQUIRE(caller.ok());
  CHECK(caller->user_id == "u2");
  CHECK(caller->project_id == "t");
  CHECK(caller->expires_at == test.clock.Now() + absl::Hours(1));
  CHECK(HeaderOf(test.Last(), "X-Subject-Token") == "callers-token");
}

TEST_CASE("a caller's token that Keystone does not know is refused without being shown") {
  TestCloud test;
  test.http.Always("GET", kKeystone + "/auth/tokens",
                   JsonResponse(404, R"({"error":{"message":"Could not find token: callers-token"}})"));
  const auto cloud = test.Connected();
  const absl::Status status = cloud->keystone().ValidateToken({}, "callers-token").status();
  CHECK(status.code() == absl::StatusCode::kUnauthenticated);
  CHECK_THAT(MessageOf(status), !Catch::Contains("callers-token"));
  CHECK(cloud->keystone().ValidateToken({}, "").status().code() == absl::StatusCode::kUnauthenticated);
  CHECK(cloud->keystone().ValidateToken({}, "a\r\nX-Evil: 1").status().code() == absl::StatusCode::kUnauthenticated);
  test.http.Always("GET", kKeystone + "/auth/tokens",
                   JsonResponse(403, R"({"error":{"message":"not you: callers-token"}})"));
  const absl::Status forbidden = cloud->keystone().ValidateToken({}, "callers-token").status();
  CHECK(forbidden.code() == absl::StatusCode::kPermissionDenied);
  CHECK_THAT(MessageOf(forbidden), !Catch::Contains("callers-token"));
}

TEST_CASE("projects, domains, users and assignments") {
  TestCloud test;
  test.http.Always(
      "GET", kKeystone + "/projects",
      JsonResponse(200, R"({"projects":[{"id":"t","name":"demo","domain_id":"default","enabled":false}]})"));
  test.http.Always("GET", kKeystone + "/domains",
                   JsonResponse(200, R"({"domains":[{"id":"default","name":"Default","enabled":true}]})"));
  test.http.Always("GET", kKeystone + "/users/u1", JsonResponse(200, R"({"user":{"id":"u1","name":"protector"}})"));
  test.http.Always("GET", kKeystone + "/role_assignments",
                   JsonResponse(200, R"({"role_assignments":[{"role":{"id":"r","name":"admin"},
    "user":{"id":"u1"},"scope":{"project":{"id":"t"}}}]})"));
  const auto cloud = test.Connected();
  const auto projects = cloud->keystone().ListProjects({}, "demo", "");
  REQUIRE(projects.ok());
  CHECK_FALSE(projects->front().enabled);
  CHECK(test.Last().url == kKeystone + "/projects?name=demo");
  CHECK(cloud->keystone().ListDomains({}, "Default")->front().id == "default");
  CHECK(cloud->keystone().GetUser({}, "u1")->name == "protector");
  const auto assignments = cloud->keystone().ListRoleAssignments({}, "u1", "t");
  REQUIRE(assignments.ok());
  CHECK(assignments->front().role_name == "admin");
  CHECK(assignments->front().project_id == "t");
}

TEST_CASE("images") {
  TestCloud test;
  test.http.Always(
      "GET", std::string(TestCloud::kGlance) + "/images/i",
      JsonResponse(200, R"({"id":"i","name":"lab-image","status":"active","min_disk":1,"os_distro":"debian"})"));
  const auto image = test.Connected()->glance().GetImage({}, "i");
  REQUIRE(image.ok());
  CHECK(image->min_disk_gb == 1);
  CHECK(image->properties == std::map<std::string, std::string>{{"os_distro", "debian"}});
}

}  // namespace
}  // namespace protector::openstack
