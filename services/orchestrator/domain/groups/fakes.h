#pragma once
// Two sites in memory, as far as changes of groups need them: metadata that both share, and arrays that remember what
// they protect.
//
// Threads: one. Failure: what a test asks for (fail_*).

#include <map>
#include <set>
#include <string>
#include <vector>

#include "libs/base/error.h"
#include "services/orchestrator/domain/groups/member_source.h"
#include "services/orchestrator/ports/site_ports.h"
#include "services/orchestrator/ports/sites_port.h"

namespace protector::orchestrator::testing {

class FakeMetadata final : public MetadataPort {
 public:
  absl::StatusOr<metadata::CommitResponse> Commit(const Call&, const metadata::CommitRequest& request) override {
    ++commits;
    if (!fail_commit.ok()) return fail_commit;
    auto& versions = documents[request.document().id()];
    if (overtaken > 0 && !versions.empty()) {
      --overtaken;
      groups::GroupDocument other = versions.back();
      other.clear_pending();
      versions.push_back(other);
    }
    if (static_cast<int64_t>(versions.size()) != request.base_version()) {
      return Error(absl::StatusCode::kAborted, "VERSION_MISMATCH", "not the head");
    }
    versions.push_back(request.document());
    reasons.push_back(request.reason());
    metadata::CommitResponse response;
    *response.mutable_document() = request.document();
    response.mutable_version()->set_version(static_cast<int64_t>(versions.size()));
    response.mutable_version()->set_hash("h" + std::to_string(versions.size()));
    if (!lose_answer.ok()) return lose_answer;
    return response;
  }
  absl::StatusOr<metadata::GetDocumentResponse> GetDocument(const Call&,
                                                            const metadata::GetDocumentRequest& request) override {
    for (const auto& [id, versions] : documents) {
      const auto& head = versions.back();
      if (id != request.group_id() && (head.name() != request.name() || head.deleted())) continue;
      metadata::GetDocumentResponse response;
      *response.mutable_document() = head;
      response.mutable_version()->set_version(static_cast<int64_t>(versions.size()));
      response.mutable_version()->set_hash("h" + std::to_string(versions.size()));
      return response;
    }
    return absl::NotFoundError("no such document");
  }
  absl::StatusOr<metadata::ListDocumentsResponse> ListDocuments(const Call&,
                                                                const metadata::ListDocumentsRequest&) override {
    metadata::ListDocumentsResponse response;
    for (const auto& [id, versions] : documents) *response.add_documents()->mutable_document() = versions.back();
    return response;
  }
  absl::StatusOr<metadata::ListHeadsResponse> ListHeads(const Call&, const metadata::ListHeadsRequest&) override {
    return absl::UnimplementedError("not needed by these tests");
  }
  absl::StatusOr<metadata::SyncStatus> GetSyncStatus(const Call&, const metadata::GetSyncStatusRequest&) override {
    metadata::SyncStatus status;
    status.set_state(sync);
    return status;
  }
  absl::StatusOr<metadata::ForceSyncResponse> ForceSync(const Call&, const metadata::ForceSyncRequest&) override {
    return absl::UnimplementedError("not needed by these tests");
  }
  absl::Status WatchHeads(const Call&, const std::function<bool(const metadata::Head&)>&) override {
    return absl::OkStatus();
  }

