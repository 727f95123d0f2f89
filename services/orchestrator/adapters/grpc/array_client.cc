// storage-pure as an ArrayPort.
#include "protector/storage/v1/storage.grpc.pb.h"
#include "services/orchestrator/adapters/grpc/caller.h"
#include "services/orchestrator/adapters/grpc/clients.h"

namespace protector::orchestrator {
namespace {

using Stub = storage::StorageService::StubInterface;

const failpoint::Site kEnsureProtection("storage-ensure-protection", &rpc::LostCall);
const failpoint::Site kAcceptProtection("storage-accept-protection", &rpc::LostCall);
const failpoint::Site kSuspendProtection("storage-suspend-protection", &rpc::LostCall);
const failpoint::Site kRemoveProtection("storage-remove-protection", &rpc::LostCall);
const failpoint::Site kCreateRecoveryPoint("storage-create-recovery-point", &rpc::LostCall);
const failpoint::Site kFenceVolumes("storage-fence-volumes", &rpc::LostCall);
const failpoint::Site kUnfenceVolumes("storage-unfence-volumes", &rpc::LostCall);
const failpoint::Site kRefuseReplication("storage-refuse-replication", &rpc::LostCall);
const failpoint::Site kMaterializeVolumes("storage-materialize-volumes", &rpc::LostCall);
const failpoint::Site kRetireVolumes("storage-retire-volumes", &rpc::LostCall);

class ArrayClient final : public ArrayPort {
 public:
  ArrayClient(const ServiceAddress& address, const rpc::Security& security)
      : caller_("storage-pure", address), stub_(storage::StorageService::NewStub(caller_.Channel(security))) {}
  absl::StatusOr<storage::Array> GetArray(const Call& call, const storage::GetArrayRequest& request) override {
    return rpc::Call(*stub_, &Stub::GetArray, request, caller_.Question(call));
  }
  absl::StatusOr<storage::ResolveVolumesResponse> ResolveVolumes(
      const Call& call, const storage::ResolveVolumesRequest& request) override {
    return rpc::Call(*stub_, &Stub::ResolveVolumes, request, caller_.Question(call));
  }
  absl::StatusOr<storage::Protection> GetProtection(const Call& call,
                                                    const storage::GetProtectionRequest& request) override {
    return rpc::Call(*stub_, &Stub::GetProtection, request, caller_.Question(call));
  }
  absl::StatusOr<storage::ListRecoveryPointsResponse> ListRecoveryPoints(
      const Call& call, const storage::ListRecoveryPointsRequest& request) override {
    return rpc::Call(*stub_, &Stub::ListRecoveryPoints, request, caller_.Question(call));
  }
  absl::StatusOr<storage::RecoveryPoint> GetRecoveryPoint(const Call& call,
                                                          const storage::GetRecoveryPointRequest& request) override {
    return rpc::Call(*stub_, &Stub::GetRecoveryPoint, request, caller_.Question(call));
  }
  absl::StatusOr<storage::DescribeVolumesResponse> DescribeVolumes(
      const Call& call, const storage::DescribeVolumesRequest& request) override {
    return rpc::Call(*stub_, &Stub::DescribeVolumes, request, caller_.Question(call));
  }
  absl::StatusOr<storage::ListOwnedObjectsResponse> ListOwnedObjects(
      const Call& call, const storage::ListOwnedObjectsRequest& request) override {
    return rpc::Call(*stub_, &Stub::ListOwnedObjects, request, caller_.Question(call));
  }
  absl::StatusOr<storage::Protection> EnsureProtection(const Call& call,
                                                       const storage::EnsureProtectionRequest& request) override {
    return rpc::Change(kEnsureProtection, *stub_, &Stub::EnsureProtection, request, caller_.Change(call));
  }
  absl::StatusOr<storage::Protection> AcceptProtection(const Call& call,
                                                       const storage::AcceptProtectionRequest& request) override {
    return rpc::Change(kAcceptProtection, *stub_, &Stub::AcceptProtection, request, caller_.Change(call));
  }
  absl::StatusOr<storage::Protection> SuspendProtection(const Call& call,
                                                        const storage::SuspendProtectionRequest& request) override {
    return rpc::Change(kSuspendProtection, *stub_, &Stub::SuspendProtection, request, caller_.Change(call));
  }
  absl::StatusOr<storage::RemoveProtectionResponse> RemoveProtection(
      const Call& call, const storage::RemoveProtectionRequest& request) override {
    return rpc::Change(kRemoveProtection, *stub_, &Stub::RemoveProtection, request, caller_.Change(call));
  }
  absl::StatusOr<storage::RecoveryPoint> CreateRecoveryPoint(
      const Call& call, const storage::CreateRecoveryPointRequest& request) override {
    return rpc::Change(kCreateRecoveryPoint, *stub_, &Stub::CreateRecoveryPoint, request, caller_.Change(call));
  }
  absl::StatusOr<storage::FenceVolumesResponse> FenceVolumes(const Call& call,
                                                             const storage::FenceVolumesRequest& request) override {
    return rpc::Change(kFenceVolumes, *stub_, &Stub::FenceVolumes, request, caller_.Change(call));
  }
  absl::StatusOr<storage::UnfenceVolumesResponse> UnfenceVolumes(
      const Call& call, const storage::UnfenceVolumesRequest& request) override {
    return rpc::Change(kUnfenceVolumes, *stub_, &Stub::UnfenceVolumes, request, caller_.Change(call));
  }
  absl::StatusOr<storage::Protection> RefuseReplication(const Call& call,
                                                        const storage::RefuseReplicationRequest& request) override {
    return rpc::Change(kRefuseReplication, *stub_, &Stub::RefuseReplication, request, caller_.Change(call));
  }
  absl::StatusOr<storage::MaterializeVolumesResponse> MaterializeVolumes(
      const Call& call, const storage::MaterializeVolumesRequest& request) override {
    return rpc::Change(kMaterializeVolumes, *stub_, &Stub::MaterializeVolumes, request, caller_.Change(call));
  }
  absl::StatusOr<storage::RetireVolumesResponse> RetireVolumes(const Call& call,
                                                               const storage::RetireVolumesRequest& request) override {
    return rpc::Change(kRetireVolumes, *stub_, &Stub::RetireVolumes, request, caller_.Change(call));
  }

 private:
  Caller caller_;
  std::unique_ptr<Stub> stub_;
};

}  // namespace

std::unique_ptr<ArrayPort> MakeArrayClient(const ServiceAddress& address, const rpc::Security& security) {
  return std::make_unique<ArrayClient>(address, security);
}

}  // namespace protector::orchestrator
