#include "services/site-registry/domain/registry.h"

#include <catch2/catch.hpp>

#include "libs/base/error.h"
#include "libs/store/memory_store.h"

namespace protector::site_registry {
namespace {

struct Fixture {
  ManualClock clock{absl::FromUnixSeconds(1700000000)};
  store::MemoryStore store{clock};
  Registry registry{store, clock, "site-a"};

  static pb::CreateSiteRequest Request(const std::string& name, const std::string& url = "http://127.0.10.1:5000/v3") {
    pb::CreateSiteRequest request;
    request.mutable_site()->set_name(name);
    request.mutable_site()->set_auth_url(url);
    return request;
  }
  void Both() {
    REQUIRE(registry.Create(Request("site-a")).ok());
    REQUIRE(registry.Create(Request("site-b", "https://cloud-b.example/identity")).ok());
  }
  static pb::TenantMapping Mapping(const std::string& a = "p-a", const std::string& b = "p-b") {
    pb::TenantMapping mapping;
    mapping.set_site_a("site-a");
    mapping.set_project_id_a(a);
    mapping.set_site_b("site-b");
    mapping.set_project_id_b(b);
    return mapping;
  }
  static pb::DeleteSiteRequest Deletion(const std::string& name, bool force = false) {
    pb::DeleteSiteRequest request;
    request.set_name(name);
    request.set_force(force);
    return request;
  }
};

std::string ReasonOf(const absl::Status& status) {
  return DetailOf(status).reason;
}

TEST_CASE("a site is found by name, by id and as the local one, with its endpoints completed") {
  Fixture fixture;
  fixture.Both();
  const auto site = fixture.registry.Get("site-b");
  REQUIRE(site.ok());
  CHECK(site->endpoints().site_registry() == "cloud-b.example:7101");
  CHECK(site->endpoints().storage_pure() == "cloud-b.example:7104");
  CHECK_FALSE(site->local());
  CHECK(fixture.registry.Get(site->id())->name() == "site-b");
  CHECK(fixture.registry.Get("")->name() == "site-a");
  CHECK(fixture.registry.Get("")->local());
  CHECK(ReasonOf(fixture.registry.Get("site-c").status()) == "SITE_NOT_FOUND");
  CHECK(ReasonOf(fixture.registry.Create(Fixture::Request("site-a")).status()) == "SITE_EXISTS");
}

TEST_CASE("a repeated creation with the same request id answers as the first did") {
  Fixture fixture;
  auto request = Fixture::Request("site-a");
  request.set_request_id("r-1");
  const auto first = fixture.registry.Create(request);
  CHECK(fixture.registry.Create(request)->etag() == first->etag());
  request.set_request_id("r-2");
  CHECK(ReasonOf(fixture.registry.Create(request).status()) == "SITE_EXISTS");
}

TEST_CASE("bad sites are refused and change nothing") {
  Fixture fixture;
  const auto refused = [&](const std::function<void(pb::Site&)>& spoil) {
    auto request = Fixture::Request("site-a");
    spoil(*request.mutable_site());
    return fixture.registry.Create(request).status().code() == absl::StatusCode::kInvalidArgument;
  };
  CHECK(refused([](pb::Site& s) { s.set_name(""); }));
  CHECK(refused([](pb::Site& s) { s.set_name(std::string(64, 'x')); }));
  CHECK(refused([](pb::Site& s) { s.set_name("a b"); }));
  CHECK(refused([](pb::Site& s) { s.set_auth_url("127.0.10.1:5000"); }));
  CHECK(refused([](pb::Site& s) { s.set_auth_url("http://user:pw@host/v3"); }));
  CHECK(refused([](pb::Site& s) { s.set_auth_url("http:///v3"); }));
  CHECK(refused([](pb::Site& s) { s.set_cinder_host("cinder-a"); }));
  CHECK(refused([](pb::Site& s) { s.set_description("line\nbreak"); }));
  CHECK(refused([](pb::Site& s) { s.set_region(std::string(5000, 'x')); }));
  CHECK(refused([](pb::Site& s) { s.mutable_endpoints()->set_orchestrator("host"); }));
  CHECK(refused([](pb::Site& s) { s.mutable_endpoints()->set_orchestrator("host:99999"); }));
  CHECK(fixture.registry.All()->empty());
}

TEST_CASE("updates change what the mask names, guard by etag and take the status away") {
  Fixture fixture;
  fixture.Both();
  REQUIRE(fixture.registry.SetStatus("site-a", pb::Site::VALID).ok());
  const pb::Site before = *fixture.registry.Get("site-a");
  CHECK(before.status() == pb::Site::VALID);
  CHECK(before.last_validated_at().seconds() == 1700000000);
  pb::UpdateSiteRequest request;
  request.mutable_site()->set_name("site-a");
  request.mutable_site()->set_etag(before.etag());
  request.mutable_site()->set_cinder_host("cinder-a@pure#array-a");
  request.mutable_site()->set_description("not in the mask");
  request.mutable_update_mask()->add_paths("cinder_host");
  const auto after = fixture.registry.Update(request);
  REQUIRE(after.ok());
  CHECK(after->cinder_host() == "cinder-a@pure#array-a");
  CHECK(after->description().empty());
  CHECK(after->etag() != before.etag());
  CHECK(after->status() == pb::Site::STATUS_UNSPECIFIED);
  CHECK(ReasonOf(fixture.registry.Update(request).status()) == "ETAG_MISMATCH");
  request.mutable_site()->clear_etag();
  request.mutable_update_mask()->add_paths("name");
  CHECK(ReasonOf(fixture.registry.Update(request).status()) == "INVALID_ARGUMENT");
  request.mutable_update_mask()->clear_paths();
  CHECK(ReasonOf(fixture.registry.Update(request).status()) == "INVALID_ARGUMENT");
}

TEST_CASE("tenant mappings are the same on both registries, whichever way they are given") {
  Fixture fixture;
  fixture.Both();
  const auto made = fixture.registry.CreateMapping(Fixture::Mapping());
  REQUIRE(made.ok());
  pb::TenantMapping turned;
  turned.set_site_a("site-b");
  turned.set_project_id_a("p-b");
  turned.set_site_b("site-a");
  turned.set_project_id_b("p-a");
  CHECK(Normalised(turned).id() == made->id());
  CHECK(ReasonOf(fixture.registry.CreateMapping(turned).status()) == "TENANT_MAPPING_EXISTS");
  CHECK(ReasonOf(fixture.registry.CreateMapping(Fixture::Mapping("p-a", "p-x")).status()) == "TENANT_MAPPING_EXISTS");
  CHECK(ReasonOf(fixture.registry.CreateMapping(Fixture::Mapping("p-x", "p-b")).status()) == "TENANT_MAPPING_EXISTS");
  CHECK(fixture.registry.CreateMapping(Fixture::Mapping("p-x", "p-y")).ok());
  CHECK(fixture.registry.Mappings("", "")->size() == 2);
  CHECK(fixture.registry.Mappings("site-a", "p-a")->size() == 1);
  CHECK(fixture.registry.Mappings("site-a", "p-b")->empty());
  CHECK(fixture.registry.DeleteMapping(made->id()).ok());
  CHECK(ReasonOf(fixture.registry.DeleteMapping(made->id())) == "TENANT_MAPPING_NOT_FOUND");
}

TEST_CASE("mappings of unknown sites, of one site twice or without projects are refused") {
  Fixture fixture;
  CHECK(ReasonOf(fixture.registry.CreateMapping(Fixture::Mapping()).status()) == "SITE_NOT_FOUND");
  fixture.Both();
  auto same = Fixture::Mapping();
  same.set_site_b("site-a");
  CHECK(ReasonOf(fixture.registry.CreateMapping(same).status()) == "INVALID_ARGUMENT");
  CHECK(ReasonOf(fixture.registry.CreateMapping(Fixture::Mapping("", "p")).status()) == "INVALID_ARGUMENT");
  CHECK(ReasonOf(fixture.registry.CreateMapping(Fixture::Mapping("a/b", "p")).status()) == "INVALID_ARGUMENT");
}

TEST_CASE("a site in use is deleted by force only, with its mappings") {
  Fixture fixture;
  fixture.Both();
  REQUIRE(fixture.registry.CreateMapping(Fixture::Mapping()).ok());
  CHECK(ReasonOf(fixture.registry.Delete(Fixture::Deletion("site-b"))) == "SITE_IN_USE");
  auto wrong = Fixture::Deletion("site-b", true);
  wrong.set_etag("other");
  CHECK(ReasonOf(fixture.registry.Delete(wrong)) == "ETAG_MISMATCH");
  CHECK(fixture.registry.Delete(Fixture::Deletion("site-b", true)).ok());
  CHECK(fixture.registry.Mappings("", "")->empty());
  CHECK(ReasonOf(fixture.registry.Delete(Fixture::Deletion("site-b"))) == "SITE_NOT_FOUND");
  CHECK(ReasonOf(fixture.registry.Delete(Fixture::Deletion(""))) == "INVALID_ARGUMENT");
}

TEST_CASE("sites are listed by name, in pages") {
  Fixture fixture;
  for (const char* name : {"c", "a", "b"}) REQUIRE(fixture.registry.Create(Fixture::Request(name)).ok());
  pb::ListSitesRequest request;
  request.set_page_size(2);
  const auto first = fixture.registry.List(request);
  REQUIRE(first->sites_size() == 2);
  CHECK(first->sites(0).name() == "a");
  request.set_page_token(first->next_page_token());
  const auto rest = fixture.registry.List(request);
  REQUIRE(rest->sites_size() == 1);
  CHECK(rest->sites(0).name() == "c");
  CHECK(rest->next_page_token().empty());
}

TEST_CASE("hosts of URLs") {
  CHECK(HostOfUrl("http://127.0.10.1:5000/v3") == "127.0.10.1");
  CHECK(HostOfUrl("https://cloud.example/identity/v3") == "cloud.example");
  CHECK(HostOfUrl("http://[::1]:5000/v3") == "[::1]");
  CHECK(HostOfUrl("cloud.example").empty());
}

}  // namespace
}  // namespace protector::site_registry
