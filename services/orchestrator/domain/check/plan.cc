#include "services/orchestrator/domain/check/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "services/orchestrator/domain/check/findings.h"
#include "services/orchestrator/domain/groups/rules.h"

namespace protector::orchestrator {
namespace {

using ::protector::operation::v1::MemberPlan;
using ::protector::operation::v1::PortPlan;

std::string Option(groups::MappingKind kind) {
  std::string name = KindName(kind);
  std::replace(name.begin(), name.end(), ' ', '-');
  return "--" + name + "-mapping";
}

// Where a source-side name or id leads on the target.
struct Mapped {
  std::string target;
  bool explicitly = false;  // by a mapping; else the same name is taken
};

class Planner {
 public:
  Planner(const peer::CheckTargetRequest& request, const Inventory& inventory)
      : request_(request), inventory_(inventory), findings_(inventory.site) {}

  MembersPlan Run() {
    MembersPlan result;
    const auto wanted = [&](const groups::Member& member) {
      const auto& ids = request_.member_ids();
      return ids.empty() || std::find(ids.begin(), ids.end(), member.id()) != ids.end();
    };
    for (const auto& member : request_.group().members()) {
      if (wanted(member)) result.plans.push_back(PlanMember(member));
    }
    CheckQuotas();
    result.findings = findings_.Take();
    return result;
  }

 private:
  MemberPlan PlanMember(const groups::Member& member) {
    MemberPlan plan;
    plan.set_member_id(member.id());
    const groups::ServerSpec& server = member.server();
    PlanFlavor(server, plan);
    PlanKeyPair(server, plan);
    PlanZone(server, plan);
    PlanServerGroup(server, plan);
    for (const auto& port : server.ports()) *plan.add_ports() = PlanPort(server, port);
    for (const auto& volume : server.volumes()) plan.add_volume_types(PlanVolumeType(volume));
    ++need_["instances"];
    need_["ports"] += server.ports_size();
    need_["volumes"] += server.volumes_size();
    for (const auto& volume : server.volumes()) need_["gigabytes"] += volume.size_gib();
    return plan;
  }

  // By id first, then by name: both are accepted in a mapping.
  Mapped Map(groups::MappingKind kind, const std::string& id, const std::string& name) const {
    for (const std::string& key : {id, name}) {
      if (key.empty()) continue;
      for (const auto& mapping : request_.mappings().mappings()) {
        if (mapping.kind() == kind && mapping.source() == key) return {mapping.target(), true};
      }
    }
    return {};
  }

  void PlanFlavor(const groups::ServerSpec& server, MemberPlan& plan) {
    Mapped mapped = Map(groups::FLAVOR, server.flavor_id(), server.flavor_name());
    const std::string wanted = mapped.explicitly ? mapped.target : server.flavor_id();
    const FlavorFacts* found = nullptr;
    for (const auto& flavor : inventory_.flavors) {
      if (flavor.id == wanted || flavor.name == wanted) found = &flavor;
    }
    if (found == nullptr && !mapped.explicitly) {
      for (const auto& flavor : inventory_.flavors) {
        if (flavor.name == server.flavor_name()) found = &flavor;
      }
    }
    const std::string object = "flavor " + (mapped.explicitly ? mapped.target : server.flavor_name());
    if (found == nullptr || found->disabled) {
      findings_.Blocker(
          "flavor", object,
          fmt::format("{} on {} (wanted by member {})", found == nullptr ? "does not exist" : "is disabled",
                      inventory_.site, server.name()),
          fmt::format("Map it: {} {}=<flavor of {}>.", Option(groups::FLAVOR), server.flavor_name(), inventory_.site));
      return;
    }
    plan.set_flavor_id(found->id);
    plan.set_flavor_name(found->name);
    need_["cores"] += found->vcpus;
    need_["ram"] += found->ram_mib;
    if (found->vcpus < server.vcpus() || found->ram_mib < server.ram_mib()) {
      findings_.Warning(
          "flavor", object,
          fmt::format("is smaller than {}: {} vCPU, {} MiB instead of {} vCPU, {} MiB", server.flavor_name(),
                      found->vcpus, found->ram_mib, server.vcpus(), server.ram_mib()),
          "Map to a flavor of at least the same size if the member needs it.");
      return;
    }
    findings_.Ok("flavor", object, fmt::format("{} becomes {}", server.flavor_name(), found->name));
  }

