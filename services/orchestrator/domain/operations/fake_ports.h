#pragma once
// The ports over fake::World.
//
// Threads: one. Ownership: the world outlives them. Failure: see the world.

#include "services/orchestrator/domain/operations/fake_world.h"

namespace protector::orchestrator::fake {

class FakeSites final : public SitesPort {
 public:
  explicit FakeSites(std::string local) : local_(std::move(local)) {}
  const std::string& LocalSite() const override { return local_; }
  absl::StatusOr<sites::Site> GetSite(const Call&, const std::string& name) override;
  absl::StatusOr<std::vector<sites::Site>> ListSites(const Call&) override;
  absl::StatusOr<sites::Project> ResolveProject(const Call&, const std::string& name, const std::string&) override;
  absl::StatusOr<std::string> MappedProject(const Call&, const std::string&, const std::string&,
                                            const std::string&) override {
    return "project";
  }

 private:
  std::string local_;
};

class FakeArray final : public ArrayPort {
 public:
  FakeArray(World& world, std::string from, std::string here)
      : world_(world), from_(std::move(from)), here_(std::move(here)) {}
  absl::StatusOr<storage::Array> GetArray(const Call&, const storage::GetArrayRequest&) override;
  absl::StatusOr<storage::ResolveVolumesResponse> ResolveVolumes(const Call&,
                                                                 const storage::ResolveVolumesRequest&) override;
  absl::StatusOr<storage::Protection> GetProtection(const Call&, const storage::GetProtectionRequest&) override;
  absl::StatusOr<storage::ListRecoveryPointsResponse> ListRecoveryPoints(
      const Call&, const storage::ListRecoveryPointsRequest&) override;
  absl::StatusOr<storage::RecoveryPoint> GetRecoveryPoint(const Call&,
                                                          const storage::GetRecoveryPointRequest&) override;
  absl::StatusOr<storage::DescribeVolumesResponse> DescribeVolumes(const Call&,
                                                                   const storage::DescribeVolumesRequest&) override;
  absl::StatusOr<storage::ListOwnedObjectsResponse> ListOwnedObjects(const Call&,
                                                                     const storage::ListOwnedObjectsRequest&) override;
  absl::StatusOr<storage::Protection> EnsureProtection(const Call&, const storage::EnsureProtectionRequest&) override;
  absl::StatusOr<storage::Protection> AcceptProtection(const Call&, const storage::AcceptProtectionRequest&) override;
  absl::StatusOr<storage::Protection> SuspendProtection(const Call&, const storage::SuspendProtectionRequest&) override;
  absl::StatusOr<storage::RemoveProtectionResponse> RemoveProtection(const Call&,
                                                                     const storage::RemoveProtectionRequest&) override;
  absl::StatusOr<storage::RecoveryPoint> CreateRecoveryPoint(const Call&,
                                                             const storage::CreateRecoveryPointRequest&) override;
  absl::StatusOr<storage::FenceVolumesResponse> FenceVolumes(const Call&, const storage::FenceVolumesRequest&) override;
  absl::StatusOr<storage::UnfenceVolumesResponse> UnfenceVolumes(const Call&,
                                                                 const storage::UnfenceVolumesRequest&) override;
  absl::StatusOr<storage::Protection> RefuseReplication(const Call&, const storage::RefuseReplicationRequest&) override;
  absl::StatusOr<storage::MaterializeVolumesResponse> MaterializeVolumes(
      const Call&, const storage::MaterializeVolumesRequest&) override;
  absl::StatusOr<storage::RetireVolumesResponse> RetireVolumes(const Call&,
                                                               const storage::RetireVolumesRequest&) override;

 private:
  Site& here() { return world_.site(here_); }
  absl::Status Change(const std::string& call, const std::string& object, const storage::Authority& authority,
                      const std::function<absl::Status()>& effect);
  storage::RecoveryPoint Shown(const Point& point);
  World& world_;
  const std::string from_;
  const std::string here_;
};

class FakeMetadata final : public MetadataPort {
 public:
  FakeMetadata(World& world, std::string from, std::string here)
      : world_(world), from_(std::move(from)), here_(std::move(here)) {}
  absl::StatusOr<metadata::CommitResponse> Commit(const Call&, const metadata::CommitRequest&) override;
  absl::StatusOr<metadata::GetDocumentResponse> GetDocument(const Call&, const metadata::GetDocumentRequest&) override;
  absl::StatusOr<metadata::ListDocumentsResponse> ListDocuments(const Call&,
                                                                const metadata::ListDocumentsRequest&) override;
  absl::StatusOr<metadata::ListHeadsResponse> ListHeads(const Call&, const metadata::ListHeadsRequest&) override;
  absl::StatusOr<metadata::SyncStatus> GetSyncStatus(const Call&, const metadata::GetSyncStatusRequest&) override;
  absl::StatusOr<metadata::ForceSyncResponse> ForceSync(const Call&, const metadata::ForceSyncRequest&) override;
  absl::Status WatchHeads(const Call&, const std::function<bool(const metadata::Head&)>&) override {
    return absl::OkStatus();
  }

