#include "services/orchestrator/transport/peer/peer_service.h"

#include "libs/grpc/unary.h"
#include "protector/peer/v1/peer.grpc.pb.h"
#include "services/orchestrator/transport/call_of.h"

namespace protector::orchestrator {
namespace {

class PeerServiceImpl final : public peer::PeerService::CallbackService {
 public:
  PeerServiceImpl(rpc::Host& host, SourceCloudPort& cloud) : host_(host), cloud_(cloud) {}

  ::grpc::ServerUnaryReactor* GetStanding(::grpc::CallbackServerContext* context,
                                          const peer::GetStandingRequest* request,
                                          peer::GetStandingResponse* response) override {
    return rpc::Unary(host_, context, request, response, "GetStanding",
                      [this](const rpc::CallContext& call, const peer::GetStandingRequest& r) {
                        return cloud_.GetStanding(CallOf(call), r);
                      });
  }
  ::grpc::ServerUnaryReactor* DescribeResources(::grpc::CallbackServerContext* context,
                                                const peer::DescribeResourcesRequest* request,
                                                peer::DescribeResourcesResponse* response) override {
    return rpc::Unary(host_, context, request, response, "DescribeResources",
                      [this](const rpc::CallContext& call, const peer::DescribeResourcesRequest& r) {
                        return cloud_.DescribeResources(CallOf(call), r);
                      });
  }
  ::grpc::ServerUnaryReactor* CaptureMembers(::grpc::CallbackServerContext* context,
                                             const peer::CaptureMembersRequest* request,
                                             peer::CaptureMembersResponse* response) override {
    return rpc::Unary(host_, context, request, response, "CaptureMembers",
                      [this](const rpc::CallContext& call, const peer::CaptureMembersRequest& r) {
                        return cloud_.CaptureMembers(CallOf(call), r);
                      });
  }
  ::grpc::ServerUnaryReactor* StopServer(::grpc::CallbackServerContext* context, const peer::StopServerRequest* request,
                                         peer::ChangeResponse* response) override {
    return rpc::Unary(host_, context, request, response, "StopServer",
                      [this](const rpc::CallContext& call, const peer::StopServerRequest& r) {
                        return cloud_.StopServer(CallOf(call), r);
                      });
  }
  ::grpc::ServerUnaryReactor* StartServer(::grpc::CallbackServerContext* context, const peer::ServerRequest* request,
                                          peer::ChangeResponse* response) override {
    return rpc::Unary(host_, context, request, response, "StartServer",
                      [this](const rpc::CallContext& call, const peer::ServerRequest& r) {
                        return cloud_.StartServer(CallOf(call), r);
                      });
  }
  ::grpc::ServerUnaryReactor* LockServer(::grpc::CallbackServerContext* context, const peer::ServerRequest* request,
                                         peer::ChangeResponse* response) override {
    return rpc::Unary(host_, context, request, response, "LockServer",
                      [this](const rpc::CallContext& call, const peer::ServerRequest& r) {
                        return cloud_.LockServer(CallOf(call), r);
                      });
  }
  ::grpc::ServerUnaryReactor* UnlockServer(::grpc::CallbackServerContext* context, const peer::ServerRequest* request,
                                           peer::ChangeResponse* response) override {
    return rpc::Unary(host_, context, request, response, "UnlockServer",
                      [this](const rpc::CallContext& call, const peer::ServerRequest& r) {
                        return cloud_.UnlockServer(CallOf(call), r);
                      });
  }
  ::grpc::ServerUnaryReactor* DeleteServer(::grpc::CallbackServerContext* context, const peer::ServerRequest* request,
                                           peer::ChangeResponse* response) override {
    return rpc::Unary(host_, context, request, response, "DeleteServer",
                      [this](const rpc::CallContext& call, const peer::ServerRequest& r) {
                        return cloud_.DeleteServer(CallOf(call), r);
                      });
  }
  ::grpc::ServerUnaryReactor* DeletePort(::grpc::CallbackServerContext* context, const peer::PortRequest* request,
                                         peer::ChangeResponse* response) override {
    return rpc::Unary(host_, context, request, response, "DeletePort",
                      [this](const rpc::CallContext& call, const peer::PortRequest& r) {
                        return cloud_.DeletePort(CallOf(call), r);
                      });
  }
  ::grpc::ServerUnaryReactor* UnmanageVolume(::grpc::CallbackServerContext* context, const peer::VolumeRequest* request,
                                             peer::ChangeResponse* response) override {
    return rpc::Unary(host_, context, request, response, "UnmanageVolume",
                      [this](const rpc::CallContext& call, const peer::VolumeRequest& r) {
                        return cloud_.UnmanageVolume(CallOf(call), r);
                      });
  }
  ::grpc::ServerUnaryReactor* CheckTarget(::grpc::CallbackServerContext* context,
                                          const peer::CheckTargetRequest* request,
                                          peer::CheckTargetResponse* response) override {
    return rpc::Unary(host_, context, request, response, "CheckTarget",
                      [this](const rpc::CallContext& call, const peer::CheckTargetRequest& r) {
                        return cloud_.CheckTarget(CallOf(call), r);
                      });
  }

 private:
  rpc::Host& host_;
  SourceCloudPort& cloud_;
};

}  // namespace

std::unique_ptr<::grpc::Service> MakePeerService(rpc::Host& host, SourceCloudPort& cloud) {
  return std::make_unique<PeerServiceImpl>(host, cloud);
}

}  // namespace protector::orchestrator
