#include "services/site-registry/domain/validator.h"

#include <catch2/catch.hpp>
#include <map>

#include "libs/base/error.h"
#include "libs/store/memory_store.h"

namespace protector::site_registry {
namespace {

const absl::Status kRefused =
    Error(absl::StatusCode::kUnavailable, "SERVICE_UNREACHABLE", "connection refused").Remedy("Start it.");

struct FakeCloud final : CloudPort {
  std::string AuthUrl() const override { return "http://127.0.10.1:5000/v3"; }
  absl::StatusOr<CloudUser> LogIn(absl::Time) override { return user; }
  absl::StatusOr<CloudService> Probe(const std::string& service, absl::Time) override {
    if (down.count(service) != 0) return absl::UnavailableError(service + " does not answer");
    return CloudService{"http://" + service, "2.1", versions.count(service) != 0 ? versions[service] : "", skew};
  }
  absl::StatusOr<std::vector<pb::VolumeType>> VolumeTypes(absl::Time) override { return types; }
  absl::Status TryManageable(const std::string&, absl::Time) override { return manageable; }
  absl::StatusOr<std::vector<std::string>> Pools(absl::Time) override { return pools; }
  absl::StatusOr<std::vector<std::string>> RolesOn(const std::string&, absl::Time) override { return roles; }
  absl::StatusOr<pb::Project> ResolveProject(const std::string&, const std::string&, absl::Time) override {
    return pb::Project();
  }

  absl::StatusOr<CloudUser> user =
      CloudUser{"protector", "service", {"admin"}, {"compute", "volumev3", "network", "image"}};
  std::map<std::string, std::string> versions = {{"compute", "2.93"}, {"volume", "3.70"}};
  std::map<std::string, bool> down;
  absl::Duration skew;
  std::vector<pb::VolumeType> types = [] {
    pb::VolumeType type;
    type.set_name("replicated-async");
    type.set_replicated(true);
    type.set_replication_type("async");
    return std::vector<pb::VolumeType>{type};
  }();
  absl::Status manageable;
  absl::StatusOr<std::vector<std::string>> pools = std::vector<std::string>{"cinder-a@pure#array-a"};
  absl::StatusOr<std::vector<std::string>> roles = std::vector<std::string>{"admin"};
};

struct FakeServices final : ServicesPort {
  absl::Status Health(const ServiceAddress& at, absl::Time) override {
    return down.count(at.service) != 0 ? kRefused : absl::OkStatus();
  }
  absl::StatusOr<protector::storage::v1::Array> GetArray(const ServiceAddress&, absl::Time) override { return array; }
  absl::StatusOr<absl::Duration> ClockSkew(const ServiceAddress&, absl::Time) override { return skew; }
  absl::StatusOr<pb::ValidateSiteResponse> ValidateThere(const ServiceAddress&, absl::Time) override { return there; }
  absl::StatusOr<pb::ListVolumeTypesResponse> VolumeTypesThere(const ServiceAddress&, absl::Time) override {
    return pb::ListVolumeTypesResponse();
  }
  absl::StatusOr<pb::Site> LocalSiteThere(const ServiceAddress&, absl::Time) override { return local_there; }
  absl::StatusOr<std::vector<pb::TenantMapping>> MappingsThere(const ServiceAddress&, absl::Time) override {
    return mappings;
  }
  bool IsNoAnswer(const absl::Status& status) const override {
    return DetailOf(status).reason == "SERVICE_UNREACHABLE";
  }