  void PlanKeyPair(const groups::ServerSpec& server, MemberPlan& plan) {
    if (server.key_name().empty()) return;
    const Mapped mapped = Map(groups::KEY_PAIR, "", server.key_name());
    const std::string name = mapped.explicitly ? mapped.target : server.key_name();
    const std::string object = "key pair " + name;
    const auto found = std::find_if(inventory_.key_pairs.begin(), inventory_.key_pairs.end(),
                                    [&](const KeyPairFacts& key) { return key.name == name; });
    plan.set_key_name(name);
    if (found == inventory_.key_pairs.end() && (mapped.explicitly || server.public_key().empty())) {
      plan.clear_key_name();
      findings_.Blocker("key-pair", object,
                        fmt::format("does not exist on {} (wanted by member {})", inventory_.site, server.name()),
                        fmt::format("Create it for the service user there, or map it: {} {}=<key pair of {}>.",
                                    Option(groups::KEY_PAIR), server.key_name(), inventory_.site));
    } else if (found == inventory_.key_pairs.end()) {
      findings_.Ok("key-pair", object, "will be imported with the captured public key");
    } else if (!mapped.explicitly && !server.public_key().empty() &&
               SameKey(found->public_key, server.public_key()) == false) {
      findings_.Warning("key-pair", object,
                        fmt::format("is another key on {} than the member was made with", inventory_.site),
                        fmt::format("Map it to the right one with {}, or leave it: the key is only read at first boot.",
                                    Option(groups::KEY_PAIR)));
    } else {
      findings_.Ok("key-pair", object, "exists");
    }
  }

  // Two public keys are the same when type and key agree; the comment behind them is free.
  static bool SameKey(const std::string& a, const std::string& b) {
    const auto body = [](const std::string& key) {
      const size_t first = key.find(' ');
      const size_t second = first == std::string::npos ? first : key.find(' ', first + 1);
      std::string text = key.substr(0, second);
      while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
      return text;
    };
    return body(a) == body(b);
  }

  void PlanZone(const groups::ServerSpec& server, MemberPlan& plan) {
    const Mapped mapped = Map(groups::AVAILABILITY_ZONE, "", server.availability_zone());
    if (!mapped.explicitly) return;
    const auto& zones = inventory_.availability_zones;
    const std::string object = "availability zone " + mapped.target;
    if (std::find(zones.begin(), zones.end(), mapped.target) == zones.end()) {
      findings_.Blocker("availability-zone", object, fmt::format("does not exist or is down on {}", inventory_.site),
                        fmt::format("Map {} to another zone with {}.", server.availability_zone(),
                                    Option(groups::AVAILABILITY_ZONE)));
      return;
    }
    plan.set_availability_zone(mapped.target);
    findings_.Ok("availability-zone", object, "exists");
  }

  void PlanServerGroup(const groups::ServerSpec& server, MemberPlan& plan) {
    if (server.server_group().empty()) return;
    const std::string object = "server group " + server.server_group();
    for (const auto& group : inventory_.server_groups) {
      if (group.name != server.server_group()) continue;
      plan.set_server_group_id(group.id);
      findings_.Ok("server-group", object, "exists");
      return;
    }
    findings_.Warning(
        "server-group", object,
        fmt::format("does not exist on {}: member {} is placed without it", inventory_.site, server.name()),
        fmt::format("Create a server group of that name (policy {}) in the project on {}.",
                    server.server_group_policy(), inventory_.site));
  }

