#include "services/orchestrator/adapters/openstack/target_cloud.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <set>

#include "libs/base/error.h"
#include "libs/http/client.h"
#include "services/orchestrator/adapters/openstack/inventory.h"
#include "services/orchestrator/domain/check/plan.h"

namespace protector::orchestrator {
namespace {

namespace os = ::protector::openstack;

std::string Upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string MarkIn(const std::map<std::string, std::string>& metadata) {
  const auto found = metadata.find(kMarkKey);
  return found == metadata.end() ? "" : found->second;
}

CloudObject Seen(const os::Server& server) {
  CloudObject object;
  object.id = server.id;
  object.mark = MarkIn(server.metadata);
  object.name = server.name;
  object.status = Upper(server.status);
  object.task_state = server.task_state;
  object.fault = server.fault;
  for (const auto& address : server.addresses) object.addresses.push_back(address.ip);
  return object;
}

CloudObject Seen(const os::Volume& volume) {
  CloudObject object;
  object.id = volume.id;
  object.mark = IsOurMark(volume.name) ? volume.name : MarkIn(volume.metadata);
  object.name = volume.name;
  object.status = Upper(volume.status);
  return object;
}

CloudObject Seen(const os::Port& port) {
  CloudObject object;
  object.id = port.id;
  object.mark = IsOurMark(port.description) ? port.description : "";
  object.name = port.name;
  object.status = Upper(port.status);
  object.device_id = port.device_id;
  for (const auto& fixed : port.fixed_ips) object.addresses.push_back(fixed.ip_address);
  return object;
}

// Those of `all` that carry one of the marks.
template <typename T>
std::vector<CloudObject> Marked(const std::vector<T>& all, const std::vector<std::string>& marks) {
  const std::set<std::string> wanted(marks.begin(), marks.end());
  std::vector<CloudObject> found;
  for (const auto& item : all) {
    CloudObject object = Seen(item);
    if (!object.mark.empty() && wanted.contains(object.mark)) found.push_back(std::move(object));
  }
  return found;
}

template <typename T>
std::vector<CloudObject> All(const std::vector<T>& items) {
  std::vector<CloudObject> seen;
  seen.reserve(items.size());
  for (const auto& item : items) seen.push_back(Seen(item));
  return seen;
}

std::vector<os::AddressPair> Pairs(const groups::PortSpec& captured) {
  std::vector<os::AddressPair> pairs;
  for (const auto& pair : captured.allowed_address_pairs()) pairs.push_back({pair.ip_address(), pair.mac_address()});
  return pairs;
}

class TargetCloud final : public TargetCloudPort {
 public:
  TargetCloud(LocalCloud& cloud, SitesPort& sites) : cloud_(cloud), sites_(sites) {}

  absl::StatusOr<MembersPlan> Plan(const Call& call, const peer::CheckTargetRequest& request) override {
    const auto project = request.group().projects().find(cloud_.site());
    if (project == request.group().projects().end()) {
      return Error(absl::StatusCode::kFailedPrecondition, "TENANT_MAPPING_NOT_FOUND",
                   fmt::format("protection group {} has no project on {}", request.group().name(), cloud_.site()))
          .Object("protection group " + request.group().name())
          .Remedy("Map the project with `protector tenant-mapping create`.");
    }
    PROTECTOR_ASSIGN_OR_RETURN(const auto cloud, cloud_.ForProject(project->second));
    PROTECTOR_ASSIGN_OR_RETURN(const Inventory inventory,
                               CollectInventory(*cloud, cloud_.Context(call), cloud_.site(), project->second));
    return PlanMembers(request, inventory);
  }