  std::map<std::string, bool> down;
  absl::StatusOr<protector::storage::v1::Array> array = [] {
    protector::storage::v1::Array found;
    found.set_name("array-a");
    found.set_purity_version("6.4.10");
    auto* connection = found.add_connections();
    connection->set_name("array-b");
    connection->set_type("async-replication");
    connection->set_status("connected");
    return found;
  }();
  absl::StatusOr<absl::Duration> skew = absl::ZeroDuration();
  absl::StatusOr<pb::ValidateSiteResponse> there = pb::ValidateSiteResponse();
  absl::StatusOr<pb::Site> local_there = [] {
    pb::Site site;
    site.set_name("site-b");
    site.set_array_name("array-b");
    site.set_cinder_host("cinder-b@pure#array-b");
    return site;
  }();
  std::vector<pb::TenantMapping> mappings;
};

struct Fixture {
  Fixture() {
    for (const char letter : {'a', 'b'}) {
      pb::CreateSiteRequest request;
      request.mutable_site()->set_name(std::string("site-") + letter);
      request.mutable_site()->set_auth_url("http://127.0.10.1:5000/v3");
      request.mutable_site()->set_array_name(std::string("array-") + letter);
      request.mutable_site()->set_cinder_host(std::string("cinder-") + letter + "@pure#array-" + letter);
      REQUIRE(registry.Create(request).ok());
    }
    pb::TenantMapping mapping;
    mapping.set_site_a("site-a");
    mapping.set_project_id_a("p-a");
    mapping.set_project_name_a("demo");
    mapping.set_site_b("site-b");
    mapping.set_project_id_b("p-b");
    services.mappings = {*registry.CreateMapping(mapping)};
  }
  pb::ValidateSiteResponse Validate(const std::string& site, bool local_only = false) {
    Validator validator(registry, cloud, services, clock, {}, {});
    pb::ValidateSiteRequest request;
    request.set_name(site);
    request.set_local_only(local_only);
    const auto response = validator.Validate(request);
    REQUIRE(response.ok());
    return *response;
  }
  Row Find(const pb::ValidateSiteResponse& response, const std::string& probe) {
    for (const Row& row : response.probes()) {
      if (row.probe() == probe) return row;
    }
    FAIL("no row for " << probe);
    return {};
  }
  // The one probe that is expected to be anything but OK, its remedy given.
  void CheckOnly(const std::string& probe, Row::State state, pb::Site::Status status) {
    const auto response = Validate("site-a");
    for (const Row& row : response.probes()) {
      INFO(row.ShortDebugString());
      CHECK(row.state() == (row.probe() == probe ? state : Row::OK));
      if (row.probe() == probe && state != Row::SKIPPED) CHECK_FALSE(row.remedy().empty());
    }
    CHECK(response.site().status() == status);
    CHECK(registry.Get("site-a")->status() == status);
  }

