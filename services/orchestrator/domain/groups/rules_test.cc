#include "services/orchestrator/domain/groups/rules.h"

#include <catch2/catch.hpp>

#include "libs/base/error.h"

namespace protector::orchestrator {
namespace {

groups::Mapping Map(groups::MappingKind kind, const std::string& source, const std::string& target) {
  groups::Mapping mapping;
  mapping.set_kind(kind);
  mapping.set_source(source);
  mapping.set_target(target);
  return mapping;
}

}  // namespace

TEST_CASE("a policy gets its defaults and its array name from the group") {
  const auto policy = CompletePolicy({}, "prod.web-app", false);
  REQUIRE(policy.ok());
  CHECK(policy->replication_interval() == 300);
  CHECK(policy->rpo_minutes() == 15);
  CHECK(policy->pure_pg_name() == "pg-prod-web-app");
  CHECK(policy->stop_timeout() == 60);
  CHECK(CompletePolicy({}, "x", true)->stop_timeout() == 0);
}

TEST_CASE("values that the array would refuse are refused here") {
  groups::Policy policy;
  policy.set_replication_interval(60);
  CHECK(CompletePolicy(policy, "x", false).status().code() == absl::StatusCode::kInvalidArgument);
  policy.set_replication_interval(300);
  for (const std::string name : {"a:b", "-x", "x-", "123", "a b", "../x"}) {
    policy.set_pure_pg_name(name);
    CHECK_FALSE(CompletePolicy(policy, "x", false).ok());
  }
}

TEST_CASE("mappings are refused when a side is empty, unprintable, or a source comes twice") {
  CHECK(CheckMappings({Map(groups::NETWORK, "a", "b"), Map(groups::FLAVOR, "a", "b")}).ok());
  CHECK_FALSE(CheckMappings({Map(groups::NETWORK, "", "b")}).ok());
  CHECK_FALSE(CheckMappings({Map(groups::NETWORK, "a", "\xff")}).ok());
  CHECK_FALSE(CheckMappings({Map(groups::NETWORK, "a", "b"), Map(groups::NETWORK, "a", "c")}).ok());
  CHECK_FALSE(CheckMappings({Map(groups::MAPPING_KIND_UNSPECIFIED, "a", "b")}).ok());
}

TEST_CASE("the command's mappings win over the stored ones") {
  const auto merged =
      MergeMappings({Map(groups::NETWORK, "a", "b"), Map(groups::NETWORK, "c", "d")}, {Map(groups::NETWORK, "a", "x")});
  REQUIRE(merged.size() == 2);
  CHECK(merged[0].target() == "x");
  CHECK(merged[1].target() == "d");
}

TEST_CASE("a mapping is used when a member has its source, by name or by id") {
  groups::GroupDocument group;
  groups::ServerSpec& server = *group.add_members()->mutable_server();
  server.set_flavor_id("f-1");
  server.set_flavor_name("m1.large");
  server.set_key_name("key");
  server.set_availability_zone("nova");
  groups::PortSpec& port = *server.add_ports();
  port.set_network_id("n-1");
  port.set_network_name("net-web");
  port.add_security_groups("sg-web");
  server.add_volumes()->set_volume_type("pure");
  CHECK(UnusedMappings(group, {Map(groups::FLAVOR, "f-1", "x"), Map(groups::FLAVOR, "m1.large", "x"),
                               Map(groups::KEY_PAIR, "key", "x"), Map(groups::AVAILABILITY_ZONE, "nova", "x"),
                               Map(groups::NETWORK, "n-1", "x"), Map(groups::NETWORK, "net-web", "x"),
                               Map(groups::SECURITY_GROUP, "sg-web", "x"), Map(groups::VOLUME_TYPE, "pure", "x")})
            .empty());
  const auto unused = UnusedMappings(group, {Map(groups::NETWORK, "net-wbe", "x"), Map(groups::FLAVOR, "net-web", "x"),
                                             Map(groups::NETWORK, "net-web", "x")});
  REQUIRE(unused.size() == 2);
  CHECK(unused[0].source() == "net-wbe");
  CHECK(unused[1].kind() == groups::FLAVOR);
}

TEST_CASE("a circle of dependencies is found") {
  groups::GroupDocument group;
  for (const std::string id : {"m1", "m2", "m3"}) group.add_members()->set_id(id);
  group.mutable_members(1)->add_depends_on("m1");
  CHECK(CheckDependencies(group).ok());
  group.mutable_members(0)->add_depends_on("m3");
  CHECK(CheckDependencies(group).ok());
  group.mutable_members(2)->add_depends_on("m2");
  CHECK(CheckDependencies(group).code() == absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("the status at rest depends on home, whichever verb brought the group there") {
  groups::GroupDocument group;
  group.set_home_site("site-a");
  group.set_peer_site("site-b");
  CHECK(RestingStatus(group, "site-a") == groups::ACTIVE);
  CHECK(RestingStatus(group, "site-b") == groups::FAILED_OVER);
  CHECK(OtherSite(group, "site-b") == "site-a");
}

}  // namespace protector::orchestrator
