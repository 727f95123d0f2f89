#include "services/orchestrator/adapters/openstack/capture.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "libs/base/error.h"
#include "libs/base/ids.h"
#include "libs/base/parallel.h"
#include "services/orchestrator/domain/check/plan.h"

namespace protector::orchestrator {
namespace {

namespace os = ::protector::openstack;
using ::protector::group::v1::Member;
using ::protector::group::v1::Placement;
using ::protector::group::v1::PortSpec;
using ::protector::group::v1::ServerSpec;
using ::protector::group::v1::VolumeSpec;

constexpr size_t kFew = 3;         // up to this many servers are asked for one by one
constexpr int kServersAtOnce = 8;  // whose devices are asked for side by side

absl::Status NoSuchServer(const std::string& name_or_id) {
  return Error(absl::StatusCode::kNotFound, "SERVER_NOT_FOUND", fmt::format("no server {} in this project", name_or_id))
      .Object("server " + name_or_id)
      .Remedy("See `openstack server list` with the same credentials for the names and ids there are.");
}

// The servers that are to be captured, in the order asked. The project's list is read once, and only when there is
// need of it.
class ServerFinder {
 public:
  ServerFinder(os::NovaApi& nova, const os::CallContext& call, std::string project, size_t wanted)
      : nova_(nova), call_(call), project_(std::move(project)) {
    many_ = wanted > kFew;
  }

  absl::StatusOr<os::Server> Find(const std::string& name_or_id) {
    if (IsUuid(name_or_id)) {
      absl::StatusOr<os::Server> server = ById(name_or_id);
      if (server.ok() || server.status().code() != absl::StatusCode::kNotFound) return server;
    }
    // Nova matches names as regular expressions; all of the project's servers are listed and compared here instead.
    PROTECTOR_RETURN_IF_ERROR(List());
    std::vector<const os::Server*> named;
    for (const os::Server& server : *all_) {
      if (server.name == name_or_id) named.push_back(&server);
    }
    if (named.empty()) return NoSuchServer(name_or_id);
    if (named.size() > 1) {
      return Error(absl::StatusCode::kFailedPrecondition, "SERVER_AMBIGUOUS",
                   fmt::format("{} servers are named {}", named.size(), name_or_id))
          .Object("server " + name_or_id)
          .Remedy("Name the server by its id.");
    }
    return *named.front();
  }

 private:
  absl::StatusOr<os::Server> ById(const std::string& id) {
    if (many_) {
      PROTECTOR_RETURN_IF_ERROR(List());
      for (const os::Server& server : *all_) {
        if (server.id == id) return server;
      }
    }
    // An administrator's Nova answers for servers of every project.
    absl::StatusOr<os::Server> server = nova_.GetServer(call_, id);
    if (server.ok() && server->project_id != project_) return NoSuchServer(id);
    return server;
  }

  absl::Status List() {
    if (all_.has_value()) return absl::OkStatus();
    PROTECTOR_ASSIGN_OR_RETURN(all_, nova_.ListServers(call_, os::ServerFilter{}));
    return absl::OkStatus();
  }