  std::map<std::string, std::vector<groups::GroupDocument>> documents;
  std::vector<std::string> reasons;
  metadata::SyncState sync = metadata::IN_SYNC;
  absl::Status fail_commit;  // nothing is written
  absl::Status lose_answer;  // written, but answered so
  int overtaken = 0;         // so many commits find that another one has just been made
  int commits = 0;
};

class FakeArray final : public ArrayPort {
 public:
  absl::StatusOr<storage::Array> GetArray(const Call&, const storage::GetArrayRequest&) override {
    return storage::Array();
  }
  absl::StatusOr<storage::ResolveVolumesResponse> ResolveVolumes(
      const Call&, const storage::ResolveVolumesRequest& request) override {
    storage::ResolveVolumesResponse response;
    for (const auto& id : request.cinder_volume_ids()) {
      if (missing.contains(id)) return Error(absl::StatusCode::kNotFound, "VOLUME_NOT_FOUND", "no volume " + id);
      auto* volume = response.add_volumes();
      volume->set_name("volume-" + id + "-cinder");
      volume->set_serial("SERIAL-" + id);
      volume->set_id("array-" + id);
    }
    return response;
  }
  absl::StatusOr<storage::Protection> EnsureProtection(const Call&,
                                                       const storage::EnsureProtectionRequest& request) override {
    if (!fail_ensure.ok()) return fail_ensure;
    protected_serials.clear();
    for (const auto& disk : request.disks()) protected_serials.insert(disk.serial());
    interval = request.policy().replication_interval();
    return storage::Protection();
  }
  absl::StatusOr<storage::Protection> AcceptProtection(const Call&,
                                                       const storage::AcceptProtectionRequest& request) override {
    accepted = request.source_array() + ":" + request.name();
    return storage::Protection();
  }
  absl::StatusOr<storage::RemoveProtectionResponse> RemoveProtection(const Call&,
                                                                     const storage::RemoveProtectionRequest&) override {
    protected_serials.clear();
    accepted.clear();
    return storage::RemoveProtectionResponse();
  }
  absl::StatusOr<storage::Protection> GetProtection(const Call&, const storage::GetProtectionRequest&) override {
    storage::Protection protection;
    protection.set_health(health);
    protection.set_detail("first transfer: 40%");
    return protection;
  }
#define PROTECTOR_UNUSED(Method, Request, Response)                                         \
  absl::StatusOr<storage::Response> Method(const Call&, const storage::Request&) override { \
    return absl::UnimplementedError("not needed by these tests");                           \
  }
  PROTECTOR_UNUSED(ListRecoveryPoints, ListRecoveryPointsRequest, ListRecoveryPointsResponse)
  PROTECTOR_UNUSED(GetRecoveryPoint, GetRecoveryPointRequest, RecoveryPoint)
  PROTECTOR_UNUSED(DescribeVolumes, DescribeVolumesRequest, DescribeVolumesResponse)
  PROTECTOR_UNUSED(ListOwnedObjects, ListOwnedObjectsRequest, ListOwnedObjectsResponse)
  PROTECTOR_UNUSED(SuspendProtection, SuspendProtectionRequest, Protection)
  PROTECTOR_UNUSED(CreateRecoveryPoint, CreateRecoveryPointRequest, RecoveryPoint)
  PROTECTOR_UNUSED(FenceVolumes, FenceVolumesRequest, FenceVolumesResponse)
  PROTECTOR_UNUSED(UnfenceVolumes, UnfenceVolumesRequest, UnfenceVolumesResponse)
  PROTECTOR_UNUSED(RefuseReplication, RefuseReplicationRequest, Protection)
  PROTECTOR_UNUSED(MaterializeVolumes, MaterializeVolumesRequest, MaterializeVolumesResponse)
  PROTECTOR_UNUSED(RetireVolumes, RetireVolumesRequest, RetireVolumesResponse)
#undef PROTECTOR_UNUSED

