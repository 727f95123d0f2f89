#include "services/orchestrator/adapters/openstack/inventory.h"

#include "libs/base/error.h"

namespace protector::orchestrator {
namespace {

namespace os = ::protector::openstack;

absl::Status CollectNova(os::NovaApi& nova, const os::CallContext& call, Inventory& inventory) {
  PROTECTOR_ASSIGN_OR_RETURN(const auto flavors, nova.ListFlavors(call));
  for (const auto& flavor : flavors) {
    inventory.flavors.push_back({flavor.id, flavor.name, flavor.vcpus, flavor.ram_mb, flavor.disk_gb, flavor.disabled});
  }
  PROTECTOR_ASSIGN_OR_RETURN(const auto keys, nova.ListKeyPairs(call, ""));
  for (const auto& key : keys) inventory.key_pairs.push_back({key.name, key.public_key});
  PROTECTOR_ASSIGN_OR_RETURN(const auto zones, nova.ListAvailabilityZones(call));
  for (const auto& zone : zones) {
    if (zone.available) inventory.availability_zones.push_back(zone.name);
  }
  PROTECTOR_ASSIGN_OR_RETURN(const auto groups, nova.ListServerGroups(call, false));
  for (const auto& group : groups) inventory.server_groups.push_back({group.id, group.name, group.policy});
  PROTECTOR_ASSIGN_OR_RETURN(const auto quotas, nova.GetQuotas(call, inventory.project_id));
  const auto set = [&](const std::string& name, const os::Quota& quota) {
    inventory.quotas[name] = {quota.limit, quota.in_use + quota.reserved};
  };
  set("instances", quotas.instances);
  set("cores", quotas.cores);
  set("ram", quotas.ram_mb);
  return absl::OkStatus();
}

absl::Status CollectCinder(os::Cloud& cloud, const os::CallContext& call, Inventory& inventory) {
  os::CinderApi& cinder = cloud.cinder();
  PROTECTOR_ASSIGN_OR_RETURN(inventory.volume_types, ReadVolumeTypes(cloud, call));
  PROTECTOR_ASSIGN_OR_RETURN(const auto quotas, cinder.GetVolumeQuotas(call, inventory.project_id));
  inventory.quotas["volumes"] = {quotas.volumes.limit, quotas.volumes.in_use + quotas.volumes.reserved};
  inventory.quotas["gigabytes"] = {quotas.gigabytes.limit, quotas.gigabytes.in_use + quotas.gigabytes.reserved};
  return absl::OkStatus();
}

absl::Status CollectNeutron(os::NeutronApi& neutron, const os::CallContext& call, Inventory& inventory) {
  PROTECTOR_ASSIGN_OR_RETURN(const auto networks, neutron.ListNetworks(call, ""));
  PROTECTOR_ASSIGN_OR_RETURN(const auto subnets, neutron.ListSubnets(call, ""));
  for (const auto& network : networks) {
    // An admin sees every project's networks; a server of this project can use its own and the shared ones.
    if (network.project_id != inventory.project_id && !network.shared) continue;
    NetworkInventory facts{network.id, network.name, {}};
    for (const auto& subnet : subnets) {
      if (subnet.network_id == network.id) facts.subnets.push_back({subnet.id, subnet.cidr, subnet.ip_version});
    }
    inventory.networks.push_back(std::move(facts));
  }
  PROTECTOR_ASSIGN_OR_RETURN(const auto groups, neutron.ListSecurityGroups(call, inventory.project_id));
  for (const auto& group : groups) inventory.security_groups.push_back({group.id, group.name});
  PROTECTOR_ASSIGN_OR_RETURN(const auto ports, neutron.ListPorts(call, {}));
  for (const auto& port : ports) {
    PortFacts facts{port.id, port.network_id, port.project_id, port.mac_address, {}, port.device_id, port.description};
    for (const auto& fixed : port.fixed_ips) facts.addresses.push_back(fixed.ip_address);
    inventory.ports.push_back(std::move(facts));
  }
  PROTECTOR_ASSIGN_OR_RETURN(const auto quotas, neutron.GetNetworkQuotas(call, inventory.project_id));
  inventory.quotas["ports"] = {quotas.ports.limit, quotas.ports.in_use + quotas.ports.reserved};
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Inventory> CollectInventory(os::Cloud& cloud, const os::CallContext& call, const std::string& site,
                                           const std::string& project_id) {
  Inventory inventory;
  inventory.site = site;
  inventory.project_id = project_id;
  const std::string context = "reading what the cloud of " + site + " has";
  PROTECTOR_RETURN_IF_ERROR(Annotate(CollectNova(cloud.nova(), call, inventory), context));
  PROTECTOR_RETURN_IF_ERROR(Annotate(CollectCinder(cloud, call, inventory), context));
  PROTECTOR_RETURN_IF_ERROR(Annotate(CollectNeutron(cloud.neutron(), call, inventory), context));
  return inventory;
}

absl::StatusOr<std::vector<VolumeTypeFacts>> ReadVolumeTypes(os::Cloud& cloud, const os::CallContext& call) {
  PROTECTOR_ASSIGN_OR_RETURN(const auto types, cloud.cinder().ListVolumeTypes(call));
  std::vector<VolumeTypeFacts> result;
  for (const auto& type : types) {
    VolumeTypeFacts facts{type.id, type.name, false, ""};
    const auto enabled = type.extra_specs.find("replication_enabled");
    facts.replicated = enabled != type.extra_specs.end() && enabled->second == "<is> True";
    const auto kind = type.extra_specs.find("replication_type");
    if (kind != type.extra_specs.end()) {
      const size_t space = kind->second.rfind(' ');
      facts.replication_type = space == std::string::npos ? kind->second : kind->second.substr(space + 1);
    }
    result.push_back(facts);
  }
  return result;
}

}  // namespace protector::orchestrator
