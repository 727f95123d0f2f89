#pragma once
// One site's cloud as far as members that are *there already* go: capture, states, stop, start, lock, delete, unmanage.
// Mirrors proto/protector/peer/v1/peer.proto. Two implementations: this site's, over OpenStack (the same code answers
// PeerService), and the other site's, over gRPC to its orchestrator.
//
// Every changing call carries its Authority and is idempotent: what is so already is answered with already = true.
//
// Threads: every method may be called from any thread and blocks until call.timeout at the latest. Ownership: values.
// Failure: the statuses of peer.proto. A change whose answer was lost: UNAVAILABLE or DEADLINE_EXCEEDED (reason
// OUTCOME_UNKNOWN where the other side says so); look with DescribeResources before going on.

#include "absl/status/statusor.h"
#include "protector/peer/v1/peer.pb.h"
#include "services/orchestrator/ports/call.h"
#include "services/orchestrator/ports/contracts.h"

namespace protector::orchestrator {

class SourceCloudPort {
 public:
  virtual ~SourceCloudPort() = default;

  virtual absl::StatusOr<peer::GetStandingResponse> GetStanding(const Call& call,
                                                                const peer::GetStandingRequest& request) = 0;
  virtual absl::StatusOr<peer::DescribeResourcesResponse> DescribeResources(
      const Call& call, const peer::DescribeResourcesRequest& request) = 0;
  virtual absl::StatusOr<peer::CaptureMembersResponse> CaptureMembers(const Call& call,
                                                                      const peer::CaptureMembersRequest& request) = 0;
  virtual absl::StatusOr<peer::CheckTargetResponse> CheckTarget(const Call& call,
                                                                const peer::CheckTargetRequest& request) = 0;

  virtual absl::StatusOr<peer::ChangeResponse> StopServer(const Call& call, const peer::StopServerRequest& request) = 0;
  virtual absl::StatusOr<peer::ChangeResponse> StartServer(const Call& call, const peer::ServerRequest& request) = 0;
  virtual absl::StatusOr<peer::ChangeResponse> LockServer(const Call& call, const peer::ServerRequest& request) = 0;
  virtual absl::StatusOr<peer::ChangeResponse> UnlockServer(const Call& call, const peer::ServerRequest& request) = 0;
  virtual absl::StatusOr<peer::ChangeResponse> DeleteServer(const Call& call, const peer::ServerRequest& request) = 0;
  virtual absl::StatusOr<peer::ChangeResponse> DeletePort(const Call& call, const peer::PortRequest& request) = 0;
  virtual absl::StatusOr<peer::ChangeResponse> UnmanageVolume(const Call& call, const peer::VolumeRequest& request) = 0;
};

}  // namespace protector::orchestrator
