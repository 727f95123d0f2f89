#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "simulators/openstack/core/quota.h"
#include "simulators/openstack/core/util.h"
#include "simulators/openstack/neutron/ipv4.h"
#include "simulators/openstack/neutron/neutron.h"

namespace protector::ossim {

std::string Neutron::TakeAddress(const json& subnet, const std::string& port_id) {
  Table& taken = site_.store.table("ip_allocations");
  std::string id = Text(subnet, "id");
  for (const json& pool : subnet.at("allocation_pools")) {
    uint32_t from = *ParseIpv4(Text(pool, "start")), to = *ParseIpv4(Text(pool, "end"));
    uint32_t size = to - from + 1;
    // A random start, then upwards: spread like Neutron's, but a full pool is still searched whole.
    uint32_t start = static_cast<uint32_t>(RandomU64() % size);
    for (uint32_t i = 0; i < size; ++i) {
      std::string address = FormatIpv4(from + (start + i) % size);
      if (taken.Has(id + "|" + address)) continue;
      taken.Put(id + "|" + address, {{"port_id", port_id}});
      return address;
    }
  }
  Fail(409, fmt::format("No more IP addresses available on network {}.", Text(subnet, "network_id")),
       "IpAddressGenerationFailure");
}

json Neutron::FillFixedIps(const std::string& network_id, const json& wanted, const std::string& port_id) {
  Table& taken = site_.store.table("ip_allocations");
  Table& subnets = site_.store.table("subnets");
  std::vector<std::string> of_network = subnets.Where("network_id", network_id);
  json out = json::array();
  if (!wanted.is_array()) {
    if (!of_network.empty()) {
      const json& subnet = *subnets.Find(of_network[0]);
      out.push_back({{"subnet_id", subnet.at("id")}, {"ip_address", TakeAddress(subnet, port_id)}});
    }
    return out;
  }
  for (const json& item : wanted) {
    std::string subnet_id = Text(item, "subnet_id"), address = Text(item, "ip_address");
    if (!subnet_id.empty() && std::find(of_network.begin(), of_network.end(), subnet_id) == of_network.end()) {
      if (!subnets.Has(subnet_id)) Fail(404, fmt::format("Subnet {} could not be found.", subnet_id), "SubnetNotFound");
      Fail(400,
           fmt::format("Invalid input for operation: Failed to create port on network {}, because fixed_ips included "
                       "invalid subnet {}.",
                       network_id, subnet_id),
           "InvalidInput");
    }
    if (address.empty()) {
      if (subnet_id.empty())
        Fail(400, "Invalid input for operation: IP allocation requires subnet_id or ip_address.", "InvalidInput");
      out.push_back({{"subnet_id", subnet_id}, {"ip_address", TakeAddress(*subnets.Find(subnet_id), port_id)}});
      continue;
    }
    auto ip = ParseIpv4(address);
    if (!ip)
      Fail(400, fmt::format("Invalid input for fixed_ips. Reason: '{}' is not a valid IP address.", address),
           "HTTPBadRequest");
    std::string found;
    for (const std::string& id : of_network) {
      auto cidr = ParseCidr(Text(*subnets.Find(id), "cidr"));
      if (cidr && cidr->Contains(*ip) && (subnet_id.empty() || subnet_id == id)) found = id;
    }
    if (found.empty()) {
      if (subnet_id.empty()) {
        Fail(400,
             fmt::format("IP address {} is not a valid IP for any of the subnets on the specified network.", address),
             "InvalidIpForNetwork");
      }
      Fail(400, fmt::format("IP address {} is not a valid IP for the specified subnet.", address),
           "InvalidIpForSubnet");
    }
    std::string key = found + "|" + address;
    const json* holder = taken.Find(key);
    if (holder != nullptr && Text(*holder, "port_id") != port_id) {
      Fail(409, fmt::format("IP address {} already allocated in subnet {}", address, found),
           "IpAddressAlreadyAllocated");
    }
    taken.Put(key, {{"port_id", port_id}});
    out.push_back({{"subnet_id", found}, {"ip_address", address}});
  }
  return out;
}

void Neutron::ReleaseFixedIps(const json& port) {
  for (const json& ip : port.at("fixed_ips")) {
    site_.store.table("ip_allocations").Erase(Text(ip, "subnet_id") + "|" + Text(ip, "ip_address"));
  }
}

json Neutron::CheckGroups(const Identity& who, const json& groups) {
  json out = json::array();
  for (const json& id : groups) {
    Visible(who, "security_groups", id.get<std::string>());
    if (std::find(out.begin(), out.end(), id) == out.end()) out.push_back(id);
  }
  return out;
}

void Neutron::CheckPairs(const json& given) {
  for (const json& pair : given) {
    std::string address = Text(pair, "ip_address");
    if (!ParseIpv4(address) && !ParseCidr(address)) {
      Fail(400,
           fmt::format("Invalid input for allowed_address_pairs. Reason: '{}' is not a valid IP address.", address),
           "HTTPBadRequest");
    }
  }
}

json Neutron::CreatePort(const Identity& who, const json& given) {
  static const std::set<std::string> known = {"name",
                                              "network_id",
                                              "project_id",
                                              "tenant_id",
                                              "mac_address",
                                              "admin_state_up",
                                              "device_id",
                                              "device_owner",
                                              "fixed_ips",
                                              "allowed_address_pairs",
                                              "extra_dhcp_opts",
                                              "security_groups",
                                              "description",
                                              "binding:vnic_type",
                                              "binding:profile",
                                              "binding:host_id",
                                              "port_security_enabled",
                                              "dns_name",
                                              "dns_domain",
                                              "tags",
                                              "propagate_uplink_status",
                                              "qos_policy_id"};
  if (!given.is_object()) Fail(400, "Resource body required", "HTTPBadRequest");
  for (const auto& [key, value] : given.items()) {
    if (known.count(key) == 0) Fail(400, fmt::format("Unrecognized attribute(s) '{}'", key), "HTTPBadRequest");
  }
  std::string network_id = Text(given, "network_id");
  if (network_id.empty())
    Fail(400, "Failed to parse request. Required attribute 'network_id' not specified", "HTTPBadRequest");
  const json& network = Visible(who, "networks", network_id);
  json doc = NewDoc(who, given);
  std::string id = Text(doc, "id"), project = Text(doc, "project_id");
  CheckQuota("ports", project, "port");
  Table& macs = site_.store.table("macs");
  std::string mac;
  if (Text(given, "mac_address").empty()) {
    std::string prefix = "fa:16:3e:0" + site_.ComputeHost().substr(site_.ComputeHost().size() - 1);
    if (!ParseMac(prefix + ":00:00")) prefix = "fa:16:3e:0f";
    do {
      mac = RandomMac(prefix);
    } while (macs.Has(network_id + "|" + mac));
  } else {
    auto parsed = ParseMac(Text(given, "mac_address"));
    if (!parsed) {
      Fail(400,
           fmt::format("Invalid input for mac_address. Reason: '{}' is not a valid MAC address.",
                       Text(given, "mac_address")),
           "HTTPBadRequest");
    }
    mac = *parsed;
    if (macs.Has(network_id + "|" + mac)) {
      Fail(409,
           fmt::format("Unable to complete operation for network {}. The mac address {} is in use.", network_id, mac),
           "MacAddressInUse");
    }
  }
  json groups = Member(given, "security_groups");
  groups = groups.is_array() ? CheckGroups(who, groups) : json::array({DefaultSecurityGroup(project)});
  if (network.value("router:external", false) && !given.contains("security_groups")) groups = json::array();
  json pairs = given.contains("allowed_address_pairs") && given.at("allowed_address_pairs").is_array()
                   ? given.at("allowed_address_pairs")
                   : json::array();
  CheckPairs(pairs);
  for (json& pair : pairs) {
    if (!pair.contains("mac_address")) pair["mac_address"] = mac;
  }
  json tags = given.value("tags", json::array());
  doc.update({{"network_id", network_id},
              {"mac_address", mac},
              {"admin_state_up", Truth(Member(given, "admin_state_up"), true)},
              {"status", "DOWN"},
              {"device_id", Text(given, "device_id")},
              {"device_owner", Text(given, "device_owner")},
              {"fixed_ips", FillFixedIps(network_id, Member(given, "fixed_ips"), id)},
              {"allowed_address_pairs", pairs},
              {"extra_dhcp_opts", json::array()},
              {"security_groups", groups},
              {"port_security_enabled", true},
              {"tags", tags},
              {"binding:vnic_type", Text(given, "binding:vnic_type", "normal")},
              {"binding:profile", json::object()},
              {"binding:host_id", Text(given, "binding:host_id")},
              {"binding:vif_type", "unbound"},
              {"binding:vif_details", json::object()}});
  macs.Put(network_id + "|" + mac, {{"port_id", id}});
  site_.store.table("ports").Put(id, doc);
  return doc;
}

json Neutron::UpdatePort(const Identity& who, const std::string& id, const json& given) {
  json doc = Visible(who, "ports", id);
  Owned(who, doc, "update_port");
  static const std::set<std::string> plain = {"name",
                                              "description",
                                              "admin_state_up",
                                              "device_id",
                                              "device_owner",
                                              "binding:vnic_type",
                                              "port_security_enabled",
                                              "extra_dhcp_opts",
                                              "binding:profile",
                                              "binding:host_id",
                                              "dns_name"};
  std::string network = Text(doc, "network_id");
  for (const auto& [key, value] : given.items()) {
    if (plain.count(key) > 0) {
      doc[key] = value;
    } else if (key == "security_groups") {
      doc[key] = CheckGroups(who, value);
    } else if (key == "allowed_address_pairs") {
      CheckPairs(value);
      doc[key] = value;
      for (json& pair : doc[key]) {
        if (!pair.contains("mac_address")) pair["mac_address"] = doc.at("mac_address");
      }
    } else if (key == "fixed_ips") {
      json old = doc;
      json now = FillFixedIps(network, value, id);  // throws before anything is given back
      ReleaseFixedIps(old);
      doc[key] = FillFixedIps(network, now, id);
    } else if (key == "mac_address") {
      auto mac = ParseMac(Text(given, "mac_address"));
      if (!mac)
        Fail(400, fmt::format("Invalid input for mac_address. Reason: '{}' is not a valid MAC address.", value.dump()),
             "HTTPBadRequest");
      if (*mac != Text(doc, "mac_address")) {
        if (!Text(doc, "device_id").empty()) {
          Fail(409,
               fmt::format("Unable to complete operation on port {}, port is already bound, port type: {}, old_mac {}, "
                           "new_mac {}.",
                           id, Text(doc, "binding:vif_type"), Text(doc, "mac_address"), *mac),
               "PortBound");
        }
        if (site_.store.table("macs").Has(network + "|" + *mac)) {
          Fail(409,
               fmt::format("Unable to complete operation for network {}. The mac address {} is in use.", network, *mac),
               "MacAddressInUse");
        }
        site_.store.table("macs").Erase(network + "|" + Text(doc, "mac_address"));
        site_.store.table("macs").Put(network + "|" + *mac, {{"port_id", id}});
        doc[key] = *mac;
      }
    } else {
      Fail(400, fmt::format("Unrecognized attribute(s) '{}'", key), "HTTPBadRequest");
    }
  }
  Touch(doc);
  site_.store.table("ports").Put(id, doc);
  return doc;
}

json Neutron::ShowPort(const Identity& who, json port) {
  if (!who.is_admin) {
    for (const char* key : {"binding:profile", "binding:host_id", "binding:vif_type", "binding:vif_details"})
      port.erase(key);
  }
  return port;
}

const json* Neutron::FindPort(const Identity& who, const std::string& id) {
  try {
    return &Visible(who, "ports", id);
  } catch (const ApiError&) {
    return nullptr;
  }
}

void Neutron::BindPort(const std::string& id, const std::string& device_id, const std::string& host,
                       const std::string& zone) {
  const json* found = site_.store.table("ports").Find(id);
  if (found == nullptr) return;
  json doc = *found;
  doc["device_id"] = device_id;
  doc["device_owner"] = "compute:" + zone;
  if (!host.empty()) {
    doc["binding:host_id"] = host;
    doc["binding:vif_type"] = "ovs";
    doc["binding:vif_details"] = {{"port_filter", true}, {"connectivity", "l2"}};
  }
  Touch(doc);
  site_.store.table("ports").Put(id, doc);
}

void Neutron::SetPortStatus(const std::string& id, const std::string& status) {
  const json* found = site_.store.table("ports").Find(id);
  if (found == nullptr || Text(*found, "status") == status) return;
  json doc = *found;
  doc["status"] = status;
  Touch(doc);
  site_.store.table("ports").Put(id, doc);
}

void Neutron::UnbindPort(const std::string& id) {
  const json* found = site_.store.table("ports").Find(id);
  if (found == nullptr) return;
  json doc = *found;
  doc.update({{"device_id", ""},
              {"device_owner", ""},
              {"status", "DOWN"},
              {"binding:host_id", ""},
              {"binding:vif_type", "unbound"},
              {"binding:vif_details", json::object()},
              {"binding:profile", json::object()}});
  Touch(doc);
  site_.store.table("ports").Put(id, doc);
}

void Neutron::DropPort(const std::string& id) {
  const json* found = site_.store.table("ports").Find(id);
  if (found == nullptr) return;
  ReleaseFixedIps(*found);
  site_.store.table("macs").Erase(Text(*found, "network_id") + "|" + Text(*found, "mac_address"));
  site_.store.table("floatingips").Each([&](const std::string& fip, const json& doc) {
    if (Text(doc, "port_id") != id) return;
    json changed = doc;
    changed.update({{"port_id", nullptr},
                    {"fixed_ip_address", nullptr},
                    {"router_id", nullptr},
                    {"status", "DOWN"},
                    {"port_details", nullptr}});
    site_.store.table("floatingips").Put(fip, changed);
  });
  site_.store.table("ports").Erase(id);
}

void Neutron::AddPortRoutes(Router& router) {
  AddCollection(router, "ports", "ports", "port", "ports",
                [this](const Identity& who, json p) { return ShowPort(who, std::move(p)); });
  router.Add("POST", "/v2.0/ports", [this](Request& r) {
    const json many = Member(r.content, "ports");
    if (many.is_array()) {
      json out = json::array();
      for (const json& one : many) out.push_back(ShowPort(r.identity, CreatePort(r.identity, one)));
      return Response::Json(201, {{"ports", out}});
    }
    return Response::Json(201, {{"port", ShowPort(r.identity, CreatePort(r.identity, Member(r.content, "port")))}});
  });
  router.Add("PUT", "/v2.0/ports/{}", [this](Request& r) {
    return Response::Json(200,
                          {{"port", ShowPort(r.identity, UpdatePort(r.identity, r.args[0], r.content.at("port")))}});
  });
  router.Add("DELETE", "/v2.0/ports/{}", [this](Request& r) {
    json doc = Visible(r.identity, "ports", r.args[0]);
    Owned(r.identity, doc, "delete_port");
    std::string owner = Text(doc, "device_owner");
    if (owner.rfind("network:router_interface", 0) == 0 || owner == "network:router_gateway") {
      Fail(409,
           fmt::format("Port {} cannot be deleted directly via the port API: has device owner {}.", r.args[0], owner),
           "ServicePortInUse");
    }
    DropPort(r.args[0]);
    return Response::Empty(204);
  });
}

}  // namespace protector::ossim