  absl::StatusOr<std::string> Import(const Call& call, const ImportVolume& request) override {
    PROTECTOR_ASSIGN_OR_RETURN(const auto site, sites_.GetSite(call, sites_.LocalSite()));
    if (site.cinder_host().empty()) {
      return Error(absl::StatusCode::kFailedPrecondition, "CLOUD_REFUSED",
                   fmt::format("site {} has no cinder_host, so volumes cannot be imported", site.name()))
          .Object("site " + site.name())
          .Remedy("Set it to Cinder's host@backend#pool: `protector site set --cinder-host ...`.");
    }
    PROTECTOR_ASSIGN_OR_RETURN(const auto cloud, cloud_.ForProject(request.project_id));
    os::ManageVolume manage;
    manage.host = site.cinder_host();
    manage.source_name = request.array_volume;
    manage.name = request.mark;
    manage.volume_type = request.volume_type;
    manage.bootable = request.bootable;
    auto volume = cloud->cinder().Manage(cloud_.Context(call), manage);
    if (!volume.ok()) return MarkUnknown(volume.status());
    return volume->id;
  }

  absl::StatusOr<std::vector<CloudObject>> FindVolumes(const Call& call, const std::string& project_id,
                                                       const std::vector<std::string>& marks) override {
    PROTECTOR_ASSIGN_OR_RETURN(const auto cloud, cloud_.ForProject(project_id));
    PROTECTOR_ASSIGN_OR_RETURN(const auto volumes,
                               cloud->cinder().ListVolumes(cloud_.Context(call), os::VolumeFilter{}));
    return Marked(volumes, marks);
  }

  absl::Status Update(const Call& call, const UpdateVolume& request) override {
    const auto cloud = Anywhere();
    os::CinderApi& cinder = cloud->cinder();
    const os::CallContext context = cloud_.Context(call);
    // Metadata goes first: the mark has to be on the volume before its name stops being one.
    PROTECTOR_RETURN_IF_ERROR(cinder.SetVolumeMetadata(context, request.volume_id, request.metadata));
    if (!request.image_metadata.empty()) {
      PROTECTOR_RETURN_IF_ERROR(cinder.SetImageMetadata(context, request.volume_id, request.image_metadata));
    }
    PROTECTOR_RETURN_IF_ERROR(cinder.SetBootable(context, request.volume_id, request.bootable));
    return cinder.UpdateVolume(context, request.volume_id, request.name, request.description);
  }

  absl::StatusOr<CloudObject> Create(const Call& call, const CreatePort& request) override;

  absl::StatusOr<std::vector<CloudObject>> FindPorts(const Call& call, const std::string& project_id,
                                                     const std::vector<std::string>& marks) override {
    PROTECTOR_ASSIGN_OR_RETURN(const auto cloud, cloud_.ForProject(project_id));
    os::PortFilter filter;
    filter.project_id = project_id;
    PROTECTOR_ASSIGN_OR_RETURN(const auto ports, cloud->neutron().ListPorts(cloud_.Context(call), filter));
    return Marked(ports, marks);
  }

  absl::Status Update(const Call& call, const UpdatePort& request) override {
    const auto cloud = Anywhere();
    os::UpdatePort change;
    change.name = request.name;
    change.security_group_ids.emplace(request.plan.security_group_ids().begin(),
                                      request.plan.security_group_ids().end());
    return cloud->neutron().UpdatePort(cloud_.Context(call), request.port_id, change).status();
  }

  absl::StatusOr<std::string> Create(const Call& call, const CreateServer& request) override;

  absl::StatusOr<std::vector<CloudObject>> FindServers(const Call& call, const std::string& project_id,
                                                       const std::vector<FindServer>& servers) override {
    PROTECTOR_ASSIGN_OR_RETURN(const auto cloud, cloud_.ForProject(project_id));
    PROTECTOR_ASSIGN_OR_RETURN(const auto all, cloud->nova().ListServers(cloud_.Context(call), os::ServerFilter{}));
    std::vector<std::string> marks;
    marks.reserve(servers.size());
    for (const auto& server : servers) marks.push_back(server.mark);
    return Marked(all, marks);
  }