  os::NovaApi& nova_;
  const os::CallContext& call_;
  const std::string project_;
  bool many_ = false;
  std::optional<std::vector<os::Server>> all_;
};

absl::Status CheckProtectable(const os::Server& server) {
  const std::string object = "server " + server.name;
  if (server.status != "ACTIVE" && server.status != "SHUTOFF") {
    return Error(absl::StatusCode::kFailedPrecondition, "SERVER_STATE",
                 fmt::format("server {} is {}; only a running or a stopped server can be protected", server.name,
                             server.status))
        .Object(object)
        .Remedy("Bring the server to ACTIVE or SHUTOFF first.");
  }
  if (!server.image_id.empty()) {
    return Error(absl::StatusCode::kFailedPrecondition, "VOLUME_NOT_REPLICATED",
                 fmt::format("server {} boots from a local disk (image {}), which no array replicates", server.name,
                             server.image_id))
        .Object(object)
        .Remedy("Rebuild the server so that it boots from a volume of a replicated volume type.");
  }
  return absl::OkStatus();
}

void CaptureFlavor(const os::Server& server, const std::vector<os::Flavor>& flavors, ServerSpec& spec) {
  spec.set_flavor_id(server.flavor.id);
  spec.set_flavor_name(server.flavor.name);
  spec.set_vcpus(static_cast<int32_t>(server.flavor.vcpus));
  spec.set_ram_mib(static_cast<int32_t>(server.flavor.ram_mb));
  spec.set_disk_gib(static_cast<int32_t>(server.flavor.disk_gb));
  if (!spec.flavor_id().empty()) return;
  // From 2.47 on Nova embeds the flavor without its id.
  for (const os::Flavor& flavor : flavors) {
    if (flavor.name == server.flavor.name) spec.set_flavor_id(flavor.id);
  }
}

absl::StatusOr<VolumeSpec> CaptureVolume(const os::Volume& volume, const os::AttachedVolume& attached, int index,
                                         const std::string& root_device) {
  VolumeSpec spec;
  spec.set_index(index);
  spec.set_name(volume.name);
  spec.set_description(volume.description);
  spec.set_device(attached.device);
  const bool root = attached.device == root_device || (root_device.empty() && index == 0);
  spec.set_boot_index(root ? 0 : -1);
  spec.set_size_gib(volume.size_gb);
  spec.set_volume_type(volume.volume_type);
  spec.set_bootable(volume.bootable);
  if (volume.multiattach && volume.attachments.size() > 1) {
    return Error(absl::StatusCode::kFailedPrecondition, "VOLUME_SHARED",
                 fmt::format("volume {} is attached to {} servers", volume.id, volume.attachments.size()))
        .Object("volume " + volume.id)
        .Remedy("Detach it from the other servers; a shared disk cannot move with one of them.");
  }
  for (const auto& [key, value] : volume.metadata) {
    if (!IsOwnKey(key)) (*spec.mutable_metadata())[key] = value;
  }
  static const std::set<std::string> kNotOurs = {"image_id",         "image_name",  "checksum",
                                                 "container_format", "disk_format", "size"};
  for (const auto& [key, value] : volume.image_metadata) {
    if (!kNotOurs.contains(key)) (*spec.mutable_image_metadata())[key] = value;
  }
  return spec;
}

// What belongs to one server.
struct Devices {
  std::vector<os::AttachedVolume> attached;  // by device
  std::map<std::string, os::Volume> volumes;
  std::vector<os::Port> ports;  // in the guest's order
};

absl::Status CaptureVolumes(const os::Server& server, const Devices& devices, ServerSpec& spec, Placement& placement) {
  for (size_t i = 0; i < devices.attached.size(); ++i) {
    const os::Volume& volume = devices.volumes.at(devices.attached[i].volume_id);
    const int index = static_cast<int>(i);
    PROTECTOR_ASSIGN_OR_RETURN(*spec.add_volumes(),
                               CaptureVolume(volume, devices.attached[i], index, server.root_device_name));
    auto* placed = placement.add_volumes();
    placed->set_index(index);
    placed->set_volume_id(volume.id);
    placed->set_array_volume(volume.ArrayName());
  }
  if (devices.attached.empty()) {
    return Error(absl::StatusCode::kFailedPrecondition, "VOLUME_NOT_REPLICATED",
                 fmt::format("server {} has no volume", server.name))
        .Object("server " + server.name)
        .Remedy("Only servers that boot from volumes can be protected.");
  }
  return absl::OkStatus();
}

struct NetworkFacts {
  std::map<std::string, std::string> network_names;
  std::map<std::string, std::string> subnet_cidrs;
  std::map<std::string, std::string> security_group_names;
  std::map<std::string, std::string> floating_by_port;
};

absl::StatusOr<NetworkFacts> ReadNetworkFacts(os::NeutronApi& neutron, const os::CallContext& call) {
  NetworkFacts facts;
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<os::Network> networks, neutron.ListNetworks(call, ""));
  for (const auto& network : networks) facts.network_names[network.id] = network.name;
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<os::Subnet> subnets, neutron.ListSubnets(call, ""));
  for (const auto& subnet : subnets) facts.subnet_cidrs[subnet.id] = subnet.cidr;
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<os::SecurityGroup> groups, neutron.ListSecurityGroups(call, ""));
  for (const auto& group : groups) facts.security_group_names[group.id] = group.name;
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<os::FloatingIp> floating, neutron.ListFloatingIps(call, {}));
  for (const auto& ip : floating) {
    if (!ip.port_id.empty()) facts.floating_by_port[ip.port_id] = ip.floating_ip_address;
  }
  return facts;
}