  std::set<std::string> missing;
  std::set<std::string> protected_serials;
  std::string accepted;
  int interval = 0;
  storage::Protection::Health health = storage::Protection::BASELINING;
  absl::Status fail_ensure;
};

class FakeSites final : public SitesPort {
 public:
  const std::string& LocalSite() const override { return local; }
  absl::StatusOr<sites::Site> GetSite(const Call&, const std::string& name) override {
    if (name != "site-a" && name != "site-b")
      return Error(absl::StatusCode::kNotFound, "SITE_NOT_FOUND", "no site " + name);
    sites::Site site;
    site.set_name(name);
    site.set_array_name("array" + name.substr(4));
    return site;
  }
  absl::StatusOr<std::vector<sites::Site>> ListSites(const Call& call) override {
    return std::vector<sites::Site>{*GetSite(call, "site-a"), *GetSite(call, "site-b")};
  }
  absl::StatusOr<sites::Project> ResolveProject(const Call&, const std::string& name, const std::string&) override {
    sites::Project project;
    project.set_id(name + "-id");
    return project;
  }
  absl::StatusOr<std::string> MappedProject(const Call&, const std::string&, const std::string& id,
                                            const std::string&) override {
    if (id != "demo-id") return Error(absl::StatusCode::kNotFound, "TENANT_MAPPING_NOT_FOUND", "not mapped");
    return std::string("demo-id-b");
  }
  std::string local = "site-a";
};

// Captures what a test puts into `members`.
class FakeCloud final : public SourceCloudPort {
 public:
  absl::StatusOr<peer::CaptureMembersResponse> CaptureMembers(const Call&,
                                                              const peer::CaptureMembersRequest&) override {
    if (!fail.ok()) return fail;
    peer::CaptureMembersResponse response;
    for (const auto& member : members) *response.add_members() = member;
    return response;
  }
  absl::StatusOr<peer::GetStandingResponse> GetStanding(const Call&, const peer::GetStandingRequest&) override {
    if (!fail.ok()) return fail;
    peer::GetStandingResponse response;
    response.set_running_operation_id(running_operation);
    return response;
  }
#define PROTECTOR_UNUSED(Method, Request, Response)                                   \
  absl::StatusOr<peer::Response> Method(const Call&, const peer::Request&) override { \
    return absl::UnimplementedError("not needed by these tests");                     \
  }
  PROTECTOR_UNUSED(DescribeResources, DescribeResourcesRequest, DescribeResourcesResponse)
  PROTECTOR_UNUSED(CheckTarget, CheckTargetRequest, CheckTargetResponse)
  PROTECTOR_UNUSED(StopServer, StopServerRequest, ChangeResponse)
  PROTECTOR_UNUSED(StartServer, ServerRequest, ChangeResponse)
  PROTECTOR_UNUSED(LockServer, ServerRequest, ChangeResponse)
  PROTECTOR_UNUSED(UnlockServer, ServerRequest, ChangeResponse)
  PROTECTOR_UNUSED(DeleteServer, ServerRequest, ChangeResponse)
  PROTECTOR_UNUSED(DeletePort, PortRequest, ChangeResponse)
  PROTECTOR_UNUSED(UnmanageVolume, VolumeRequest, ChangeResponse)
#undef PROTECTOR_UNUSED

  std::vector<groups::Member> members;
  std::string running_operation;
  absl::Status fail;
};

class FakePorts final : public PortsFactory {
 public:
  absl::StatusOr<SitePorts> For(const std::string& site) override {
    return SitePorts{site, site == "site-a" ? &array_a : &array_b, &metadata, &cloud};
  }
  FakeMetadata metadata;
  FakeArray array_a;
  FakeArray array_b;
  FakeCloud cloud;
};

// Every server has two volumes, <name>-v0 and <name>-v1.
class FakeMembers final : public MemberSource {
 public:
  absl::StatusOr<std::vector<groups::Member>> Capture(const Call&, const std::string&,
                                                      const std::vector<std::string>& servers,
                                                      groups::ReplicationType) override {
    std::vector<groups::Member> members;
    for (const std::string& server : servers) {
      PROTECTOR_ASSIGN_OR_RETURN(members.emplace_back(), CaptureOne(server));
    }
    return members;
  }

 private:
  static absl::StatusOr<groups::Member> CaptureOne(const std::string& server) {
    if (server == "nobody") return Error(absl::StatusCode::kNotFound, "SERVER_NOT_FOUND", "no server nobody");
    groups::Member member;
    member.mutable_server()->set_name(server);
    auto* placement = member.add_placements();
    placement->set_site("site-a");
    placement->set_server_id("id-of-" + server);
    for (int i = 0; i < 2; ++i) {
      member.mutable_server()->add_volumes()->set_index(i);
      auto* volume = placement->add_volumes();
      volume->set_index(i);
      volume->set_volume_id(server + "-v" + std::to_string(i));
    }
    return member;
  }
};

}  // namespace protector::orchestrator::testing
