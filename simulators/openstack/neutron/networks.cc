#include <fmt/format.h>

#include "simulators/openstack/core/util.h"
#include "simulators/openstack/neutron/ipv4.h"
#include "simulators/openstack/neutron/neutron.h"

namespace protector::ossim {

json Neutron::ShowNetwork(const Identity& who, json network) {
  json subnets = json::array();
  for (const std::string& id : site_.store.table("subnets").Where("network_id", Text(network, "id")))
    subnets.push_back(id);
  network["subnets"] = subnets;
  if (!who.is_admin) {
    for (const char* key : {"provider:network_type", "provider:physical_network", "provider:segmentation_id"})
      network.erase(key);
  }
  return network;
}

const json* Neutron::FindNetwork(const Identity& who, const std::string& id) {
  try {
    return &Visible(who, "networks", id);
  } catch (const ApiError&) {
    return nullptr;
  }
}

json Neutron::CreateNetwork(const Identity& who, const json& given) {
  json doc = NewDoc(who, given);
  CheckQuota("networks", Text(doc, "project_id"), "network");
  bool external = Truth(Member(given, "router:external"));
  if ((external || Truth(Member(given, "shared"))) && !who.is_admin) {
    Fail(403, "(rule:create_network and rule:create_network:shared) is disallowed by policy", "PolicyNotAuthorized");
  }
  doc.update({{"admin_state_up", Truth(Member(given, "admin_state_up"), true)},
              {"mtu", 1450},
              {"status", "ACTIVE"},
              {"shared", Truth(Member(given, "shared"))},
              {"availability_zone_hints", json::array()},
              {"availability_zones", json::array()},
              {"ipv4_address_scope", nullptr},
              {"ipv6_address_scope", nullptr},
              {"router:external", external},
              {"port_security_enabled", true},
              {"provider:network_type", external ? "flat" : "vxlan"},
              {"provider:physical_network", external ? json("external") : json()},
              {"provider:segmentation_id", external ? json() : json(1 + site_.store.table("networks").size())}});
  site_.store.table("networks").Put(Text(doc, "id"), doc);
  return doc;
}

json Neutron::CreateSubnet(const Identity& who, const json& given) {
  const json& network = Visible(who, "networks", Text(given, "network_id"));
  Owned(who, network, "create_subnet");
  auto cidr = ParseCidr(Text(given, "cidr"));
  if (!cidr) {
    Fail(400, fmt::format("Invalid input for cidr. Reason: '{}' is not a valid IP subnet.", Text(given, "cidr")),
         "HTTPBadRequest");
  }
  for (const std::string& id : site_.store.table("subnets").Where("network_id", Text(network, "id"))) {
    auto other = ParseCidr(Text(*site_.store.table("subnets").Find(id), "cidr"));
    if (other && (other->Contains(cidr->network) || cidr->Contains(other->network))) {
      Fail(400,
           fmt::format("Invalid input for operation: Requested subnet with cidr: {} for network: {} overlaps with "
                       "another subnet.",
                       cidr->Text(), Text(network, "id")),
           "InvalidInput");
    }
  }
  json doc = NewDoc(who, given);
  doc["project_id"] = doc["tenant_id"] = network.at("project_id");
  CheckQuota("subnets", Text(doc, "project_id"), "subnet");
  uint32_t gateway = cidr->first() + 1;
  bool no_gateway = given.contains("gateway_ip") && given.at("gateway_ip").is_null();
  if (!Text(given, "gateway_ip").empty()) gateway = ParseIpv4(Text(given, "gateway_ip")).value_or(gateway);
  json pools = Member(given, "allocation_pools");
  if (!pools.is_array() || pools.empty()) {
    uint32_t from = cidr->first() + 1, to = cidr->last() - 1;
    if (!no_gateway && gateway == from) ++from;
    if (!no_gateway && gateway == to) --to;
    pools = {{{"start", FormatIpv4(from)}, {"end", FormatIpv4(to)}}};
  }
  doc.update({{"network_id", network.at("id")},
              {"ip_version", 4},
              {"subnetpool_id", nullptr},
              {"cidr", cidr->Text()},
              {"enable_dhcp", Truth(Member(given, "enable_dhcp"), true)},
              {"ipv6_ra_mode", nullptr},
              {"ipv6_address_mode", nullptr},
              {"gateway_ip", no_gateway ? json() : json(FormatIpv4(gateway))},
              {"allocation_pools", pools},
              {"host_routes", given.value("host_routes", json::array())},
              {"dns_nameservers", given.value("dns_nameservers", json::array())},
              {"service_types", json::array()}});
  site_.store.table("subnets").Put(Text(doc, "id"), doc);
  return doc;
}

void Neutron::AddNetworkRoutes(Router& router) {
  AddCollection(router, "networks", "networks", "network", "networks",
                [this](const Identity& who, json n) { return ShowNetwork(who, std::move(n)); });
  AddCollection(router, "subnets", "subnets", "subnet", "subnets", [](const Identity&, json s) { return s; });
  router.Add("POST", "/v2.0/networks", [this](Request& r) {
    return Response::Json(201,
                          {{"network", ShowNetwork(r.identity, CreateNetwork(r.identity, r.content.at("network")))}});
  });
  router.Add("POST", "/v2.0/subnets", [this](Request& r) {
    return Response::Json(201, {{"subnet", CreateSubnet(r.identity, r.content.at("subnet"))}});
  });
  auto update = [this](const char* table, const char* singular) {
    return [this, table, singular](Request& r) {
      json doc = Visible(r.identity, table, r.args[0]);
      Owned(r.identity, doc, std::string("update_") + singular);
      for (const auto& [key, value] : r.content.at(singular).items()) doc[key] = value;
      Touch(doc);
      site_.store.table(table).Put(r.args[0], doc);
      return Response::Json(200, {{singular, doc}});
    };
  };
  router.Add("PUT", "/v2.0/networks/{}", update("networks", "network"));
  router.Add("PUT", "/v2.0/subnets/{}", update("subnets", "subnet"));
  auto in_use = [this](const std::string& network, const std::string& subnet) {
    for (const std::string& id : site_.store.table("ports").Where("network_id", network)) {
      const json& port = *site_.store.table("ports").Find(id);
      if (subnet.empty()) return true;
      for (const json& ip : port.at("fixed_ips")) {
        if (ip.at("subnet_id") == subnet) return true;
      }
    }
    return false;
  };
  router.Add("DELETE", "/v2.0/networks/{}", [this, in_use](Request& r) {
    json doc = Visible(r.identity, "networks", r.args[0]);
    Owned(r.identity, doc, "delete_network");
    if (in_use(r.args[0], "")) {
      Fail(409,
           fmt::format(
               "Unable to complete operation on network {}. There are one or more ports still in use on the network.",
               r.args[0]),
           "NetworkInUse");
    }
    for (const std::string& id : site_.store.table("subnets").Where("network_id", r.args[0]))
      site_.store.table("subnets").Erase(id);
    site_.store.table("networks").Erase(r.args[0]);
    return Response::Empty(204);
  });
  router.Add("DELETE", "/v2.0/subnets/{}", [this, in_use](Request& r) {
    json doc = Visible(r.identity, "subnets", r.args[0]);
    Owned(r.identity, doc, "delete_subnet");
    if (in_use(Text(doc, "network_id"), r.args[0])) {
      Fail(409,
           fmt::format(
               "Unable to complete operation on subnet {}: One or more ports have an IP allocation from this subnet.",
               r.args[0]),
           "SubnetInUse");
    }
    site_.store.table("subnets").Erase(r.args[0]);
    return Response::Empty(204);
  });
}

}  // namespace protector::ossim
