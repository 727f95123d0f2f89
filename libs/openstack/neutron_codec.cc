#include "libs/openstack/neutron_codec.h"

namespace protector::openstack {
namespace {

using json::Value;

Value EncodeFixedIps(const std::vector<FixedIp>& fixed_ips) {
  Value array = Value::Array();
  for (const FixedIp& fixed : fixed_ips) {
    Value entry = Value::Object();
    entry.SetIf(!fixed.subnet_id.empty(), "subnet_id", fixed.subnet_id);
    entry.SetIf(!fixed.ip_address.empty(), "ip_address", fixed.ip_address);
    array.Append(entry);
  }
  return array;
}

Value EncodePairs(const std::vector<AddressPair>& pairs) {
  Value array = Value::Array();
  for (const AddressPair& pair : pairs) {
    Value entry = Value::Object({{"ip_address", pair.ip_address}});
    entry.SetIf(!pair.mac_address.empty(), "mac_address", pair.mac_address);
    array.Append(entry);
  }
  return array;
}

std::string ProjectId(const Value& value) {
  return value.GetStringOr("project_id", value.GetStringOr("tenant_id", ""));
}

}  // namespace

Network DecodeNetwork(const Value& network) {
  Network decoded;
  decoded.id = network.GetStringOr("id", "");
  decoded.name = network.GetStringOr("name", "");
  decoded.project_id = ProjectId(network);
  decoded.status = network.GetStringOr("status", "");
  decoded.admin_state_up = network.GetBoolOr("admin_state_up", true);
  decoded.shared = network.GetBoolOr("shared", false);
  decoded.external = network.GetBoolOr("router:external", false);
  decoded.port_security = network.GetBoolOr("port_security_enabled", true);
  decoded.mtu = network.GetIntOr("mtu", 0);
  decoded.subnet_ids = network.GetStrings("subnets");
  decoded.tags = network.GetStrings("tags");
  return decoded;
}

Subnet DecodeSubnet(const Value& subnet) {
  Subnet decoded;
  decoded.id = subnet.GetStringOr("id", "");
  decoded.name = subnet.GetStringOr("name", "");
  decoded.network_id = subnet.GetStringOr("network_id", "");
  decoded.project_id = ProjectId(subnet);
  decoded.cidr = subnet.GetStringOr("cidr", "");
  decoded.ip_version = static_cast<int>(subnet.GetIntOr("ip_version", 4));
  decoded.gateway_ip = subnet.GetStringOr("gateway_ip", "");
  decoded.enable_dhcp = subnet.GetBoolOr("enable_dhcp", true);
  for (const Value& pool : subnet.GetItems("allocation_pools")) {
    decoded.allocation_pools.push_back({pool.GetStringOr("start", ""), pool.GetStringOr("end", "")});
  }
  return decoded;
}

Port DecodePort(const Value& port) {
  Port decoded;
  decoded.id = port.GetStringOr("id", "");
  decoded.name = port.GetStringOr("name", "");
  decoded.description = port.GetStringOr("description", "");
  decoded.network_id = port.GetStringOr("network_id", "");
  decoded.project_id = ProjectId(port);
  decoded.mac_address = port.GetStringOr("mac_address", "");
  decoded.status = port.GetStringOr("status", "");
  decoded.device_id = port.GetStringOr("device_id", "");
  decoded.device_owner = port.GetStringOr("device_owner", "");
  decoded.host_id = port.GetStringOr("binding:host_id", "");
  decoded.vnic_type = port.GetStringOr("binding:vnic_type", "");
  decoded.admin_state_up = port.GetBoolOr("admin_state_up", true);
  decoded.port_security = port.GetBoolOr("port_security_enabled", true);
  for (const Value& fixed : port.GetItems("fixed_ips")) {
    decoded.fixed_ips.push_back({fixed.GetStringOr("subnet_id", ""), fixed.GetStringOr("ip_address", "")});
  }
  decoded.security_group_ids = port.GetStrings("security_groups");
  for (const Value& pair : port.GetItems("allowed_address_pairs")) {
    decoded.allowed_address_pairs.push_back({pair.GetStringOr("ip_address", ""), pair.GetStringOr("mac_address", "")});
  }
  decoded.tags = port.GetStrings("tags");
  return decoded;
}

SecurityGroup DecodeSecurityGroup(const Value& group) {
  return {group.GetStringOr("id", ""), group.GetStringOr("name", ""), group.GetStringOr("description", ""),
          ProjectId(group), group.GetItems("security_group_rules").size()};
}

FloatingIp DecodeFloatingIp(const Value& floating_ip) {
  FloatingIp decoded;
  decoded.id = floating_ip.GetStringOr("id", "");
  decoded.floating_ip_address = floating_ip.GetStringOr("floating_ip_address", "");
  decoded.floating_network_id = floating_ip.GetStringOr("floating_network_id", "");
  decoded.fixed_ip_address = floating_ip.GetStringOr("fixed_ip_address", "");
  decoded.port_id = floating_ip.GetStringOr("port_id", "");
  decoded.project_id = ProjectId(floating_ip);
  decoded.description = floating_ip.GetStringOr("description", "");
  decoded.status = floating_ip.GetStringOr("status", "");
  decoded.tags = floating_ip.GetStrings("tags");
  return decoded;
}

Value EncodePort(const CreatePort& port) {
  Value body = Value::Object({{"network_id", port.network_id}, {"admin_state_up", true}});
  body.SetIf(!port.project_id.empty(), "project_id", port.project_id);
  body.SetIf(!port.name.empty(), "name", port.name);
  body.SetIf(!port.description.empty(), "description", port.description);
  body.SetIf(!port.mac_address.empty(), "mac_address", port.mac_address);
  body.SetIf(!port.fixed_ips.empty(), "fixed_ips", EncodeFixedIps(port.fixed_ips));
  if (port.security_group_ids.has_value()) body.Set("security_groups", *port.security_group_ids);
  body.SetIf(!port.allowed_address_pairs.empty(), "allowed_address_pairs", EncodePairs(port.allowed_address_pairs));
  if (port.port_security.has_value()) body.Set("port_security_enabled", *port.port_security);
  body.SetIf(!port.vnic_type.empty(), "binding:vnic_type", port.vnic_type);
  body.SetIf(!port.device_id.empty(), "device_id", port.device_id);
  return Value::Object({{"port", body}});
}

Value EncodePortChange(const UpdatePort& change) {
  Value body = Value::Object();
  if (change.name.has_value()) body.Set("name", *change.name);
  if (change.description.has_value()) body.Set("description", *change.description);
  if (change.security_group_ids.has_value()) body.Set("security_groups", *change.security_group_ids);
  if (change.allowed_address_pairs.has_value())
    body.Set("allowed_address_pairs", EncodePairs(*change.allowed_address_pairs));
  if (change.fixed_ips.has_value()) body.Set("fixed_ips", EncodeFixedIps(*change.fixed_ips));
  if (change.device_id.has_value()) body.Set("device_id", *change.device_id);
  if (change.device_owner.has_value()) body.Set("device_owner", *change.device_owner);
  if (change.admin_state_up.has_value()) body.Set("admin_state_up", *change.admin_state_up);
  return Value::Object({{"port", body}});
}

Value EncodeFloatingIp(const CreateFloatingIp& floating_ip) {
  Value body = Value::Object({{"floating_network_id", floating_ip.floating_network_id}});
  body.SetIf(!floating_ip.project_id.empty(), "project_id", floating_ip.project_id);
  body.SetIf(!floating_ip.floating_ip_address.empty(), "floating_ip_address", floating_ip.floating_ip_address);
  body.SetIf(!floating_ip.port_id.empty(), "port_id", floating_ip.port_id);
  body.SetIf(!floating_ip.fixed_ip_address.empty(), "fixed_ip_address", floating_ip.fixed_ip_address);
  body.SetIf(!floating_ip.description.empty(), "description", floating_ip.description);
  return Value::Object({{"floatingip", body}});
}

}  // namespace protector::openstack
