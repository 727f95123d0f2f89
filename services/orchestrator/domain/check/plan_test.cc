#include "services/orchestrator/domain/check/plan.h"

#include <catch2/catch.hpp>

#include <algorithm>

namespace protector::orchestrator {
namespace {

using peer::Finding;

peer::CheckTargetRequest Request() {
  peer::CheckTargetRequest request;
  auto* member = request.mutable_group()->add_members();
  member->set_id("m1");
  auto* server = member->mutable_server();
  server->set_name("web-1");
  server->set_flavor_id("a-large");
  server->set_flavor_name("m1.large");
  server->set_vcpus(4);
  server->set_ram_mib(8192);
  server->set_key_name("demo-key");
  auto* port = server->add_ports();
  port->set_network_id("n-a");
  port->set_network_name("net-primary-web");
  port->set_mac_address("fa:16:3e:00:00:01");
  port->add_security_groups("sg-web");
  port->add_fixed_ips()->set_ip_address("10.10.1.7");
  auto* volume = server->add_volumes();
  volume->set_volume_type("replicated-async");
  volume->set_size_gib(10);
  const auto map = [&](group::v1::MappingKind kind, const std::string& source, const std::string& target) {
    auto* mapping = request.mutable_mappings()->add_mappings();
    mapping->set_kind(kind);
    mapping->set_source(source);
    mapping->set_target(target);
  };
  map(group::v1::NETWORK, "net-primary-web", "net-secondary-web");
  map(group::v1::FLAVOR, "m1.large", "m2.large");
  return request;
}

Inventory Target() {
  Inventory inventory;
  inventory.site = "site-b";
  inventory.project_id = "p-b";
  inventory.networks = {{"n-b", "net-secondary-web", {{"s-b", "10.10.1.0/24", 4}}}};
  inventory.flavors = {{"b-large", "m2.large", 4, 8192, 20, false}};
  inventory.security_groups = {{"sg-1", "sg-web"}};
  inventory.key_pairs = {{"demo-key", "ssh-rsa AAAA demo"}};
  inventory.volume_types = {{"t-1", "replicated-async", true, "async"}};
  inventory.quotas = {{"instances", {10, 0}}, {"volumes", {10, 0}}, {"gigabytes", {100, 0}}};
  return inventory;
}

const Finding* Blocker(const MembersPlan& plan, const std::string& check) {
  const auto found = std::find_if(plan.findings.begin(), plan.findings.end(), [&](const Finding& finding) {
    return finding.check() == check && finding.severity() == Finding::BLOCKER;
  });
  return found == plan.findings.end() ? nullptr : &*found;
}

bool Ready(const MembersPlan& plan) {
  return std::none_of(plan.findings.begin(), plan.findings.end(),
                      [](const Finding& finding) { return finding.severity() == Finding::BLOCKER; });
}

}  // namespace

TEST_CASE("a ready target resolves every name to the target's ids and keeps addresses") {
  const MembersPlan plan = PlanMembers(Request(), Target());
  CHECK(Ready(plan));
  REQUIRE(plan.plans.size() == 1);
  CHECK(plan.plans[0].flavor_id() == "b-large");
  CHECK(plan.plans[0].key_name() == "demo-key");
  REQUIRE(plan.plans[0].ports_size() == 1);
  const auto& port = plan.plans[0].ports(0);
  CHECK(port.network_id() == "n-b");
  CHECK(port.mac_address() == "fa:16:3e:00:00:01");
  CHECK(port.security_group_ids(0) == "sg-1");
  REQUIRE(port.fixed_ips_size() == 1);
  CHECK(port.fixed_ips(0).subnet_id() == "s-b");
}

TEST_CASE("everything that is missing on the target is a blocker with a remedy") {
  const auto broken = [](auto change) {
    Inventory inventory = Target();
    change(inventory);
    return PlanMembers(Request(), inventory);
  };
  const auto check = [&](const std::string& name, auto change) {
    const MembersPlan plan = broken(change);
    const Finding* finding = Blocker(plan, name);
    INFO(name);
    REQUIRE(finding != nullptr);
    CHECK_FALSE(finding->remedy().empty());
    CHECK(finding->site() == "site-b");
  };
  check("network", [](Inventory& i) { i.networks.clear(); });
  check("flavor", [](Inventory& i) { i.flavors.clear(); });
  check("flavor", [](Inventory& i) { i.flavors[0].disabled = true; });
  check("security-group", [](Inventory& i) { i.security_groups.clear(); });
  check("key-pair", [](Inventory& i) { i.key_pairs.clear(); });
  check("volume-type", [](Inventory& i) { i.volume_types.clear(); });
  check("quota-instances", [](Inventory& i) { i.quotas["instances"] = {10, 10}; });
  check("quota-gigabytes", [](Inventory& i) { i.quotas["gigabytes"] = {15, 6}; });
  check("fixed-ip", [](Inventory& i) {
    i.ports = {{"p-9", "n-b", "p-b", "fa:16:3e:00:00:99", {"10.10.1.7"}, "someone", ""}};
  });
}

TEST_CASE("a network without a mapping is refused") {
  auto request = Request();
  request.mutable_mappings()->mutable_mappings()->DeleteSubrange(0, 1);
  CHECK(Blocker(PlanMembers(request, Target()), "mapping") != nullptr);
}

TEST_CASE("an unused port of the project that holds the address is taken over") {
  Inventory inventory = Target();
  inventory.ports = {{"p-9", "n-b", "p-b", "fa:16:3e:00:00:01", {"10.10.1.7"}, "", "made by the user"}};
  const MembersPlan plan = PlanMembers(Request(), inventory);
  CHECK(Ready(plan));
  CHECK(plan.plans[0].ports(0).fixed_ips_size() == 1);
}

TEST_CASE("an address outside the target's subnets is a warning and not asked for") {
  Inventory inventory = Target();
  inventory.networks[0].subnets[0].cidr = "10.20.1.0/24";
  const MembersPlan plan = PlanMembers(Request(), inventory);
  CHECK(Ready(plan));
  CHECK(plan.plans[0].ports(0).fixed_ips_size() == 0);
}

TEST_CASE("a key pair that was captured needs not exist on the target") {
  auto request = Request();
  request.mutable_group()->mutable_members(0)->mutable_server()->set_public_key("ssh-rsa AAAA demo");
  Inventory inventory = Target();
  inventory.key_pairs.clear();
  CHECK(Ready(PlanMembers(request, inventory)));
}

TEST_CASE("address ranges of both families") {
  CHECK(AddressInRange("10.10.1.7", "10.10.1.0/24"));
  CHECK_FALSE(AddressInRange("10.10.2.7", "10.10.1.0/24"));
  CHECK(AddressInRange("10.10.1.130", "10.10.1.128/25"));
  CHECK_FALSE(AddressInRange("10.10.1.127", "10.10.1.128/25"));
  CHECK(AddressInRange("2001:db8::7", "2001:db8::/64"));
  CHECK_FALSE(AddressInRange("10.10.1.7", "2001:db8::/64"));
  CHECK_FALSE(AddressInRange("10.10.1.7", "10.10.1.0"));
  CHECK_FALSE(AddressInRange("nonsense", "10.10.1.0/24"));
  CHECK_FALSE(AddressInRange("10.10.1.7", "10.10.1.0/33"));
  CHECK(AddressInRange("10.10.1.7", "0.0.0.0/0"));
}

}  // namespace protector::orchestrator
