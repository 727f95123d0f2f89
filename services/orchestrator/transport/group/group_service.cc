#include "services/orchestrator/transport/group/group_service.h"

#include "libs/base/error.h"
#include "libs/grpc/unary.h"
#include "protector/operation/v1/operation.grpc.pb.h"
#include "services/orchestrator/transport/call_of.h"

namespace protector::orchestrator {
namespace {

class GroupServiceImpl final : public op::GroupService::CallbackService {
 public:
  GroupServiceImpl(rpc::Host& host, Groups& groups, Readiness& readiness)
      : host_(host), groups_(groups), readiness_(readiness) {}

  ::grpc::ServerUnaryReactor* CreateGroup(::grpc::CallbackServerContext* context, const op::CreateGroupRequest* request,
                                          op::Group* response) override {
    return rpc::Unary(host_, context, request, response, "CreateGroup",
                      [this](const rpc::CallContext& call, const op::CreateGroupRequest& r) {
                        return groups_.Create(CallOf(call), r);
                      });
  }
  ::grpc::ServerUnaryReactor* GetGroup(::grpc::CallbackServerContext* context, const op::GetGroupRequest* request,
                                       op::Group* response) override {
    return rpc::Unary(
        host_, context, request, response, "GetGroup",
        [this](const rpc::CallContext& call, const op::GetGroupRequest& r) { return groups_.Get(CallOf(call), r); });
  }
  ::grpc::ServerUnaryReactor* ListGroups(::grpc::CallbackServerContext* context, const op::ListGroupsRequest* request,
                                         op::ListGroupsResponse* response) override {
    return rpc::Unary(
        host_, context, request, response, "ListGroups",
        [this](const rpc::CallContext& call, const op::ListGroupsRequest& r) { return groups_.List(CallOf(call), r); });
  }
  ::grpc::ServerUnaryReactor* UpdateGroup(::grpc::CallbackServerContext* context, const op::UpdateGroupRequest* request,
                                          op::Group* response) override {
    return rpc::Unary(host_, context, request, response, "UpdateGroup",
                      [this](const rpc::CallContext& call, const op::UpdateGroupRequest& r) {
                        return groups_.Update(CallOf(call), r);
                      });
  }
  ::grpc::ServerUnaryReactor* DeleteGroup(::grpc::CallbackServerContext* context, const op::DeleteGroupRequest* request,
                                          op::DeleteGroupResponse* response) override {
    return rpc::Unary(host_, context, request, response, "DeleteGroup",
                      [this](const rpc::CallContext& call, const op::DeleteGroupRequest& r) {
                        return groups_.Delete(CallOf(call), r);
                      });
  }
  ::grpc::ServerUnaryReactor* AddMembers(::grpc::CallbackServerContext* context, const op::AddMembersRequest* request,
                                         op::Group* response) override {
    return rpc::Unary(host_, context, request, response, "AddMembers",
                      [this](const rpc::CallContext& call, const op::AddMembersRequest& r) {
                        return groups_.AddMembers(CallOf(call), r);
                      });
  }
  ::grpc::ServerUnaryReactor* RemoveMembers(::grpc::CallbackServerContext* context,
                                            const op::RemoveMembersRequest* request, op::Group* response) override {
    return rpc::Unary(host_, context, request, response, "RemoveMembers",
                      [this](const rpc::CallContext& call, const op::RemoveMembersRequest& r) {
                        return groups_.RemoveMembers(CallOf(call), r);
                      });
  }
  ::grpc::ServerUnaryReactor* SetMappings(::grpc::CallbackServerContext* context, const op::SetMappingsRequest* request,
                                          op::Group* response) override {
    return rpc::Unary(host_, context, request, response, "SetMappings",
                      [this](const rpc::CallContext& call, const op::SetMappingsRequest& r) {
                        return groups_.SetMappings(CallOf(call), r);
                      });
  }
  ::grpc::ServerUnaryReactor* SetPolicy(::grpc::CallbackServerContext* context, const op::SetPolicyRequest* request,
                                        op::Group* response) override {
    return rpc::Unary(host_, context, request, response, "SetPolicy",
                      [this](const rpc::CallContext& call, const op::SetPolicyRequest& r) {
                        return groups_.SetPolicy(CallOf(call), r);
                      });
  }
  ::grpc::ServerUnaryReactor* CheckGroup(::grpc::CallbackServerContext* context, const op::CheckGroupRequest* request,
                                         op::CheckGroupResponse* response) override {
    return rpc::Unary(
        host_, context, request, response, "CheckGroup",
        [this](const rpc::CallContext& call, const op::CheckGroupRequest& r) { return Check(CallOf(call), r); });
  }

 private:
  absl::StatusOr<op::CheckGroupResponse> Check(const Call& call, const op::CheckGroupRequest& request) {
    PROTECTOR_ASSIGN_OR_RETURN(const op::Group group, groups_.Find(call, request.group(), request.project()));
    return readiness_.Check(call, group.document(), {request.mappings().begin(), request.mappings().end()},
                            request.target_site());
  }

  rpc::Host& host_;
  Groups& groups_;
  Readiness& readiness_;
};

}  // namespace

std::unique_ptr<::grpc::Service> MakeGroupService(rpc::Host& host, Groups& groups, Readiness& readiness) {
  return std::make_unique<GroupServiceImpl>(host, groups, readiness);
}

}  // namespace protector::orchestrator
