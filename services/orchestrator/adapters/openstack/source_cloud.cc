#include "services/orchestrator/adapters/openstack/source_cloud.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "libs/base/error.h"
#include "services/orchestrator/adapters/openstack/capture.h"
#include "services/orchestrator/adapters/openstack/inventory.h"
#include "services/orchestrator/adapters/openstack/recapture.h"
#include "services/orchestrator/domain/check/plan.h"

namespace protector::orchestrator {
namespace {

namespace os = ::protector::openstack;

std::string Upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

absl::StatusOr<peer::ChangeResponse> Done(bool already) {
  peer::ChangeResponse response;
  response.set_already(already);
  return response;
}

class LocalSourceCloud final : public SourceCloudPort {
 public:
  LocalSourceCloud(LocalCloud& cloud, EpochGuard& guard) : cloud_(cloud), guard_(guard) {}

  absl::StatusOr<peer::GetStandingResponse> GetStanding(const Call&, const peer::GetStandingRequest& request) override {
    peer::GetStandingResponse response;
    response.set_site(cloud_.site());
    response.set_clock_ms(absl::ToUnixMillis(cloud_.Now()));
    if (!request.group_id().empty()) {
      PROTECTOR_ASSIGN_OR_RETURN(const int64_t epoch, guard_.Known(request.group_id()));
      response.set_epoch(epoch);
    }
    return response;
  }

  absl::StatusOr<peer::DescribeResourcesResponse> DescribeResources(
      const Call& call, const peer::DescribeResourcesRequest& request) override;
  absl::StatusOr<peer::CaptureMembersResponse> CaptureMembers(const Call& call,
                                                              const peer::CaptureMembersRequest& request) override {
    PROTECTOR_ASSIGN_OR_RETURN(const auto group, cloud_.Document(call, request.group_id()));
    PROTECTOR_ASSIGN_OR_RETURN(const auto cloud, cloud_.ForGroup(call, request.group_id()));
    const std::set<std::string> wanted(request.member_ids().begin(), request.member_ids().end());
    std::vector<groups::Member> members;
    for (const auto& member : group.members()) {
      if (wanted.empty() || wanted.contains(member.id())) members.push_back(member);
    }
    PROTECTOR_ASSIGN_OR_RETURN(const auto captured,
                               Recapture(*cloud, cloud_.Context(call), cloud_.site(), members, cloud_.Now()));
    peer::CaptureMembersResponse response;
    response.mutable_members()->Assign(captured.begin(), captured.end());
    return response;
  }

  absl::StatusOr<peer::CheckTargetResponse> CheckTarget(const Call& call,
                                                        const peer::CheckTargetRequest& request) override {
    const std::string project = request.group().projects().at(cloud_.site());
    PROTECTOR_ASSIGN_OR_RETURN(const auto cloud, cloud_.ForProject(project));
    PROTECTOR_ASSIGN_OR_RETURN(const Inventory inventory,
                               CollectInventory(*cloud, cloud_.Context(call), cloud_.site(), project));
    peer::CheckTargetResponse response;
    for (auto& finding : PlanMembers(request, inventory).findings) *response.add_findings() = std::move(finding);
    return response;
  }

  absl::StatusOr<peer::ChangeResponse> StopServer(const Call& call, const peer::StopServerRequest& request) override {
    PROTECTOR_ASSIGN_OR_RETURN(const Target target, Prepare(call, request.authority(), request.server_id()));
    if (target.server.status == "SHUTOFF" && target.server.task_state.empty()) return Done(true);
    PROTECTOR_RETURN_IF_ERROR(
        MarkUnknown(target.cloud->nova().StopServer(cloud_.Context(call), request.server_id(), request.hard())));
    return Done(false);
  }

  absl::StatusOr<peer::ChangeResponse> StartServer(const Call& call, const peer::ServerRequest& request) override {
    PROTECTOR_ASSIGN_OR_RETURN(const auto group, cloud_.Document(call, request.authority().group_id()));
    if (group.primary_site() != cloud_.site()) {
      return Error(absl::StatusCode::kFailedPrecondition, "NOT_PRIMARY",
                   fmt::format("{} is not the primary site of {}: its members must not run here", cloud_.site(),
                               group.name()))
          .Object("protection group " + group.name())
          .Remedy("Start the members on " + group.primary_site() + ".");
    }
    PROTECTOR_ASSIGN_OR_RETURN(const Target target, Prepare(call, request.authority(), request.server_id()));
    if (target.server.status == "ACTIVE") return Done(true);
    PROTECTOR_RETURN_IF_ERROR(MarkUnknown(target.cloud->nova().StartServer(cloud_.Context(call), request.server_id())));
    return Done(false);
  }

