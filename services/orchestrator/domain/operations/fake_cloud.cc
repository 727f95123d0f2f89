#include <fmt/format.h>

#include "libs/base/error.h"
#include "services/orchestrator/domain/operations/fake_ports.h"

namespace protector::orchestrator::fake {
namespace {

constexpr absl::Duration kShort = absl::Seconds(1);

}  // namespace

// Metadata: both sites hold a version before it is acknowledged; alone only in an epoch that the peer does not hold.
absl::StatusOr<metadata::CommitResponse> FakeMetadata::Commit(const Call&, const metadata::CommitRequest& request) {
  metadata::CommitResponse response;
  const absl::Status done = world_.Change(from_, here_, "commit", request.reason(), [&]() -> absl::Status {
    Site& here = world_.site(here_);
    Site& peer_site = world_.other(here_);
    const metadata::GetDocumentResponse head = here.versions.back();
    if (head.version().version() != request.base_version()) {
      return Error(absl::StatusCode::kAborted, "VERSION_MISMATCH", "the head has moved");
    }
    const groups::GroupDocument& before = head.document();
    const groups::GroupDocument& document = request.document();
    const bool move = document.epoch() == before.epoch() + 1 && document.primary_site() == here_;
    const bool same = document.epoch() == before.epoch() && document.primary_site() == here_;
    if (!move && !same) return Error(absl::StatusCode::kFailedPrecondition, "NOT_PRIMARY", "not the primary site");
    const bool newer = document.epoch() > peer_site.versions.back().document().epoch();
    if (!peer_site.up && !(request.allow_peer_unreachable() && newer)) {
      return Error(absl::StatusCode::kUnavailable, "REMOTE_SITE_UNREACHABLE",
                   "Cannot modify protection group: remote site unreachable");
    }
    metadata::GetDocumentResponse version;
    *version.mutable_document() = document;
    version.mutable_version()->set_version(head.version().version() + 1);
    here.versions.push_back(version);
    if (peer_site.up) peer_site.versions = here.versions;
    world_.Effect(
        fmt::format("{}.commit epoch {} {}", here_, document.epoch(), groups::GroupStatus_Name(document.status())));
    *response.mutable_version() = version.version();
    *response.mutable_document() = document;
    response.set_peer_has_it(peer_site.up);
    return absl::OkStatus();
  });
  PROTECTOR_RETURN_IF_ERROR(done);
  return response;
}

absl::StatusOr<metadata::GetDocumentResponse> FakeMetadata::GetDocument(const Call&,
                                                                        const metadata::GetDocumentRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(world_.Begin(from_, here_));
  const metadata::GetDocumentResponse& head = world_.site(here_).versions.back();
  if (request.group_id() != head.document().id() && request.name() != head.document().name()) {
    return Error(absl::StatusCode::kNotFound, "GROUP_NOT_FOUND", "no such group");
  }
  return head;
}

absl::StatusOr<metadata::ListDocumentsResponse> FakeMetadata::ListDocuments(const Call&,
                                                                            const metadata::ListDocumentsRequest&) {
  PROTECTOR_RETURN_IF_ERROR(world_.Begin(from_, here_));
  metadata::ListDocumentsResponse response;
  *response.add_documents() = world_.site(here_).versions.back();
  return response;
}

absl::StatusOr<metadata::ListHeadsResponse> FakeMetadata::ListHeads(const Call&, const metadata::ListHeadsRequest&) {
  PROTECTOR_RETURN_IF_ERROR(world_.Begin(from_, here_));
  metadata::ListHeadsResponse response;
  metadata::Head& head = *response.add_heads();
  const auto& document = world_.head(here_);
  head.set_group_id(document.id());
  head.set_epoch(document.epoch());
  head.set_primary_site(document.primary_site());
  return response;
}

absl::StatusOr<metadata::SyncStatus> FakeMetadata::GetSyncStatus(const Call&, const metadata::GetSyncStatusRequest&) {
  PROTECTOR_RETURN_IF_ERROR(world_.Begin(from_, here_));
  metadata::SyncStatus status;
  const bool on_its_way = world_.commits_on_their_way > 0 && world_.commits_on_their_way-- > 0;
  const bool same = !on_its_way && world_.site("site-a").versions.size() == world_.site("site-b").versions.size();
  status.set_state(!world_.other(here_).up ? metadata::UNREACHABLE : same ? metadata::IN_SYNC : metadata::OUT_OF_SYNC);
  return status;
}

absl::StatusOr<metadata::ForceSyncResponse> FakeMetadata::ForceSync(const Call&, const metadata::ForceSyncRequest&) {
  world_.SyncMetadata();
  return metadata::ForceSyncResponse();
}

// What is there already.
absl::StatusOr<peer::GetStandingResponse> FakeCloud::GetStanding(const Call&, const peer::GetStandingRequest&) {
  PROTECTOR_RETURN_IF_ERROR(world_.Begin(from_, here_));
  peer::GetStandingResponse response;
  response.set_epoch(world_.site(here_).confirmed);
  response.set_clock_ms(absl::ToUnixMillis(world_.clock().Now()));
  return response;
}

absl::StatusOr<peer::DescribeResourcesResponse> FakeCloud::DescribeResources(
    const Call&, const peer::DescribeResourcesRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(world_.Begin(from_, here_));
  Site& site = world_.site(here_);
  peer::DescribeResourcesResponse response;
  for (const std::string& id : request.server_ids()) {
    peer::ResourceState& state = *response.add_servers();
    state.set_id(id);
    const auto found = site.servers.find(id);
    state.set_exists(found != site.servers.end());
    if (state.exists()) state.set_status(found->second.status);
    if (state.exists() && !found->second.next.empty()) state.set_task_state("changing");
  }
  for (const std::string& id : request.volume_ids()) {
    peer::ResourceState& state = *response.add_volumes();
    state.set_id(id);
    state.set_exists(site.volumes.count(id) > 0);
    if (state.exists()) state.set_status(site.volumes[id].status);
  }
  return response;
}

absl::StatusOr<peer::CaptureMembersResponse> FakeCloud::CaptureMembers(const Call&,
                                                                       const peer::CaptureMembersRequest&) {
  PROTECTOR_RETURN_IF_ERROR(world_.Begin(from_, here_));
  peer::CaptureMembersResponse response;
  for (const groups::Member& member : world_.head(here_).members()) {
    groups::Member& captured = *response.add_members();
    captured = member;
    const groups::Placement* placement = FindPlacement(member, here_);
    const auto server = world_.site(here_).servers.find(placement == nullptr ? "" : placement->server_id());
    captured.mutable_server()->set_running(server != world_.site(here_).servers.end() &&
                                           server->second.status == "ACTIVE");
  }
  return response;
}

absl::StatusOr<peer::CheckTargetResponse> FakeCloud::CheckTarget(const Call&, const peer::CheckTargetRequest&) {
  return peer::CheckTargetResponse();
}

absl::StatusOr<peer::ChangeResponse> FakeCloud::Change(const std::string& call, const std::string& object,
                                                       const storage::Authority& authority, const Effect& effect) {
  peer::ChangeResponse response;
  const absl::Status done = world_.Change(from_, here_, call, object, [&]() -> absl::Status {
    Site& site = world_.site(here_);
    PROTECTOR_RETURN_IF_ERROR(world_.CheckEpoch(site, authority, &Site::confirmed));
    PROTECTOR_ASSIGN_OR_RETURN(const bool already, effect(site));
    response.set_already(already);
    if (!already) world_.Effect(fmt::format("{}.{} {}", here_, call, object));
    return absl::OkStatus();
  });
  PROTECTOR_RETURN_IF_ERROR(done);
  return response;
}

absl::StatusOr<peer::ChangeResponse> FakeCloud::StopServer(const Call&, const peer::StopServerRequest& request) {
  return Change(request.hard() ? "power-off" : "stop", request.server_id(), request.authority(),
                [&](Site& site) -> absl::StatusOr<bool> {
                  const auto found = site.servers.find(request.server_id());
                  if (found == site.servers.end()) return absl::NotFoundError("no such server");
                  Server& server = found->second;
                  if (server.status == "SHUTOFF" || server.next == "SHUTOFF") return true;
                  if (server.ignores_stop && !request.hard()) return false;
                  server.next = "SHUTOFF";
                  server.ready = world_.clock().Now() + kShort;
                  return false;
                });
}

absl::StatusOr<peer::ChangeResponse> FakeCloud::StartServer(const Call&, const peer::ServerRequest& request) {
  return Change("start", request.server_id(), request.authority(), [&](Site& site) -> absl::StatusOr<bool> {
    if (world_.head(here_).primary_site() != here_) {
      return Error(absl::StatusCode::kFailedPrecondition, "NOT_PRIMARY", "not the primary site");
    }
    Server& server = site.servers.at(request.server_id());
    if (server.status == "ACTIVE" || server.next == "ACTIVE") return true;  // a stop may still be under way
    server.next = "ACTIVE";
    server.ready = world_.clock().Now() + kShort;
    return false;
  });
}

absl::StatusOr<peer::ChangeResponse> FakeCloud::LockServer(const Call&, const peer::ServerRequest& request) {
  return Change("lock", request.server_id(), request.authority(), [&](Site& site) -> absl::StatusOr<bool> {
    if (site.servers.count(request.server_id()) == 0) return absl::NotFoundError("no such server");
    return std::exchange(site.servers[request.server_id()].locked, true);
  });
}

absl::StatusOr<peer::ChangeResponse> FakeCloud::UnlockServer(const Call&, const peer::ServerRequest& request) {
  return Change("unlock", request.server_id(), request.authority(), [&](Site& site) -> absl::StatusOr<bool> {
    return !std::exchange(site.servers[request.server_id()].locked, false);
  });
}

absl::StatusOr<peer::ChangeResponse> FakeCloud::DeleteServer(const Call&, const peer::ServerRequest& request) {
  return Change("delete-server", request.server_id(), request.authority(), [&](Site& site) -> absl::StatusOr<bool> {
    const auto found = site.servers.find(request.server_id());
    if (found == site.servers.end() || found->second.next == "DELETED") return true;
    if (world_.failing_deletions > 0) {
      --world_.failing_deletions;
      return false;
    }
    found->second.next = "DELETED";
    found->second.ready = world_.clock().Now() + kShort;
    return false;
  });
}

absl::StatusOr<peer::ChangeResponse> FakeCloud::DeletePort(const Call&, const peer::PortRequest& request) {
  return Change("delete-port", request.port_id(), request.authority(),
                [&](Site& site) -> absl::StatusOr<bool> { return site.ports.erase(request.port_id()) == 0; });
}

absl::StatusOr<peer::ChangeResponse> FakeCloud::UnmanageVolume(const Call&, const peer::VolumeRequest& request) {
  return Change("unmanage", request.volume_id(), request.authority(), [&](Site& site) -> absl::StatusOr<bool> {
    const auto found = site.volumes.find(request.volume_id());
    if (found == site.volumes.end()) return true;
    if (found->second.status == "IN-USE") return absl::FailedPreconditionError("the volume is in use");
    site.volumes.erase(found);
    return false;
  });
}

// The target.
absl::StatusOr<MembersPlan> FakeTarget::Plan(const Call&, const peer::CheckTargetRequest& request) {
  world_.Tick();
  MembersPlan plan;
  if (world_.blocked_plan) {
    peer::Finding& finding = plan.findings.emplace_back();
    finding.set_check("network");
    finding.set_object("network net");
    finding.set_severity(peer::Finding::BLOCKER);
    finding.set_detail("network net is not on " + here_);
    finding.set_remedy("Map it.");
    return plan;
  }
  for (const groups::Member& member : request.group().members()) {
    op::MemberPlan& one = plan.plans.emplace_back();
    one.set_member_id(member.id());
    one.set_flavor_id("flavor");
    for (int p = 0; p < member.server().ports_size(); ++p) one.add_ports()->set_network_id("net");
  }
  return plan;
}

absl::StatusOr<std::string> FakeTarget::Import(const Call&, const ImportVolume& request) {
  std::string id;
  PROTECTOR_RETURN_IF_ERROR(Change("import", request.array_volume, [&]() -> absl::Status {
    for (auto& [serial, disk] : here().array) {
      if (disk.name != request.array_volume) continue;
      id = world_.NewId("volume");
      here().volumes[id] = {id, request.mark, "CREATING", disk.id, world_.clock().Now() + kShort};
      if (world_.failing_imports > 0) {
        --world_.failing_imports;
        here().volumes[id].status = "ERROR_MANAGING";
      }
      world_.Effect(fmt::format("{}.import {}", here_, request.mark));
      return absl::OkStatus();
    }
    return Error(absl::StatusCode::kFailedPrecondition, "CLOUD_REFUSED",
                 "no such array volume: " + request.array_volume);
  }));
  return id;
}

absl::StatusOr<std::vector<CloudObject>> FakeTarget::FindVolumes(const Call&, const std::string&,
                                                                 const std::vector<std::string>& marks) {
  world_.Tick();
  std::vector<CloudObject> found;
  for (const auto& [id, volume] : here().volumes) {
    if (volume.name == marks.front()) found.push_back({.id = id, .mark = volume.name, .status = volume.status});
  }
  return found;
}

absl::Status FakeTarget::Update(const Call&, const UpdateVolume& request) {
  return Change("update-volume", request.volume_id, [&] {
    here().volumes.at(request.volume_id).name = request.name;
    return absl::OkStatus();
  });
}

absl::StatusOr<CloudObject> FakeTarget::Create(const Call&, const CreatePort& request) {
  CloudObject made;
  PROTECTOR_RETURN_IF_ERROR(Change("create-port", request.mark, [&] {
    made.id = world_.NewId("port");
    here().ports[made.id] = {made.id, request.mark, "", true};
    world_.Effect(fmt::format("{}.create-port {}", here_, request.mark));
    return absl::OkStatus();
  }));
  return made;
}

absl::StatusOr<std::vector<CloudObject>> FakeTarget::FindPorts(const Call&, const std::string&,
                                                               const std::vector<std::string>& marks) {
  world_.Tick();
  std::vector<CloudObject> found;
  for (const auto& [id, port] : here().ports) {
    if (port.mark == marks.front()) found.push_back({.id = id, .mark = port.mark});
  }
  return found;
}

absl::StatusOr<std::string> FakeTarget::Create(const Call&, const CreateServer& request) {
  std::string id;
  PROTECTOR_RETURN_IF_ERROR(Change("create-server", request.captured.name(), [&]() -> absl::Status {
    for (const std::string& volume : request.volume_ids) {
      if (here().volumes.at(volume).status != "AVAILABLE") {
        return Error(absl::StatusCode::kFailedPrecondition, "CLOUD_REFUSED", "a volume is not available");
      }
    }
    Server server;
    server.id = id = world_.NewId("server");
    server.name = request.captured.name();
    server.mark = request.mark;
    server.ports = request.port_ids;
    server.volumes = request.volume_ids;
    server.status = "BUILD";
    server.next = world_.boot_faults.count(server.name) > 0 ? "ERROR" : "ACTIVE";
    server.ready = world_.clock().Now() + absl::Seconds(2);
    for (const std::string& volume : request.volume_ids) here().volumes[volume].status = "IN-USE";
    here().servers[id] = server;
    world_.Effect(fmt::format("{}.create-server {}", here_, server.name));
    return absl::OkStatus();
  }));
  return id;
}

absl::StatusOr<std::vector<CloudObject>> FakeTarget::FindServers(const Call&, const std::string&,
                                                                 const std::vector<FindServer>& wanted) {
  world_.Tick();
  std::vector<CloudObject> found;
  for (const auto& [id, server] : here().servers) {
    if (server.mark == wanted.front().mark) found.push_back({.id = id, .mark = server.mark, .status = server.status});
  }
  return found;
}

absl::Status FakeTarget::DeleteServer(const Call&, const std::string& id) {
  return Change("delete-failed-server", id, [&] {
    const auto found = here().servers.find(id);
    if (found != here().servers.end()) {
      for (const std::string& volume : found->second.volumes) here().volumes[volume].status = "AVAILABLE";
      here().servers.erase(found);
    }
    return absl::OkStatus();
  });
}
absl::Status FakeTarget::ForgetVolume(const Call&, const std::string& id) {
  return Change("forget-volume", id, [&]() -> absl::Status {
    const auto found = here().volumes.find(id);
    if (found != here().volumes.end() && found->second.status.rfind("ERROR", 0) == 0) {
      if (world_.refuses_to_forget) return Error(absl::StatusCode::kFailedPrecondition, "CLOUD_REFUSED", "its status");
      found->second.status = "ERROR_UNMANAGING";  // taken, and given up
      return absl::OkStatus();
    }
    here().volumes.erase(id);
    return absl::OkStatus();
  });
}
absl::Status FakeTarget::DeletePort(const Call&, const std::string&) {
  return absl::OkStatus();
}
absl::Status FakeTarget::StopServer(const Call&, const std::string& id) {
  return Change("stop-new-server", id, [&] {
    here().servers.at(id).status = "SHUTOFF";
    return absl::OkStatus();
  });
}
absl::Status FakeTarget::LockServer(const Call&, const std::string& id, const std::string&) {
  return Change("lock-new-server", id, [&] {
    here().servers.at(id).locked = true;
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<CloudObject>> FakeTarget::DescribeServers(const Call&, const std::vector<std::string>& ids) {
  world_.Tick();
  std::vector<CloudObject> found;
  for (const std::string& id : ids) {
    const auto server = here().servers.find(id);
    if (server == here().servers.end()) continue;
    CloudObject object{.id = id, .status = server->second.status, .addresses = {"10.0.0.1"}};
    if (object.status == "ERROR") object.fault = world_.boot_faults[server->second.name];
    found.push_back(object);
  }
  return found;
}

absl::StatusOr<std::vector<CloudObject>> FakeTarget::DescribeVolumes(const Call&, const std::vector<std::string>& ids) {
  world_.Tick();
  std::vector<CloudObject> found;
  for (const std::string& id : ids) {
    if (here().volumes.count(id) > 0) found.push_back({.id = id, .status = here().volumes[id].status});
  }
  return found;
}

}  // namespace protector::orchestrator::fake