PortSpec CapturePort(const os::Port& port, const NetworkFacts& facts) {
  const auto find = [](const std::map<std::string, std::string>& map, const std::string& key) {
    const auto found = map.find(key);
    return found == map.end() ? std::string() : found->second;
  };
  PortSpec spec;
  spec.set_network_id(port.network_id);
  spec.set_network_name(find(facts.network_names, port.network_id));
  spec.set_name(port.name);
  spec.set_mac_address(port.mac_address);
  for (const auto& fixed : port.fixed_ips) {
    auto* ip = spec.add_fixed_ips();
    ip->set_subnet_id(fixed.subnet_id);
    ip->set_ip_address(fixed.ip_address);
    ip->set_cidr(find(facts.subnet_cidrs, fixed.subnet_id));
  }
  for (const auto& id : port.security_group_ids) {
    const std::string name = find(facts.security_group_names, id);
    spec.add_security_groups(name.empty() ? id : name);
  }
  for (const auto& pair : port.allowed_address_pairs) {
    auto* added = spec.add_allowed_address_pairs();
    added->set_ip_address(pair.ip_address);
    // Neutron fills in the port's own address; kept empty so that it follows the port to the target.
    if (pair.mac_address != port.mac_address) added->set_mac_address(pair.mac_address);
  }
  spec.set_port_security_enabled(port.port_security);
  if (port.vnic_type != "normal") spec.set_vnic_type(port.vnic_type);
  spec.set_floating_ip(find(facts.floating_by_port, port.id));
  return spec;
}

// Neutron lists a server's ports in no order; the guest's is that of Nova's interfaces.
void OrderPorts(const std::vector<std::string>& interfaces, std::vector<os::Port>& ports) {
  const auto rank_of = [&](const os::Port& port) {
    return std::find(interfaces.begin(), interfaces.end(), port.id) - interfaces.begin();
  };
  std::stable_sort(ports.begin(), ports.end(), [&](const auto& a, const auto& b) { return rank_of(a) < rank_of(b); });
}

void CapturePorts(const Devices& devices, const NetworkFacts& facts, ServerSpec& spec, Placement& placement) {
  for (const auto& port : devices.ports) {
    *spec.add_ports() = CapturePort(port, facts);
    placement.add_port_ids(port.id);
    placement.add_port_owned(IsOurMark(port.description));
  }
}

// What is the same for all servers of the project, read once for all that are captured together.
struct ProjectFacts {
  std::vector<os::Flavor> flavors;
  std::vector<os::ServerGroup> groups;
  std::map<std::string, std::vector<os::KeyPair>> keys;  // by user
  NetworkFacts network;
  // Filled when many servers are captured; else each server's own are asked for.
  std::map<std::string, os::Volume> volumes;
  std::multimap<std::string, os::Port> ports;  // by device
  bool many = false;
};

absl::StatusOr<ProjectFacts> ReadProjectFacts(os::Cloud& cloud, const os::CallContext& call,
                                              const std::vector<os::Server>& servers) {
  ProjectFacts facts;
  facts.many = servers.size() > kFew;
  PROTECTOR_ASSIGN_OR_RETURN(facts.flavors, cloud.nova().ListFlavors(call));
  PROTECTOR_ASSIGN_OR_RETURN(facts.groups, cloud.nova().ListServerGroups(call, false));
  PROTECTOR_ASSIGN_OR_RETURN(facts.network, ReadNetworkFacts(cloud.neutron(), call));
  for (const os::Server& server : servers) {
    if (server.key_name.empty() || facts.keys.contains(server.user_id)) continue;
    // The public key is a convenience: a site whose service user may not read other users' key pairs still protects
    // its servers, and the readiness check then asks for a key pair of the same name on the target.
    facts.keys[server.user_id] = cloud.nova().ListKeyPairs(call, server.user_id).value_or(std::vector<os::KeyPair>());
  }
  if (!facts.many) return facts;
  PROTECTOR_ASSIGN_OR_RETURN(const auto volumes, cloud.cinder().ListVolumes(call, os::VolumeFilter{}));
  for (const os::Volume& volume : volumes) facts.volumes[volume.id] = volume;
  PROTECTOR_ASSIGN_OR_RETURN(const auto ports, cloud.neutron().ListPorts(call, os::PortFilter{}));
  for (const os::Port& port : ports) facts.ports.emplace(port.device_id, port);
  return facts;
}

absl::StatusOr<Devices> ReadDevices(os::Cloud& cloud, const os::CallContext& call, const ProjectFacts& facts,
                                    const os::Server& server) {
  Devices devices;
  PROTECTOR_ASSIGN_OR_RETURN(devices.attached, cloud.nova().ListVolumeAttachments(call, server.id));
  std::stable_sort(devices.attached.begin(), devices.attached.end(),
                   [](const auto& a, const auto& b) { return a.device < b.device; });
  for (const os::AttachedVolume& attached : devices.attached) {
    const auto known = facts.volumes.find(attached.volume_id);
    os::Volume& volume = devices.volumes[attached.volume_id];
    if (known != facts.volumes.end()) {
      volume = known->second;
    } else {
      PROTECTOR_ASSIGN_OR_RETURN(volume, cloud.cinder().GetVolume(call, attached.volume_id));
    }
  }
  if (facts.many) {
    const auto [begin, end] = facts.ports.equal_range(server.id);
    for (auto port = begin; port != end; ++port) devices.ports.push_back(port->second);
  } else {
    os::PortFilter filter;
    filter.device_id = server.id;
    PROTECTOR_ASSIGN_OR_RETURN(devices.ports, cloud.neutron().ListPorts(call, filter));
  }
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<std::string> interfaces, cloud.nova().ListInterfaces(call, server.id));
  OrderPorts(interfaces, devices.ports);
  return devices;
}