  absl::Status DeleteServer(const Call& call, const std::string& server_id) override {
    const auto cloud = Anywhere();
    return MarkUnknown(cloud->nova().DeleteServer(cloud_.Context(call), server_id));
  }
  absl::Status ForgetVolume(const Call& call, const std::string& volume_id) override {
    const auto cloud = Anywhere();
    return MarkUnknown(cloud->cinder().Unmanage(cloud_.Context(call), volume_id));
  }
  absl::Status DeletePort(const Call& call, const std::string& port_id) override {
    const auto cloud = Anywhere();
    return MarkUnknown(cloud->neutron().DeletePort(cloud_.Context(call), port_id));
  }
  absl::Status StopServer(const Call& call, const std::string& server_id) override {
    const auto cloud = Anywhere();
    return MarkUnknown(cloud->nova().StopServer(cloud_.Context(call), server_id, false));
  }
  absl::Status LockServer(const Call& call, const std::string& server_id, const std::string& reason) override {
    const auto cloud = Anywhere();
    return MarkUnknown(cloud->nova().LockServer(cloud_.Context(call), server_id, reason));
  }
  absl::Status UnlockServer(const Call& call, const std::string& server_id) override {
    const auto cloud = Anywhere();
    return MarkUnknown(cloud->nova().UnlockServer(cloud_.Context(call), server_id));
  }

  absl::StatusOr<std::vector<CloudObject>> DescribeServers(const Call& call,
                                                           const std::vector<std::string>& ids) override {
    const auto cloud = Anywhere();
    os::ServerFilter filter;
    filter.all_projects = true;
    filter.ids = ids;
    PROTECTOR_ASSIGN_OR_RETURN(const auto servers, cloud->nova().ListServers(cloud_.Context(call), filter));
    return All(servers);
  }
  absl::StatusOr<std::vector<CloudObject>> DescribeVolumes(const Call& call,
                                                           const std::vector<std::string>& ids) override {
    const auto cloud = Anywhere();
    os::VolumeFilter filter;
    filter.all_projects = true;
    filter.ids = ids;
    PROTECTOR_ASSIGN_OR_RETURN(const auto volumes, cloud->cinder().ListVolumes(cloud_.Context(call), filter));
    return All(volumes);
  }
  absl::StatusOr<std::vector<CloudObject>> DescribePorts(const Call& call,
                                                         const std::vector<std::string>& ids) override {
    const auto cloud = Anywhere();
    os::PortFilter filter;
    filter.ids = ids;
    PROTECTOR_ASSIGN_OR_RETURN(const auto ports, cloud->neutron().ListPorts(cloud_.Context(call), filter));
    return All(ports);
  }

 private:
  // Objects that are named by id: the service user's own scope, with its rights over all projects.
  std::shared_ptr<os::Cloud> Anywhere() { return cloud_.Own(); }