  ManualClock clock{absl::FromUnixSeconds(1700000000)};
  store::MemoryStore store{clock};
  Registry registry{store, clock, "site-a"};
  FakeCloud cloud;
  FakeServices services;
};

TEST_CASE("a healthy site: every probe has a row, in order, and all are well") {
  Fixture fixture;
  const auto response = fixture.Validate("site-a");
  std::vector<std::string> names;
  for (const Row& row : response.probes()) {
    INFO(row.ShortDebugString());
    CHECK(row.state() == Row::OK);
    names.push_back(row.probe());
  }
  CHECK(names == std::vector<std::string>{"keystone", "catalog", "nova", "cinder", "neutron", "glance",
                                          "service:site-registry", "service:metadata-sync", "service:orchestrator",
                                          "service:storage-pure", "array", "array-link", "clock-skew", "volume-types",
                                          "manage-rights", "cinder-host", "tenant-mapping", "peer"});
  CHECK(response.site().status() == pb::Site::VALID);
  CHECK(fixture.registry.Get("site-a")->last_validated_at().seconds() == 1700000000);
}

TEST_CASE("each fault shows in its own row, with a remedy") {
  Fixture fixture;
  SECTION("catalog") {
    fixture.cloud.user->services = {"compute", "network", "image"};
    fixture.CheckOnly("catalog", Row::FAILED, pb::Site::INVALID);
  }
  SECTION("nova away") {
    fixture.cloud.down["compute"] = true;
    fixture.CheckOnly("nova", Row::FAILED, pb::Site::INVALID);
  }
  SECTION("nova too old") {
    fixture.cloud.versions["compute"] = "2.79";
    fixture.CheckOnly("nova", Row::FAILED, pb::Site::INVALID);
  }
  SECTION("cinder too old") {
    fixture.cloud.versions["volume"] = "3.7";
    fixture.CheckOnly("cinder", Row::FAILED, pb::Site::INVALID);
  }
  SECTION("a service away") {
    fixture.services.down["orchestrator"] = true;
    fixture.CheckOnly("service:orchestrator", Row::FAILED, pb::Site::INVALID);
  }
  SECTION("another array") {
    fixture.services.array->set_name("array-x");
    fixture.CheckOnly("array", Row::FAILED, pb::Site::INVALID);
  }
  SECTION("no link") {
    fixture.services.array->clear_connections();
    fixture.CheckOnly("array-link", Row::FAILED, pb::Site::INVALID);
  }
  SECTION("link to another array only") {
    fixture.services.array->mutable_connections(0)->set_name("array-z");
    fixture.CheckOnly("array-link", Row::FAILED, pb::Site::INVALID);
  }
  SECTION("link partly down") {
    fixture.services.array->mutable_connections(0)->set_status("partially_connected");
    fixture.CheckOnly("array-link", Row::WARNING, pb::Site::VALID);
  }
  SECTION("the cloud's clock is off") {
    fixture.cloud.skew = absl::Seconds(20);
    fixture.CheckOnly("clock-skew", Row::WARNING, pb::Site::VALID);
  }
  SECTION("the peer's clock is far off") {
    fixture.services.skew = -absl::Minutes(10);
    fixture.CheckOnly("clock-skew", Row::FAILED, pb::Site::INVALID);
  }
  SECTION("no replicated volume type") {
    fixture.cloud.types[0].set_replicated(false);
    fixture.CheckOnly("volume-types", Row::FAILED, pb::Site::INVALID);
  }
  SECTION("managing refused by policy") {
    fixture.cloud.manageable = absl::PermissionDeniedError("volume_extension:volume_manage");
    fixture.CheckOnly("manage-rights", Row::FAILED, pb::Site::INVALID);
  }
  SECTION("unknown cinder host") {
    fixture.cloud.pools = std::vector<std::string>{"other@pure#x"};
    fixture.CheckOnly("cinder-host", Row::FAILED, pb::Site::INVALID);
  }
  SECTION("pools not shown") {
    fixture.cloud.pools = absl::PermissionDeniedError("get_pools");
    fixture.CheckOnly("cinder-host", Row::WARNING, pb::Site::VALID);
  }
  SECTION("no role on the mapped project") {
    fixture.cloud.roles = absl::UnauthenticatedError("no");
    fixture.CheckOnly("tenant-mapping", Row::FAILED, pb::Site::INVALID);
  }
  SECTION("a weak role on the mapped project") {
    fixture.cloud.roles = std::vector<std::string>{"member"};
    fixture.CheckOnly("tenant-mapping", Row::WARNING, pb::Site::VALID);
  }
  SECTION("peer away") {
    fixture.services.local_there = kRefused;
    fixture.CheckOnly("peer", Row::WARNING, pb::Site::VALID);
  }
  SECTION("peer has other mappings") {
    fixture.services.mappings.clear();
    fixture.CheckOnly("peer", Row::WARNING, pb::Site::VALID);
  }
  SECTION("another site's registry at the peer's address") {
    fixture.services.local_there->set_name("site-a");
    fixture.CheckOnly("peer", Row::FAILED, pb::Site::INVALID);
  }
}

TEST_CASE("without a login the cloud's other probes are skipped, the rest is tried") {
  Fixture fixture;
  fixture.cloud.user = absl::UnauthenticatedError("wrong password");
  const auto response = fixture.Validate("site-a");
  CHECK(fixture.Find(response, "keystone").state() == Row::FAILED);
  CHECK(fixture.Find(response, "keystone").remedy().find("cloud.password") != std::string::npos);
  for (const char* probe : {"catalog", "nova", "cinder", "volume-types", "tenant-mapping"}) {
    CHECK(fixture.Find(response, probe).state() == Row::SKIPPED);
  }
  CHECK(fixture.Find(response, "array").state() == Row::OK);
  CHECK(response.site().status() == pb::Site::INVALID);
}

TEST_CASE("another site is probed by its own registry") {
  Fixture fixture;
  Row row = Good("fine");
  row.set_probe("keystone");
  *fixture.services.there->add_probes() = row;
  auto response = fixture.Validate("site-b");
  REQUIRE(response.probes_size() == 2);
  CHECK(response.probes(1).probe() == "peer");
  CHECK(response.site().status() == pb::Site::VALID);
  row = Bad("not fine", "mend it");
  row.set_probe("array");
  *fixture.services.there->add_probes() = row;
  CHECK(fixture.Validate("site-b").site().status() == pb::Site::INVALID);
}

TEST_CASE("a site that does not answer is UNREACHABLE, and its services are tried from here") {
  Fixture fixture;
  fixture.services.there = kRefused;
  fixture.services.down["site-registry"] = true;
  const auto response = fixture.Validate("site-b");
  CHECK(response.site().status() == pb::Site::UNREACHABLE);
  CHECK(fixture.Find(response, "keystone").state() == Row::SKIPPED);
  CHECK(fixture.Find(response, "service:site-registry").state() == Row::FAILED);
  CHECK(fixture.Find(response, "service:storage-pure").state() == Row::OK);
  CHECK(fixture.Find(response, "peer").state() == Row::FAILED);
  CHECK_FALSE(fixture.Find(response, "peer").remedy().empty());
}

TEST_CASE("a registry that is asked by the other does not ask back, and probes no site but its own") {
  Fixture fixture;
  const auto response = fixture.Validate("site-a", true);
  for (const Row& row : response.probes()) CHECK(row.probe() != "peer");
  Validator validator(fixture.registry, fixture.cloud, fixture.services, fixture.clock, {}, {});
  pb::ValidateSiteRequest request;
  request.set_name("site-b");
  request.set_local_only(true);
  CHECK(DetailOf(validator.Validate(request).status()).reason == "WRONG_PEER");
}

TEST_CASE("microversions are compared by their numbers") {
  CHECK(AtLeast("2.93", "2.85"));
  CHECK(AtLeast("3.10", "3.8"));
  CHECK_FALSE(AtLeast("2.9", "2.85"));
  CHECK_FALSE(AtLeast("", "2.1"));
}

}  // namespace
}  // namespace protector::site_registry