  const NetworkInventory* FindNetwork(const groups::ServerSpec& server, const groups::PortSpec& port) {
    const Mapped mapped = Map(groups::NETWORK, port.network_id(), port.network_name());
    const std::string name = port.network_name().empty() ? port.network_id() : port.network_name();
    if (!mapped.explicitly) {
      findings_.Blocker("mapping", "network " + name,
                        fmt::format("has no mapping to a network of {} (member {})", inventory_.site, server.name()),
                        fmt::format("Give {} {}=<network of {}>.", Option(groups::NETWORK), name, inventory_.site));
      return nullptr;
    }
    std::vector<const NetworkInventory*> found;
    for (const auto& network : inventory_.networks) {
      if (network.id == mapped.target) return Found(network, name);
      if (network.name == mapped.target) found.push_back(&network);
    }
    if (found.size() == 1) return Found(*found[0], name);
    findings_.Blocker("network", "network " + mapped.target,
                      found.empty() ? fmt::format("does not exist on {} (mapped from {})", inventory_.site, name)
                                    : fmt::format("{} networks of {} have this name", found.size(), inventory_.site),
                      fmt::format("Correct {} {}=...; `openstack network list` on {} shows names and ids.",
                                  Option(groups::NETWORK), name, inventory_.site));
    return nullptr;
  }

  const NetworkInventory* Found(const NetworkInventory& network, const std::string& source_name) {
    findings_.Ok("network", "network " + network.name, fmt::format("{} becomes {}", source_name, network.name));
    return &network;
  }

  PortPlan PlanPort(const groups::ServerSpec& server, const groups::PortSpec& port) {
    PortPlan plan;
    const NetworkInventory* network = FindNetwork(server, port);
    if (network != nullptr) {
      plan.set_network_id(network->id);
      plan.set_network_name(network->name);
      for (const auto& fixed : port.fixed_ips()) PlanAddress(server, *network, fixed, plan);
      PlanMac(server, *network, port, plan);
    }
    PlanSecurityGroups(server, port, plan);
    if (!port.floating_ip().empty()) {
      findings_.Warning("fixed-ip", "floating address " + port.floating_ip(),
                        fmt::format("of member {} is not moved", server.name()),
                        fmt::format("Associate a floating address of {} with the member afterwards.", inventory_.site));
    }
    return plan;
  }

  // The port that holds an address or MAC on the network already, other than one that this product made for a move.
  const PortFacts* Holder(const NetworkInventory& network, const std::string& address, const std::string& mac) const {
    for (const auto& port : inventory_.ports) {
      if (port.network_id != network.id || IsOurMark(port.description)) continue;
      if (!mac.empty() && port.mac_address == mac) return &port;
      if (!address.empty() && std::find(port.addresses.begin(), port.addresses.end(), address) != port.addresses.end())
        return &port;
    }
    return nullptr;
  }

  bool CanBeReused(const PortFacts& port) const {
    return port.device_id.empty() && port.project_id == inventory_.project_id;
  }

  void PlanAddress(const groups::ServerSpec& server, const NetworkInventory& network, const groups::FixedIp& fixed,
                   PortPlan& plan) {
    const std::string object = fmt::format("address {} of member {}", fixed.ip_address(), server.name());
    const auto subnet = std::find_if(network.subnets.begin(), network.subnets.end(), [&](const SubnetFacts& candidate) {
      return AddressInRange(fixed.ip_address(), candidate.cidr);
    });
    if (subnet == network.subnets.end()) {
      findings_.Warning("fixed-ip", object,
                        fmt::format("is in no subnet of network {}: the member gets another address", network.name),
                        "Map to a network with the same address range to keep addresses.");
      return;
    }
    const PortFacts* holder = Holder(network, fixed.ip_address(), "");
    if (holder != nullptr && !CanBeReused(*holder)) {
      findings_.Blocker("fixed-ip", object, fmt::format("is taken by port {} on network {}", holder->id, network.name),
                        "Free the address on the target, or use --force to let the member have another one.");
      return;
    }
    auto* address = plan.add_fixed_ips();
    address->set_subnet_id(subnet->id);
    address->set_ip_address(fixed.ip_address());
    address->set_cidr(subnet->cidr);
    if (holder != nullptr) {
      findings_.Warning("fixed-ip", object,
                        fmt::format("is held by the unused port {}, which will be taken over", holder->id), "");
    } else {
      findings_.Ok("fixed-ip", object, "can be kept");
    }
  }