 private:
  World& world_;
  const std::string from_;
  const std::string here_;
};

class FakeCloud final : public SourceCloudPort {
 public:
  FakeCloud(World& world, std::string from, std::string here)
      : world_(world), from_(std::move(from)), here_(std::move(here)) {}
  absl::StatusOr<peer::GetStandingResponse> GetStanding(const Call&, const peer::GetStandingRequest&) override;
  absl::StatusOr<peer::DescribeResourcesResponse> DescribeResources(const Call&,
                                                                    const peer::DescribeResourcesRequest&) override;
  absl::StatusOr<peer::CaptureMembersResponse> CaptureMembers(const Call&, const peer::CaptureMembersRequest&) override;
  absl::StatusOr<peer::CheckTargetResponse> CheckTarget(const Call&, const peer::CheckTargetRequest&) override;
  absl::StatusOr<peer::ChangeResponse> StopServer(const Call&, const peer::StopServerRequest&) override;
  absl::StatusOr<peer::ChangeResponse> StartServer(const Call&, const peer::ServerRequest&) override;
  absl::StatusOr<peer::ChangeResponse> LockServer(const Call&, const peer::ServerRequest&) override;
  absl::StatusOr<peer::ChangeResponse> UnlockServer(const Call&, const peer::ServerRequest&) override;
  absl::StatusOr<peer::ChangeResponse> DeleteServer(const Call&, const peer::ServerRequest&) override;
  absl::StatusOr<peer::ChangeResponse> DeletePort(const Call&, const peer::PortRequest&) override;
  absl::StatusOr<peer::ChangeResponse> UnmanageVolume(const Call&, const peer::VolumeRequest&) override;

 private:
  using Effect = std::function<absl::StatusOr<bool>(Site&)>;  // answers "already"
  absl::StatusOr<peer::ChangeResponse> Change(const std::string& call, const std::string& object,
                                              const storage::Authority& authority, const Effect& effect);
  World& world_;
  const std::string from_;
  const std::string here_;
};

class FakeTarget final : public TargetCloudPort {
 public:
  FakeTarget(World& world, std::string here) : world_(world), here_(std::move(here)) {}
  absl::StatusOr<MembersPlan> Plan(const Call&, const peer::CheckTargetRequest&) override;
  absl::StatusOr<std::string> Import(const Call&, const ImportVolume&) override;
  absl::StatusOr<std::vector<CloudObject>> FindVolumes(const Call&, const std::string&,
                                                       const std::vector<std::string>&) override;
  absl::Status Update(const Call&, const UpdateVolume&) override;
  absl::StatusOr<CloudObject> Create(const Call&, const CreatePort&) override;
  absl::StatusOr<std::vector<CloudObject>> FindPorts(const Call&, const std::string&,
                                                     const std::vector<std::string>&) override;
  absl::Status Update(const Call&, const UpdatePort&) override { return absl::OkStatus(); }
  absl::StatusOr<std::string> Create(const Call&, const CreateServer&) override;
  absl::StatusOr<std::vector<CloudObject>> FindServers(const Call&, const std::string&,
                                                       const std::vector<FindServer>&) override;
  absl::Status DeleteServer(const Call&, const std::string&) override;
  absl::Status ForgetVolume(const Call&, const std::string&) override;
  absl::Status DeletePort(const Call&, const std::string&) override;
  absl::Status StopServer(const Call&, const std::string&) override;
  absl::Status LockServer(const Call&, const std::string&, const std::string&) override;
  absl::Status UnlockServer(const Call&, const std::string&) override { return absl::OkStatus(); }
  absl::StatusOr<std::vector<CloudObject>> DescribeServers(const Call&, const std::vector<std::string>&) override;
  absl::StatusOr<std::vector<CloudObject>> DescribeVolumes(const Call&, const std::vector<std::string>&) override;
  absl::StatusOr<std::vector<CloudObject>> DescribePorts(const Call&, const std::vector<std::string>&) override {
    return std::vector<CloudObject>();
  }

 private:
  Site& here() { return world_.site(here_); }
  absl::Status Change(const std::string& call, const std::string& object, const std::function<absl::Status()>& effect) {
    return world_.Change(here_, here_, call, object, effect);
  }
  World& world_;
  const std::string here_;
};

class FakeFactory final : public PortsFactory {
 public:
  FakeFactory(World& world, const std::string& from)
      : array_a_(world, from, "site-a"),
        array_b_(world, from, "site-b"),
        metadata_a_(world, from, "site-a"),
        metadata_b_(world, from, "site-b"),
        cloud_a_(world, from, "site-a"),
        cloud_b_(world, from, "site-b") {}
  absl::StatusOr<SitePorts> For(const std::string& site) override {
    if (site == "site-a") return SitePorts{site, &array_a_, &metadata_a_, &cloud_a_};
    return SitePorts{site, &array_b_, &metadata_b_, &cloud_b_};
  }

 private:
  FakeArray array_a_, array_b_;
  FakeMetadata metadata_a_, metadata_b_;
  FakeCloud cloud_a_, cloud_b_;
};

}  // namespace protector::orchestrator::fake