void CaptureServerGroup(const std::vector<os::ServerGroup>& groups, const os::Server& server, ServerSpec& spec) {
  for (const auto& group : groups) {
    if (std::find(group.members.begin(), group.members.end(), server.id) == group.members.end()) continue;
    spec.set_server_group(group.name);
    spec.set_server_group_policy(group.policy);
  }
}

void CaptureKeyPair(const ProjectFacts& facts, const os::Server& server, ServerSpec& spec) {
  spec.set_key_name(server.key_name);
  const auto keys = facts.keys.find(server.user_id);
  if (server.key_name.empty() || keys == facts.keys.end()) return;
  for (const auto& key : keys->second) {
    if (key.name != server.key_name) continue;
    spec.set_public_key(key.public_key);
    spec.set_key_type(key.type);
  }
}

absl::StatusOr<Member> MakeMember(const os::Server& server, const Devices& devices, const ProjectFacts& facts,
                                  const std::string& site, absl::Time now) {
  Member member;
  ServerSpec& spec = *member.mutable_server();
  Placement& placement = *member.add_placements();
  placement.set_site(site);
  placement.set_state(Placement::SERVING);
  placement.set_server_id(server.id);
  spec.set_name(server.name);
  spec.set_description(server.description);
  spec.set_availability_zone(server.availability_zone);
  spec.set_config_drive(server.config_drive);
  spec.set_locked(server.locked);
  spec.set_running(server.status == "ACTIVE");
  spec.set_user_data(server.user_data);
  for (const auto& [key, value] : server.metadata) {
    if (!IsOwnKey(key)) (*spec.mutable_metadata())[key] = value;
  }
  for (const auto& tag : server.tags) {
    if (!IsOwnKey(tag)) spec.add_tags(tag);
  }
  CaptureFlavor(server, facts.flavors, spec);
  CaptureKeyPair(facts, server, spec);
  CaptureServerGroup(facts.groups, server, spec);
  PROTECTOR_RETURN_IF_ERROR(CaptureVolumes(server, devices, spec, placement));
  CapturePorts(devices, facts.network, spec, placement);
  member.mutable_captured_at()->set_seconds(absl::ToUnixSeconds(now));
  return member;
}

}  // namespace

bool IsOwnKey(const std::string& key) {
  static const std::set<std::string> kDrivers = {"array_volume_name", "array_name", "attached_mode", "readonly"};
  return kDrivers.contains(key) || key.rfind("protector", 0) == 0;
}

absl::StatusOr<std::vector<Member>> CaptureServers(os::Cloud& cloud, const os::CallContext& call,
                                                   const std::string& site,
                                                   const std::vector<std::string>& names_or_ids, absl::Time now) {
  std::vector<os::Server> servers;
  PROTECTOR_ASSIGN_OR_RETURN(const os::TokenInfo self, cloud.keystone().Self(call));
  ServerFinder finder(cloud.nova(), call, self.project_id, names_or_ids.size());
  for (const std::string& name_or_id : names_or_ids) {
    PROTECTOR_ASSIGN_OR_RETURN(servers.emplace_back(), finder.Find(name_or_id));
    PROTECTOR_RETURN_IF_ERROR(CheckProtectable(servers.back()));
  }
  PROTECTOR_ASSIGN_OR_RETURN(const ProjectFacts facts, ReadProjectFacts(cloud, call, servers));
  std::vector<absl::StatusOr<Devices>> devices(servers.size(), absl::UnknownError("not asked"));
  ForEachInParallel(servers.size(), kServersAtOnce,
                    [&](size_t i) { devices[i] = ReadDevices(cloud, call, facts, servers[i]); });
  std::vector<Member> members;
  for (size_t i = 0; i < servers.size(); ++i) {
    PROTECTOR_RETURN_IF_ERROR(devices[i].status());
    PROTECTOR_ASSIGN_OR_RETURN(members.emplace_back(), MakeMember(servers[i], *devices[i], facts, site, now));
  }
  return members;
}

}  // namespace protector::orchestrator