  LocalCloud& cloud_;
  SitesPort& sites_;
};

// An unused port of the project that holds one of the addresses: the user's own, from before the member left this site.
// It is taken over, since the address can be had in no other way.
absl::StatusOr<CloudObject> TakeOverPort(os::NeutronApi& neutron, const os::CallContext& context,
                                         const CreatePort& request, const absl::Status& refused) {
  os::PortFilter filter;
  filter.network_id = request.plan.network_id();
  PROTECTOR_ASSIGN_OR_RETURN(const auto ports, neutron.ListPorts(context, filter));
  for (const auto& port : ports) {
    if (!port.device_id.empty() || port.project_id != request.project_id) continue;
    const bool holds = std::any_of(port.fixed_ips.begin(), port.fixed_ips.end(), [&](const os::FixedIp& held) {
      const auto& wanted = request.plan.fixed_ips();
      return std::any_of(wanted.begin(), wanted.end(),
                         [&](const auto& ip) { return ip.ip_address() == held.ip_address; });
    });
    if (!holds) continue;
    os::UpdatePort change;
    change.description = request.mark;
    change.security_group_ids.emplace(request.plan.security_group_ids().begin(),
                                      request.plan.security_group_ids().end());
    PROTECTOR_ASSIGN_OR_RETURN(const os::Port taken, neutron.UpdatePort(context, port.id, change));
    return Seen(taken);
  }
  return refused;
}

absl::StatusOr<CloudObject> TargetCloud::Create(const Call& call, const CreatePort& request) {
  PROTECTOR_ASSIGN_OR_RETURN(const auto cloud, cloud_.ForProject(request.project_id));
  os::CreatePort port;
  port.network_id = request.plan.network_id();
  port.project_id = request.project_id;
  port.name = request.captured.name();
  port.description = request.mark;
  port.mac_address = request.plan.mac_address();
  for (const auto& fixed : request.plan.fixed_ips()) port.fixed_ips.push_back({fixed.subnet_id(), fixed.ip_address()});
  port.allowed_address_pairs = Pairs(request.captured);
  port.vnic_type = request.captured.vnic_type();
  if (request.captured.port_security_enabled()) {
    port.security_group_ids.emplace(request.plan.security_group_ids().begin(), request.plan.security_group_ids().end());
  } else {
    port.port_security = false;
    port.security_group_ids.emplace();
  }
  const os::CallContext context = cloud_.Context(call);
  auto made = cloud->neutron().CreatePort(context, port);
  if (made.ok()) return Seen(*made);
  if (os::HttpStatusOf(made.status()) == 409) return TakeOverPort(cloud->neutron(), context, request, made.status());
  return MarkUnknown(made.status());
}

// Key pairs belong to users, and the server is made by the service user: it is given the captured public key under the
// same name.
absl::Status EnsureKeyPair(os::NovaApi& nova, const os::CallContext& context, const CreateServer& request) {
  if (request.plan.key_name().empty() || request.captured.public_key().empty()) return absl::OkStatus();
  PROTECTOR_ASSIGN_OR_RETURN(const auto keys, nova.ListKeyPairs(context, ""));
  if (std::any_of(keys.begin(), keys.end(), [&](const auto& key) { return key.name == request.plan.key_name(); })) {
    return absl::OkStatus();
  }
  os::KeyPair key;
  key.name = request.plan.key_name();
  key.type = request.captured.key_type().empty() ? "ssh" : request.captured.key_type();
  key.public_key = request.captured.public_key();
  const absl::Status imported = nova.ImportKeyPair(context, key);
  // Another member's task may have been quicker.
  return imported.code() == absl::StatusCode::kAlreadyExists ? absl::OkStatus() : imported;
}

absl::StatusOr<std::string> TargetCloud::Create(const Call& call, const CreateServer& request) {
  PROTECTOR_ASSIGN_OR_RETURN(const auto cloud, cloud_.ForProject(request.project_id));
  const os::CallContext context = cloud_.Context(call);
  PROTECTOR_RETURN_IF_ERROR(EnsureKeyPair(cloud->nova(), context, request));
  os::CreateServer server;
  server.name = request.captured.name();
  server.description = request.captured.description();
  server.flavor_id = request.plan.flavor_id();
  server.port_ids = request.port_ids;
  server.key_name = request.plan.key_name();
  server.availability_zone = request.plan.availability_zone();
  server.metadata.insert(request.captured.metadata().begin(), request.captured.metadata().end());
  server.metadata[kMarkKey] = request.mark;
  server.metadata[kGroupKey] = request.group_id;
  server.metadata[kMemberKey] = request.member_id;
  server.tags.assign(request.captured.tags().begin(), request.captured.tags().end());
  if (request.captured.config_drive()) server.config_drive = true;
  server.server_group_id = request.plan.server_group_id();
  server.user_data = request.captured.user_data();
  for (int i = 0; i < request.captured.volumes_size(); ++i) {
    const auto& spec = request.captured.volumes(i);
    os::BlockDevice device;
    device.volume_id = request.volume_ids.at(static_cast<size_t>(i));
    if (spec.boot_index() >= 0) device.boot_index = spec.boot_index();
    device.device_name = spec.device();
    server.block_devices.push_back(std::move(device));
  }
  auto id = cloud->nova().CreateServer(context, server);
  if (!id.ok()) return MarkUnknown(id.status());
  return *id;
}

}  // namespace

std::unique_ptr<TargetCloudPort> MakeTargetCloud(LocalCloud& cloud, SitesPort& sites) {
  return std::make_unique<TargetCloud>(cloud, sites);
}

}  // namespace protector::orchestrator