  absl::StatusOr<peer::ChangeResponse> LockServer(const Call& call, const peer::ServerRequest& request) override {
    PROTECTOR_ASSIGN_OR_RETURN(const Target target, Prepare(call, request.authority(), request.server_id()));
    if (target.server.locked) return Done(true);
    PROTECTOR_RETURN_IF_ERROR(
        MarkUnknown(target.cloud->nova().LockServer(cloud_.Context(call), request.server_id(), request.reason())));
    return Done(false);
  }

  absl::StatusOr<peer::ChangeResponse> UnlockServer(const Call& call, const peer::ServerRequest& request) override {
    PROTECTOR_ASSIGN_OR_RETURN(const Target target, Prepare(call, request.authority(), request.server_id()));
    if (!target.server.locked) return Done(true);
    PROTECTOR_RETURN_IF_ERROR(
        MarkUnknown(target.cloud->nova().UnlockServer(cloud_.Context(call), request.server_id())));
    return Done(false);
  }

  absl::StatusOr<peer::ChangeResponse> DeleteServer(const Call& call, const peer::ServerRequest& request) override;

  absl::StatusOr<peer::ChangeResponse> DeletePort(const Call& call, const peer::PortRequest& request) override {
    PROTECTOR_RETURN_IF_ERROR(guard_.Admit(request.authority()));
    PROTECTOR_ASSIGN_OR_RETURN(const auto cloud, cloud_.ForGroup(call, request.authority().group_id()));
    PROTECTOR_RETURN_IF_ERROR(MarkUnknown(cloud->neutron().DeletePort(cloud_.Context(call), request.port_id())));
    return Done(false);
  }

  absl::StatusOr<peer::ChangeResponse> UnmanageVolume(const Call& call, const peer::VolumeRequest& request) override {
    PROTECTOR_RETURN_IF_ERROR(guard_.Admit(request.authority()));
    PROTECTOR_ASSIGN_OR_RETURN(const auto cloud, cloud_.ForGroup(call, request.authority().group_id()));
    const auto volume = cloud->cinder().GetVolume(cloud_.Context(call), request.volume_id());
    if (volume.status().code() == absl::StatusCode::kNotFound) return Done(true);
    PROTECTOR_RETURN_IF_ERROR(volume.status());
    if (volume->status == "unmanaging") return Done(false);
    // Cinder does not take a second unmanage while the first one's failure stands.
    if (volume->status == "error_unmanaging") {
      PROTECTOR_RETURN_IF_ERROR(
          MarkUnknown(cloud->cinder().ResetStatus(cloud_.Context(call), request.volume_id(), "available")));
    }
    PROTECTOR_RETURN_IF_ERROR(MarkUnknown(cloud->cinder().Unmanage(cloud_.Context(call), request.volume_id())));
    return Done(false);
  }

 private:
  struct Target {
    std::shared_ptr<os::Cloud> cloud;
    os::Server server;
  };

  // The checks and the look that come before every change to a server.
  absl::StatusOr<Target> Prepare(const Call& call, const storage::Authority& authority, const std::string& server_id) {
    PROTECTOR_RETURN_IF_ERROR(guard_.Admit(authority));
    Target target;
    PROTECTOR_ASSIGN_OR_RETURN(target.cloud, cloud_.ForGroup(call, authority.group_id()));
    auto server = target.cloud->nova().GetServer(cloud_.Context(call), server_id);
    if (server.status().code() == absl::StatusCode::kNotFound) {
      return Error(absl::StatusCode::kNotFound, "SERVER_NOT_FOUND",
                   fmt::format("server {} is not on {}", server_id, cloud_.site()))
          .Object("server " + server_id)
          .Remedy("If it was deleted by hand, remove the member from its protection group.");
    }
    PROTECTOR_RETURN_IF_ERROR(server.status());
    target.server = *std::move(server);
    return target;
  }

