// The other site's orchestrator as a SourceCloudPort.
#include "protector/peer/v1/peer.grpc.pb.h"
#include "services/orchestrator/adapters/grpc/caller.h"
#include "services/orchestrator/adapters/grpc/clients.h"

namespace protector::orchestrator {
namespace {

using Stub = peer::PeerService::StubInterface;

const failpoint::Site kStopServer("peer-stop-server", &rpc::LostCall);
const failpoint::Site kStartServer("peer-start-server", &rpc::LostCall);
const failpoint::Site kLockServer("peer-lock-server", &rpc::LostCall);
const failpoint::Site kUnlockServer("peer-unlock-server", &rpc::LostCall);
const failpoint::Site kDeleteServer("peer-delete-server", &rpc::LostCall);
const failpoint::Site kDeletePort("peer-delete-port", &rpc::LostCall);
const failpoint::Site kUnmanageVolume("peer-unmanage-volume", &rpc::LostCall);

class PeerClient final : public SourceCloudPort {
 public:
  PeerClient(const ServiceAddress& address, const rpc::Security& security)
      : caller_("orchestrator", address), stub_(peer::PeerService::NewStub(caller_.Channel(security))) {}
  absl::StatusOr<peer::GetStandingResponse> GetStanding(const Call& call,
                                                        const peer::GetStandingRequest& request) override {
    return rpc::Call(*stub_, &Stub::GetStanding, request, caller_.Question(call));
  }
  absl::StatusOr<peer::DescribeResourcesResponse> DescribeResources(
      const Call& call, const peer::DescribeResourcesRequest& request) override {
    return rpc::Call(*stub_, &Stub::DescribeResources, request, caller_.Question(call));
  }
  absl::StatusOr<peer::CaptureMembersResponse> CaptureMembers(const Call& call,
                                                              const peer::CaptureMembersRequest& request) override {
    return rpc::Call(*stub_, &Stub::CaptureMembers, request, caller_.Question(call));
  }
  absl::StatusOr<peer::CheckTargetResponse> CheckTarget(const Call& call,
                                                        const peer::CheckTargetRequest& request) override {
    return rpc::Call(*stub_, &Stub::CheckTarget, request, caller_.Question(call));
  }
  absl::StatusOr<peer::ChangeResponse> StopServer(const Call& call, const peer::StopServerRequest& request) override {
    return rpc::Change(kStopServer, *stub_, &Stub::StopServer, request, caller_.Change(call));
  }
  absl::StatusOr<peer::ChangeResponse> StartServer(const Call& call, const peer::ServerRequest& request) override {
    return rpc::Change(kStartServer, *stub_, &Stub::StartServer, request, caller_.Change(call));
  }
  absl::StatusOr<peer::ChangeResponse> LockServer(const Call& call, const peer::ServerRequest& request) override {
    return rpc::Change(kLockServer, *stub_, &Stub::LockServer, request, caller_.Change(call));
  }
  absl::StatusOr<peer::ChangeResponse> UnlockServer(const Call& call, const peer::ServerRequest& request) override {
    return rpc::Change(kUnlockServer, *stub_, &Stub::UnlockServer, request, caller_.Change(call));
  }
  absl::StatusOr<peer::ChangeResponse> DeleteServer(const Call& call, const peer::ServerRequest& request) override {
    return rpc::Change(kDeleteServer, *stub_, &Stub::DeleteServer, request, caller_.Change(call));
  }
  absl::StatusOr<peer::ChangeResponse> DeletePort(const Call& call, const peer::PortRequest& request) override {
    return rpc::Change(kDeletePort, *stub_, &Stub::DeletePort, request, caller_.Change(call));
  }
  absl::StatusOr<peer::ChangeResponse> UnmanageVolume(const Call& call, const peer::VolumeRequest& request) override {
    return rpc::Change(kUnmanageVolume, *stub_, &Stub::UnmanageVolume, request, caller_.Change(call));
  }

 private:
  Caller caller_;
  std::unique_ptr<Stub> stub_;
};

}  // namespace

std::unique_ptr<SourceCloudPort> MakePeerClient(const ServiceAddress& address, const rpc::Security& security) {
  return std::make_unique<PeerClient>(address, security);
}

}  // namespace protector::orchestrator
