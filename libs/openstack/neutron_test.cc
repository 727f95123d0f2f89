#include <catch2/catch.hpp>

#include "libs/base/error.h"
#include "libs/openstack/test_cloud.h"

namespace protector::openstack {
namespace {

using http::JsonResponse;

const std::string kNeutron = TestCloud::kNeutron;
const char kPort[] =
    R"({"port":{"id":"p1","name":"n","network_id":"net","mac_address":"fa:16:3e:00:00:01","status":"DOWN","tenant_id":"t",
  "fixed_ips":[{"subnet_id":"sub","ip_address":"10.10.1.5"}],"security_groups":["sg"],"tags":["x"],"port_security_enabled":false,
  "allowed_address_pairs":[{"ip_address":"10.10.1.100","mac_address":"fa:16:3e:00:00:01"}],"binding:vnic_type":"normal","device_owner":""}})";

TEST_CASE("a port is read whole, made with its addresses, and changed") {
  TestCloud test;
  test.http.Always("GET", kNeutron + "/ports/p1", JsonResponse(200, kPort));
  test.http.Always("POST", kNeutron + "/ports", JsonResponse(201, kPort));
  test.http.Always("PUT", kNeutron + "/ports/p1", JsonResponse(200, kPort));
  test.http.Always("PUT", kNeutron + "/ports/p1/tags", JsonResponse(200, R"({"tags":["x"]})"));
  const auto cloud = test.Connected();
  const auto port = cloud->neutron().GetPort({}, "p1");
  REQUIRE(port.ok());
  CHECK(port->fixed_ips == std::vector<FixedIp>{{"sub", "10.10.1.5"}});
  CHECK(port->allowed_address_pairs == std::vector<AddressPair>{{"10.10.1.100", "fa:16:3e:00:00:01"}});
  CHECK(port->project_id == "t");
  CHECK_FALSE(port->port_security);

  CreatePort wanted;
  wanted.network_id = "net";
  wanted.project_id = "t";
  wanted.name = "n";
  wanted.mac_address = "fa:16:3e:00:00:01";
  wanted.fixed_ips = {{"", "10.10.1.5"}};
  wanted.security_group_ids = std::vector<std::string>{};
  wanted.allowed_address_pairs = {{"10.10.1.100", ""}};
  REQUIRE(cloud->neutron().CreatePort({}, wanted).ok());
  CHECK(test.LastBody() ==
        *json::Parse(R"({"port":{"network_id":"net","admin_state_up":true,"project_id":"t","name":"n",
    "mac_address":"fa:16:3e:00:00:01","fixed_ips":[{"ip_address":"10.10.1.5"}],"security_groups":[],
    "allowed_address_pairs":[{"ip_address":"10.10.1.100"}]}})"));

  UpdatePort change;
  change.description = "";
  change.security_group_ids = std::vector<std::string>{"sg"};
  REQUIRE(cloud->neutron().UpdatePort({}, "p1", change).ok());
  CHECK(test.LastBody().Dump() == R"({"port":{"description":"","security_groups":["sg"]}})");
  CHECK(cloud->neutron().SetPortTags({}, "p1", {"x"}).ok());
}

TEST_CASE("ports are asked for by many ids in few lists") {
  TestCloud test;
  test.http.Handle("GET", kNeutron + "/ports", [](const http::Request& request) {
    const size_t ids = static_cast<size_t>(std::count(request.url.begin(), request.url.end(), '=')) - 1;
    return absl::StatusOr<http::Response>(
        JsonResponse(200, ids == 50 ? R"({"ports":[{"id":"a"}]})" : R"({"ports":[{"id":"b"}]})"));
  });
  PortFilter filter;
  filter.project_id = "t";
  for (int i = 0; i < 60; ++i) filter.ids.push_back(std::to_string(i));
  const auto ports = test.Connected()->neutron().ListPorts({}, filter);
  REQUIRE(ports.ok());
  REQUIRE(ports->size() == 2);
  CHECK((*ports)[1].id == "b");
  CHECK(test.http.Count("GET", kNeutron + "/ports") == 2);
}

TEST_CASE("a lost creation of a port is unknown, an address that is taken is told apart") {
  TestCloud test;
  const auto cloud = test.Connected();
  test.http.Expect("POST", kNeutron + "/ports", http::ConnectionCut());
  CreatePort wanted;
  wanted.network_id = "net";
  CHECK(http::OutcomeUnknown(cloud->neutron().CreatePort({}, wanted).status()));
  test.http.Expect("POST", kNeutron + "/ports",
                   JsonResponse(409, R"({"NeutronError":{"type":"IpAddressAlreadyAllocated","message":"taken"}})"));
  CHECK(cloud->neutron().CreatePort({}, wanted).status().code() == absl::StatusCode::kAlreadyExists);
  test.http.Expect("DELETE", kNeutron + "/ports/p1", JsonResponse(404, "{}"));
  CHECK(cloud->neutron().DeletePort({}, "p1").ok());
}

TEST_CASE("networks, subnets, security groups, floating IPs and quotas") {
  TestCloud test;
  test.http.Always(
      "GET", kNeutron + "/networks",
      JsonResponse(200,
                   R"({"networks":[{"id":"net","name":"net-primary-web","subnets":["sub"],"router:external":true}]})"));
  test.http.Always(
      "GET", kNeutron + "/subnets",
      JsonResponse(
          200,
          R"({"subnets":[{"id":"sub","cidr":"10.10.1.0/24","allocation_pools":[{"start":"10.10.1.2","end":"10.10.1.254"}]}]})"));
  test.http.Always(
      "GET", kNeutron + "/security-groups",
      JsonResponse(200, R"({"security_groups":[{"id":"sg","name":"sg-web","security_group_rules":[{},{}]}]})"));
  test.http.Always("GET", kNeutron + "/floatingips",
                   JsonResponse(200, R"({"floatingips":[{"id":"f","floating_ip_address":"1.2.3.4","port_id":null}]})"));
  test.http.Always("PUT", kNeutron + "/floatingips/f",
                   JsonResponse(200, R"({"floatingip":{"id":"f","port_id":"p1"}})"));
  test.http.Always(
      "GET", kNeutron + "/quotas/t/details",
      JsonResponse(
          200,
          R"({"quota":{"port":{"limit":5,"used":3,"reserved":0},"floatingip":{"limit":-1,"used":0,"reserved":0}}})"));
  const auto cloud = test.Connected();
  CHECK(cloud->neutron().ListNetworks({}, "net-primary-web")->front().external);
  CHECK(cloud->neutron().ListSubnets({}, "net")->front().allocation_pools.front().end == "10.10.1.254");
  CHECK(cloud->neutron().ListSecurityGroups({}, "t")->front().rule_count == 2);
  CHECK(cloud->neutron().ListFloatingIps({}, {})->front().port_id.empty());
  CHECK(cloud->neutron().AssociateFloatingIp({}, "f", "p1", "10.10.1.5")->port_id == "p1");
  CHECK(test.LastBody().Dump() == R"({"floatingip":{"port_id":"p1","fixed_ip_address":"10.10.1.5"}})");
  CHECK(cloud->neutron().AssociateFloatingIp({}, "f", "", "").ok());
  CHECK(test.LastBody().Dump() == R"({"floatingip":{"port_id":null}})");
  CHECK(cloud->neutron().GetNetworkQuotas({}, "t")->ports.Fits(2));
  CHECK_FALSE(cloud->neutron().GetNetworkQuotas({}, "t")->ports.Fits(3));
}

}  // namespace
}  // namespace protector::openstack