  LocalCloud& cloud_;
  EpochGuard& guard_;
};

absl::StatusOr<peer::ChangeResponse> LocalSourceCloud::DeleteServer(const Call& call,
                                                                    const peer::ServerRequest& request) {
  const auto prepared = Prepare(call, request.authority(), request.server_id());
  if (prepared.status().code() == absl::StatusCode::kNotFound) return Done(true);
  PROTECTOR_RETURN_IF_ERROR(prepared.status());
  if (prepared->server.task_state == "deleting") return Done(false);  // an earlier request, whose answer was lost
  os::NovaApi& nova = prepared->cloud->nova();
  const os::CallContext context = cloud_.Context(call);
  // Nova deletes volumes that are marked so together with the server: the mark is taken off, and looked at again,
  // before anything else, since a deleted Cinder volume is a destroyed array volume.
  for (int look = 0;; ++look) {
    PROTECTOR_ASSIGN_OR_RETURN(const auto volumes, nova.ListVolumeAttachments(context, request.server_id()));
    const auto doomed =
        std::find_if(volumes.begin(), volumes.end(), [](const auto& v) { return v.delete_on_termination; });
    if (doomed == volumes.end()) break;
    if (look > static_cast<int>(volumes.size())) {
      return Error(absl::StatusCode::kFailedPrecondition, "CLOUD_REFUSED",
                   fmt::format("volume {} would be deleted together with server {}", doomed->volume_id,
                               request.server_id()))
          .Object("server " + request.server_id())
          .Remedy("Turn delete_on_termination off for the volume (`openstack server volume update`), then retry.");
    }
    PROTECTOR_RETURN_IF_ERROR(
        MarkUnknown(nova.SetDeleteOnTermination(context, request.server_id(), doomed->volume_id, false)));
  }
  if (prepared->server.locked) PROTECTOR_RETURN_IF_ERROR(MarkUnknown(nova.UnlockServer(context, request.server_id())));
  PROTECTOR_RETURN_IF_ERROR(MarkUnknown(nova.DeleteServer(context, request.server_id())));
  return Done(false);
}

absl::StatusOr<peer::DescribeResourcesResponse> LocalSourceCloud::DescribeResources(
    const Call& call, const peer::DescribeResourcesRequest& request) {
  PROTECTOR_ASSIGN_OR_RETURN(const auto cloud, cloud_.ForGroup(call, request.group_id()));
  const os::CallContext context = cloud_.Context(call);
  peer::DescribeResourcesResponse response;
  // Every id that was asked for is answered: those that no list call shows do not exist.
  if (!request.server_ids().empty()) {
    os::ServerFilter filter;
    filter.ids.assign(request.server_ids().begin(), request.server_ids().end());
    PROTECTOR_ASSIGN_OR_RETURN(const auto servers, cloud->nova().ListServers(context, filter));
    std::map<std::string, const os::Server*> found;
    for (const auto& server : servers) found[server.id] = &server;
    for (const auto& id : request.server_ids()) {
      auto* state = response.add_servers();
      state->set_id(id);
      const auto server = found.find(id);
      if (server == found.end() || server->second->status == "DELETED") continue;
      state->set_exists(true);
      state->set_status(Upper(server->second->status));
      state->set_task_state(server->second->task_state);
      state->set_fault(server->second->fault);
      state->set_locked(server->second->locked);
    }
  }
  if (!request.volume_ids().empty()) {
    os::VolumeFilter filter;
    filter.ids.assign(request.volume_ids().begin(), request.volume_ids().end());
    PROTECTOR_ASSIGN_OR_RETURN(const auto volumes, cloud->cinder().ListVolumes(context, filter));
    std::map<std::string, std::string> found;
    for (const auto& volume : volumes) found[volume.id] = volume.status;
    for (const auto& id : request.volume_ids()) {
      auto* state = response.add_volumes();
      state->set_id(id);
      const auto volume = found.find(id);
      state->set_exists(volume != found.end());
      if (volume != found.end()) state->set_status(Upper(volume->second));
    }
  }
  if (!request.port_ids().empty()) {
    os::PortFilter filter;
    filter.ids.assign(request.port_ids().begin(), request.port_ids().end());
    PROTECTOR_ASSIGN_OR_RETURN(const auto ports, cloud->neutron().ListPorts(context, filter));
    std::map<std::string, std::string> found;
    for (const auto& port : ports) found[port.id] = port.status;
    for (const auto& id : request.port_ids()) {
      auto* state = response.add_ports();
      state->set_id(id);
      const auto port = found.find(id);
      state->set_exists(port != found.end());
      if (port != found.end()) state->set_status(Upper(port->second));
    }
  }
  return response;
}

}  // namespace

std::unique_ptr<SourceCloudPort> MakeLocalSourceCloud(LocalCloud& cloud, EpochGuard& guard) {
  return std::make_unique<LocalSourceCloud>(cloud, guard);
}

}  // namespace protector::orchestrator
