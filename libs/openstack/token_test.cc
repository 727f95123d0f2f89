#include "libs/openstack/token.h"

#include <catch2/catch.hpp>

#include "libs/openstack/endpoints.h"

namespace protector::openstack {
namespace {

cloudconfig::Cloud With(const std::string& auth_type, const std::map<std::string, std::string>& auth) {
  cloudconfig::Cloud cloud;
  cloud.auth_type = auth_type;
  cloud.auth = auth;
  return cloud;
}

TEST_CASE("a password login names user and scope by what is there") {
  CHECK(
      AuthRequest(With("password", {{"username", "u"},
                                    {"password", "p"},
                                    {"project_name", "demo"},
                                    {"user_domain_name", "Default"},
                                    {"project_domain_id", "d1"}}),
                  "")
          .Dump() ==
      R"({"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"u","domain":{"name":"Default"},"password":"p"}}},)"
      R"("scope":{"project":{"name":"demo","domain":{"id":"d1"}}}}})");
  CHECK(
      AuthRequest(With("v3password", {{"user_id", "u1"}, {"password", "p"}, {"project_id", "p1"}}), "p2").Dump() ==
      R"({"auth":{"identity":{"methods":["password"],"password":{"user":{"id":"u1","password":"p"}}},"scope":{"project":{"id":"p2"}}}})");
  CHECK(AuthRequest(With("password", {{"user_id", "u1"}, {"password", "p"}}), "").At("auth.scope") == nullptr);
  CHECK(AuthRequest(With("password", {{"user_id", "u1"}, {"domain_id", "d"}}), "").At("auth.scope")->Dump() ==
        R"({"domain":{"id":"d"}})");
}

TEST_CASE("tokens and application credentials") {
  CHECK(AuthRequest(With("v3token", {{"token", "t"}, {"project_id", "p"}}), "").Dump() ==
        R"({"auth":{"identity":{"methods":["token"],"token":{"id":"t"}},"scope":{"project":{"id":"p"}}}})");
  CHECK(
      AuthRequest(
          With("v3applicationcredential",
               {{"application_credential_id", "a"}, {"application_credential_secret", "s"}, {"project_id", "p"}}),
          "")
          .Dump() ==
      R"({"auth":{"identity":{"methods":["application_credential"],"application_credential":{"secret":"s","id":"a"}}}})");
  CHECK(AuthRequest(
            With("v3applicationcredential",
                 {{"application_credential_name", "n"}, {"application_credential_secret", "s"}, {"username", "u"}}),
            "")
            .At("auth.identity.application_credential")
            ->Dump() == R"({"secret":"s","name":"n","user":{"name":"u","domain":{"id":"default"}}})");
}

TEST_CASE("the address of Keystone in any usual form") {
  for (const std::string url : {"http://h:5000", "http://h:5000/", "http://h:5000/v3", "http://h:5000/v3/",
                                "http://h:5000/v2.0", "http://h:5000/v3/auth/tokens"}) {
    CHECK(IdentityBase(url) == "http://h:5000/v3");
  }
  CHECK(IdentityBase("https://h/identity") == "https://h/identity/v3");
}

TEST_CASE("endpoints get the version they lack, and are found from it") {
  const std::vector<Endpoint> catalog = {{"compute", "nova", "public", "R", "http://h/compute"},
                                         {"block-storage", "cinder", "public", "R", "http://h:8776/v3/p1/"},
                                         {"network", "neutron", "public", "R", "http://vhost:9696"},
                                         {"image", "glance", "internal", "R", "http://h:9292/v2"}};
  cloudconfig::Cloud cloud;
  cloud.region_name = "R";
  cloud.auth["auth_url"] = "http://h:5000";
  CHECK(*EndpointFor(Service::kCompute, cloud, catalog) == "http://h/compute/v2.1");
  CHECK(*EndpointFor(Service::kVolume, cloud, catalog) == "http://h:8776/v3/p1");
  CHECK(*EndpointFor(Service::kNetwork, cloud, catalog) == "http://vhost:9696/v2.0");
  CHECK(*EndpointFor(Service::kIdentity, cloud, catalog) == "http://h:5000/v3");
  CHECK_FALSE(EndpointFor(Service::kImage, cloud, catalog).ok());
  cloud.extra["image_interface"] = "internalURL";
  CHECK(*EndpointFor(Service::kImage, cloud, catalog) == "http://h:9292/v2");
  cloud.extra["block_storage_endpoint_override"] = "http://other:8776/v3/p1";
  CHECK(*EndpointFor(Service::kVolume, cloud, catalog) == "http://other:8776/v3/p1");
  CHECK(VersionUrl("http://h:8776/v3/p1") == "http://h:8776/v3/");
  CHECK(VersionUrl("http://vhost/compute/v2.1") == "http://vhost/compute/v2.1/");
}

TEST_CASE("microversions") {
  CHECK(ParseMicroversion("2.90") == Microversion{2, 90});
  CHECK(Microversion{2, 100} > Microversion{2, 90});
  for (const std::string text : {"", "2", "x.y", "2.9x", "."}) CHECK_FALSE(ParseMicroversion(text).has_value());
  const auto range =
      ParseVersions(R"({"versions":[{"version":"","min_version":""},{"version":"3.70","min_version":"3.0"}]})", 3);
  REQUIRE(range.has_value());
  CHECK(range->max == Microversion{3, 70});
  CHECK_FALSE(ParseVersions(R"({"versions":[]})", 3).has_value());
}

}  // namespace
}  // namespace protector::openstack
