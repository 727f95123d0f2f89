#include <fmt/format.h>

#include "simulators/openstack/core/quota.h"
#include "simulators/openstack/core/util.h"
#include "simulators/openstack/neutron/ipv4.h"
#include "simulators/openstack/neutron/neutron.h"

namespace protector::ossim {

json Neutron::AddRouterInterface(const Identity& who, const std::string& router_id, const json& given) {
  json router = Visible(who, "routers", router_id);
  json port;
  if (!Text(given, "port_id").empty()) {
    port = Visible(who, "ports", Text(given, "port_id"));
  } else {
    json subnet = Visible(who, "subnets", Text(given, "subnet_id"));
    port =
        CreatePort(who, {{"network_id", subnet.at("network_id")},
                         {"project_id", router.at("project_id")},
                         {"security_groups", json::array()},
                         {"fixed_ips", {{{"subnet_id", subnet.at("id")}, {"ip_address", subnet.at("gateway_ip")}}}}});
  }
  port.update({{"device_id", router_id}, {"device_owner", "network:router_interface"}, {"status", "ACTIVE"}});
  site_.store.table("ports").Put(Text(port, "id"), port);
  return {{"id", router_id},
          {"tenant_id", router.at("tenant_id")},
          {"project_id", router.at("project_id")},
          {"port_id", port.at("id")},
          {"network_id", port.at("network_id")},
          {"subnet_id", port.at("fixed_ips")[0].at("subnet_id")},
          {"subnet_ids", {port.at("fixed_ips")[0].at("subnet_id")}}};
}

void Neutron::AddRouterRoutes(Router& router) {
  auto plain = [](const Identity&, json doc) { return doc; };
  AddCollection(router, "routers", "routers", "router", "routers", plain);
  AddCollection(router, "floatingips", "floatingips", "floatingip", "floatingips", plain);
  router.Add("POST", "/v2.0/routers", [this](Request& r) {
    const json& given = r.content.at("router");
    json doc = NewDoc(r.identity, given);
    CheckQuota("routers", Text(doc, "project_id"), "router");
    doc.update({{"admin_state_up", true},
                {"status", "ACTIVE"},
                {"external_gateway_info", Member(given, "external_gateway_info")},
                {"routes", json::array()},
                {"availability_zones", json::array()},
                {"availability_zone_hints", json::array()},
                {"flavor_id", nullptr}});
    site_.store.table("routers").Put(Text(doc, "id"), doc);
    return Response::Json(201, {{"router", doc}});
  });
  router.Add("PUT", "/v2.0/routers/{}", [this](Request& r) {
    json doc = Visible(r.identity, "routers", r.args[0]);
    Owned(r.identity, doc, "update_router");
    for (const auto& [key, value] : r.content.at("router").items()) doc[key] = value;
    Touch(doc);
    site_.store.table("routers").Put(r.args[0], doc);
    return Response::Json(200, {{"router", doc}});
  });
  router.Add("DELETE", "/v2.0/routers/{}", [this](Request& r) {
    json doc = Visible(r.identity, "routers", r.args[0]);
    Owned(r.identity, doc, "delete_router");
    if (!site_.store.table("ports").Where("device_id", r.args[0]).empty()) {
      Fail(409, fmt::format("Router {} still has ports", r.args[0]), "RouterInUse");
    }
    site_.store.table("routers").Erase(r.args[0]);
    return Response::Empty(204);
  });
  router.Add("PUT", "/v2.0/routers/{}/add_router_interface",
             [this](Request& r) { return Response::Json(200, AddRouterInterface(r.identity, r.args[0], r.content)); });
  router.Add("PUT", "/v2.0/routers/{}/remove_router_interface", [this](Request& r) {
    json doc = Visible(r.identity, "routers", r.args[0]);
    for (const std::string& id : site_.store.table("ports").Where("device_id", r.args[0])) {
      json port = *site_.store.table("ports").Find(id);
      bool fits = id == Text(r.content, "port_id");
      for (const json& ip : port.at("fixed_ips")) fits = fits || ip.at("subnet_id") == Text(r.content, "subnet_id");
      if (!fits) continue;
      DropPort(id);
      return Response::Json(200, {{"id", r.args[0]},
                                  {"tenant_id", doc.at("tenant_id")},
                                  {"port_id", id},
                                  {"network_id", port.at("network_id")},
                                  {"subnet_id", port.at("fixed_ips")[0].at("subnet_id")}});
    }
    Fail(404, fmt::format("Router {} has no interface on subnet {}", r.args[0], Text(r.content, "subnet_id")),
         "RouterInterfaceNotFoundForSubnet");
  });

  auto associate = [this](const Identity& who, json& fip, const json& given) {
    if (!given.contains("port_id")) return;
    if (given.at("port_id").is_null()) {
      fip.update({{"port_id", nullptr},
                  {"fixed_ip_address", nullptr},
                  {"router_id", nullptr},
                  {"status", "DOWN"},
                  {"port_details", nullptr}});
      return;
    }
    const json& port = Visible(who, "ports", Text(given, "port_id"));
    std::string address = Text(given, "fixed_ip_address",
                               port.at("fixed_ips").empty() ? "" : Text(port.at("fixed_ips")[0], "ip_address"));
    json router_id;
    for (const std::string& id : site_.store.table("ports").Where("network_id", Text(port, "network_id"))) {
      const json& other = *site_.store.table("ports").Find(id);
      if (Text(other, "device_owner") == "network:router_interface") router_id = other.at("device_id");
    }
    if (router_id.is_null()) {
      Fail(
          404,
          fmt::format("External network {} is not reachable from subnet {}.  Therefore, cannot associate Port {} with "
                      "a Floating IP.",
                      Text(fip, "floating_network_id"),
                      port.at("fixed_ips").empty() ? "" : Text(port.at("fixed_ips")[0], "subnet_id"), Text(port, "id")),
          "ExternalGatewayForFloatingIPNotFound");
    }
    fip.update({{"port_id", port.at("id")},
                {"fixed_ip_address", address},
                {"router_id", router_id},
                {"status", "ACTIVE"},
                {"port_details",
                 {{"name", port.at("name")},
                  {"network_id", port.at("network_id")},
                  {"mac_address", port.at("mac_address")},
                  {"admin_state_up", true},
                  {"status", port.at("status")},
                  {"device_id", port.at("device_id")},
                  {"device_owner", port.at("device_owner")}}}});
  };
  router.Add("POST", "/v2.0/floatingips", [this, associate](Request& r) {
    const json& given = r.content.at("floatingip");
    const json network = Visible(r.identity, "networks", Text(given, "floating_network_id"));
    if (!network.value("router:external", false)) {
      Fail(400, fmt::format("Bad floatingip request: Network {} is not a valid external network.", Text(network, "id")),
           "BadRequest");
    }
    json doc = NewDoc(r.identity, given);
    doc.erase("name");
    CheckQuota("floatingips", Text(doc, "project_id"), "floatingip");
    json wanted;
    if (!Text(given, "floating_ip_address").empty()) wanted = {{{"ip_address", given.at("floating_ip_address")}}};
    json ips = FillFixedIps(Text(network, "id"), wanted, Text(doc, "id"));
    doc.update({{"floating_network_id", network.at("id")},
                {"floating_ip_address", ips[0].at("ip_address")},
                {"floating_subnet_id", ips[0].at("subnet_id")},
                {"port_id", nullptr},
                {"fixed_ip_address", nullptr},
                {"router_id", nullptr},
                {"status", "DOWN"},
                {"port_details", nullptr},
                {"port_forwardings", json::array()},
                {"qos_policy_id", nullptr},
                {"dns_name", ""},
                {"dns_domain", ""}});
    associate(r.identity, doc, given);
    site_.store.table("floatingips").Put(Text(doc, "id"), doc);
    return Response::Json(201, {{"floatingip", doc}});
  });
  router.Add("PUT", "/v2.0/floatingips/{}", [this, associate](Request& r) {
    json doc = Visible(r.identity, "floatingips", r.args[0]);
    const json& given = r.content.at("floatingip");
    associate(r.identity, doc, given);
    if (given.contains("description")) doc["description"] = given.at("description");
    Touch(doc);
    site_.store.table("floatingips").Put(r.args[0], doc);
    return Response::Json(200, {{"floatingip", doc}});
  });
  router.Add("DELETE", "/v2.0/floatingips/{}", [this](Request& r) {
    json doc = Visible(r.identity, "floatingips", r.args[0]);
    site_.store.table("ip_allocations").Erase(Text(doc, "floating_subnet_id") + "|" + Text(doc, "floating_ip_address"));
    site_.store.table("floatingips").Erase(r.args[0]);
    return Response::Empty(204);
  });
}

void Neutron::AddMiscRoutes(Router& router) {
  router
      .Add("GET", "/",
           [this](Request&) {
             return Response::Json(
                 200, {{"versions",
                        {{{"id", "v2.0"},
                          {"status", "CURRENT"},
                          {"links", {{{"rel", "self"}, {"href", site_.config.Url("neutron") + "/v2.0/"}}}}}}}});
           })
      .needs_token = false;
  router.Add("GET", "/v2.0", [](Request&) { return Response::Json(200, {{"resources", json::array()}}); });
  static const std::vector<std::pair<std::string, std::string>> extensions = {
      {"allowed-address-pairs", "Allowed Address Pairs"},
      {"binding", "Port Binding"},
      {"external-net", "Neutron external network"},
      {"port-security", "Port Security"},
      {"project-id", "project_id field enabled"},
      {"quotas", "Quota management support"},
      {"quota_details", "Quota details management support"},
      {"router", "Neutron L3 Router"},
      {"security-group", "security-group"},
      {"standard-attr-description", "standard-attr-description"},
      {"standard-attr-revisions", "Resource revision numbers"},
      {"standard-attr-tag",
       "Tag support for resources with standard attribute: floatingip, network, port, router, security_group, subnet"},
      {"standard-attr-timestamp", "Resource timestamps"},
      {"provider", "Provider Network"},
      {"pagination", "Pagination support"},
      {"sorting", "Sorting support"},
      {"net-mtu", "Network MTU"},
      {"ip-substring-filtering", "IP address substring filtering"},
      {"fip-port-details", "Floating IP Port Details Extension"},
      {"stateful-security-group", "Stateful security group"}};
  auto entry = [](const std::pair<std::string, std::string>& e) {
    return json{{"alias", e.first},
                {"name", e.second},
                {"description", e.second},
                {"links", json::array()},
                {"updated", "2017-01-01T00:00:00-00:00"}};
  };
  router.Add("GET", "/v2.0/extensions", [entry](Request&) {
    json out = json::array();
    for (const auto& e : extensions) out.push_back(entry(e));
    return Response::Json(200, {{"extensions", out}});
  });
  router.Add("GET", "/v2.0/extensions/{}", [entry](Request& r) {
    for (const auto& e : extensions) {
      if (e.first == r.args[0]) return Response::Json(200, {{"extension", entry(e)}});
    }
    Fail(404, fmt::format("Extension with alias {} does not exist", r.args[0]), "HTTPNotFound");
  });
  router.Add("GET", "/v2.0/agents", [](Request&) { return Response::Json(200, {{"agents", json::array()}}); });
  router.Add("GET", "/v2.0/availability_zones", [](Request&) {
    return Response::Json(200, {{"availability_zones", json::array()}});
  });
  for (const char* name : {"subnetpools", "trunks", "address_scopes"}) {
    std::string plural = name;
    router.Add("GET", "/v2.0/" + (plural == "address_scopes" ? std::string("address-scopes") : plural),
               [plural](Request&) {
                 return Response::Json(200, {{plural, json::array()}});
               });
  }
  static const std::vector<std::pair<std::string, std::string>> resources = {
      {"network", "networks"},
      {"subnet", "subnets"},
      {"port", "ports"},
      {"router", "routers"},
      {"floatingip", "floatingips"},
      {"security_group", "security_groups"},
      {"security_group_rule", "security_group_rules"}};
  auto own = [](Request& r) {
    if (r.args[0] != r.identity.project_id && !r.identity.is_admin)
      Fail(403, "(rule:get_quota) is disallowed by policy", "PolicyNotAuthorized");
  };
  auto quota = [this](const std::string& project) {
    json out = json::object();
    for (const auto& [name, table] : resources) out[name] = QuotaLimit(site_, "neutron", project, name);
    out["subnetpool"] = out["rbac_policy"] = -1;
    return out;
  };
  router.Add("GET", "/v2.0/quotas/{}", [own, quota](Request& r) {
    own(r);
    return Response::Json(200, {{"quota", quota(r.args[0])}});
  });
  router.Add("GET", "/v2.0/quotas/{}/default", [quota](Request&) {
    return Response::Json(200, {{"quota", quota("default")}});
  });
  auto details = [this, own](Request& r) {
    own(r);
    json out = json::object();
    for (const auto& [name, table] : resources) {
      out[name] = {{"limit", QuotaLimit(site_, "neutron", r.args[0], name)},
                   {"reserved", 0},
                   {"used", site_.store.table(table).Where("project_id", r.args[0]).size()}};
    }
    for (const char* name : {"rbac_policy", "subnetpool"}) out[name] = {{"limit", -1}, {"reserved", 0}, {"used", 0}};
    return Response::Json(200, {{"quota", out}});
  };
  router.Add("GET", "/v2.0/quotas/{}/details", details);
  router.Add("PUT", "/v2.0/quotas/{}", [this, quota](Request& r) {
    if (!r.identity.is_admin) Fail(403, "(rule:update_quota) is disallowed by policy", "PolicyNotAuthorized");
    for (const auto& [key, value] : r.content.at("quota").items()) {
      if (value.is_number()) SetQuota(site_, "neutron", r.args[0], key, value.get<int64_t>());
    }
    return Response::Json(200, {{"quota", quota(r.args[0])}});
  });
}

}  // namespace protector::ossim