  void PlanMac(const groups::ServerSpec& server, const NetworkInventory& network, const groups::PortSpec& port,
               PortPlan& plan) {
    const PortFacts* holder = Holder(network, "", port.mac_address());
    if (holder == nullptr || CanBeReused(*holder)) {
      plan.set_mac_address(port.mac_address());
      return;
    }
    findings_.Warning(
        "fixed-ip", fmt::format("MAC {} of member {}", port.mac_address(), server.name()),
        fmt::format("is used by port {} on network {}: the member gets another MAC", holder->id, network.name),
        "Remove that port if the guest depends on its MAC.");
  }

  void PlanSecurityGroups(const groups::ServerSpec& server, const groups::PortSpec& port, PortPlan& plan) {
    for (const auto& name : port.security_groups()) {
      const Mapped mapped = Map(groups::SECURITY_GROUP, "", name);
      const std::string wanted = mapped.explicitly ? mapped.target : name;
      const auto found =
          std::find_if(inventory_.security_groups.begin(), inventory_.security_groups.end(),
                       [&](const NamedObject& group) { return group.id == wanted || group.name == wanted; });
      if (found == inventory_.security_groups.end()) {
        findings_.Blocker("security-group", "security group " + wanted,
                          fmt::format("does not exist on {} (wanted by member {})", inventory_.site, server.name()),
                          fmt::format("Create it there with the same name, or map it: {} {}=<security group of {}>.",
                                      Option(groups::SECURITY_GROUP), name, inventory_.site));
        continue;
      }
      plan.add_security_group_ids(found->id);
      plan.add_security_groups(found->name);
      findings_.Ok("security-group", "security group " + wanted, "exists");
    }
  }

  std::string PlanVolumeType(const groups::VolumeSpec& volume) {
    const Mapped mapped = Map(groups::VOLUME_TYPE, "", volume.volume_type());
    const std::string wanted = mapped.explicitly ? mapped.target : volume.volume_type();
    if (wanted.empty()) return "";
    const auto found =
        std::find_if(inventory_.volume_types.begin(), inventory_.volume_types.end(),
                     [&](const VolumeTypeFacts& type) { return type.id == wanted || type.name == wanted; });
    const std::string object = "volume type " + wanted;
    if (found == inventory_.volume_types.end()) {
      findings_.Blocker("volume-type", object, fmt::format("does not exist on {}", inventory_.site),
                        fmt::format("Create it there with the same name, or map it: {} {}=<volume type of {}>.",
                                    Option(groups::VOLUME_TYPE), volume.volume_type(), inventory_.site));
      return "";
    }
    if (!found->replicated) {
      findings_.Warning(
          "volume-type", object, fmt::format("is not a replicated type on {}", inventory_.site),
          "Set its extra spec replication_enabled='<is> True', so that Cinder knows what the volume is for.");
    } else {
      findings_.Ok("volume-type", object, "exists and is replicated");
    }
    return found->name;
  }

  void CheckQuotas() {
    for (const auto& [name, needed] : need_) {
      const auto quota = inventory_.quotas.find(name);
      if (quota == inventory_.quotas.end()) continue;
      const std::string object = fmt::format("quota of {} in the project on {}", name, inventory_.site);
      const auto& [limit, used] = quota->second;
      if (limit >= 0 && used + needed > limit) {
        findings_.Blocker("quota-" + name, object, fmt::format("{} needed, {} of {} used", needed, used, limit),
                          fmt::format("Raise it to at least {}, or free what is not needed.", used + needed));
      } else {
        findings_.Ok("quota-" + name, object,
                     limit < 0 ? fmt::format("{} needed, no limit", needed)
                               : fmt::format("{} needed, {} of {} used", needed, used, limit));
      }
    }
  }

  const peer::CheckTargetRequest& request_;
  const Inventory& inventory_;
  Findings findings_;
  std::map<std::string, int64_t> need_;
};

}  // namespace

MembersPlan PlanMembers(const peer::CheckTargetRequest& request, const Inventory& inventory) {
  return Planner(request, inventory).Run();
}

}  // namespace protector::orchestrator
