#include "services/orchestrator/transport/operation/operation_service.h"

#include <algorithm>

#include <functional>

#include "libs/base/error.h"
#include "libs/grpc/stream.h"
#include "libs/grpc/unary.h"
#include "protector/operation/v1/operation.grpc.pb.h"
#include "services/orchestrator/transport/call_of.h"

namespace protector::orchestrator {
namespace {

using Context = ::grpc::CallbackServerContext;
using Reactor = ::grpc::ServerUnaryReactor;

constexpr int kDefaultPage = 100;
constexpr int kLargestPage = 1000;

absl::StatusOr<op::ListOperationsResponse> ListPage(Engine& engine, const op::ListOperationsRequest& request,
                                                    const Engine::Viewer& viewer) {
  if (request.page_size() < 0) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT", "page_size is negative")
        .Remedy("Give 1 to 1000.");
  }
  const auto wanted = [&](const op::Operation& operation) {
    if (viewer && !viewer->Owns(operation.projects())) return false;
    const bool group =
        request.group().empty() || request.group() == operation.group_id() || request.group() == operation.group_name();
    const auto& states = request.states();
    return group && (states.empty() || std::find(states.begin(), states.end(), operation.state()) != states.end());
  };
  const size_t size =
      static_cast<size_t>(std::min(request.page_size() == 0 ? kDefaultPage : request.page_size(), kLargestPage));
  // The token names the last operation of the page before: operations that began meanwhile do not shift the pages.
  PROTECTOR_ASSIGN_OR_RETURN(const Engine::Listing page, engine.List(wanted, request.page_token(), size));
  op::ListOperationsResponse response;
  for (const op::Operation& one : page.operations) *response.add_operations() = one;
  if (page.more) response.set_next_page_token(page.operations.back().id());
  return response;
}

class OperationServiceImpl final : public op::OperationService::CallbackService {
 public:
  OperationServiceImpl(rpc::Host& host, Starter& starter, Engine& engine)
      : host_(host), starter_(starter), engine_(engine) {}

  Reactor* StartFailover(Context* context, const op::StartFailoverRequest* request, op::Operation* response) override {
    return rpc::Unary(host_, context, request, response, "StartFailover",
                      [this](const rpc::CallContext& call, const op::StartFailoverRequest& r) {
                        return starter_.StartFailover(CallOf(call), r);
                      });
  }
  Reactor* StartFailback(Context* context, const op::StartFailbackRequest* request, op::Operation* response) override {
    return rpc::Unary(host_, context, request, response, "StartFailback",
                      [this](const rpc::CallContext& call, const op::StartFailbackRequest& r) {
                        return starter_.StartFailback(CallOf(call), r);
                      });
  }
  Reactor* GetOperation(Context* context, const op::GetOperationRequest* request, op::Operation* response) override {
    return rpc::Unary(host_, context, request, response, "GetOperation",
                      [this](const rpc::CallContext& call, const op::GetOperationRequest& r) {
                        return engine_.Get(r.id(), r.with_tasks(), call.tenant);
                      });
  }
  Reactor* ListOperations(Context* context, const op::ListOperationsRequest* request,
                          op::ListOperationsResponse* response) override {
    return rpc::Unary(host_, context, request, response, "ListOperations",
                      [this](const rpc::CallContext& call, const op::ListOperationsRequest& r) {
                        return ListPage(engine_, r, call.tenant);
                      });
  }
  ::grpc::ServerWriteReactor<op::Operation>* WatchOperation(Context* context,
                                                            const op::WatchOperationRequest* request) override {
    return rpc::Stream<op::Operation>(host_, context, request, "WatchOperation",
                                      [this](const rpc::CallContext& call, const op::WatchOperationRequest& r,
                                             std::shared_ptr<rpc::EventStream<op::Operation>> stream) -> absl::Status {
                                        const auto watcher = engine_.Watch(
                                            r,
                                            [stream](const op::Operation& operation, bool last) {
                                              const bool open = stream->Push(operation);
                                              if (last) stream->Close(absl::OkStatus());
                                              return open;
                                            },
                                            call.tenant);
                                        if (!watcher.ok()) return watcher.status();
                                        stream->OnClosed([this, id = *watcher] { engine_.Unwatch(id); });
                                        return absl::OkStatus();
                                      });
  }
  Reactor* CancelOperation(Context* context, const op::OperationActionRequest* request,
                           op::Operation* response) override {
    return Action(context, request, response, "CancelOperation", &Engine::Cancel);
  }
  Reactor* PauseOperation(Context* context, const op::OperationActionRequest* request,
                          op::Operation* response) override {
    return Action(context, request, response, "PauseOperation", &Engine::Pause);
  }
  Reactor* ResumeOperation(Context* context, const op::OperationActionRequest* request,
                           op::Operation* response) override {
    return Action(context, request, response, "ResumeOperation", &Engine::Resume);
  }
  Reactor* RetryOperation(Context* context, const op::OperationActionRequest* request,
                          op::Operation* response) override {
    return Action(context, request, response, "RetryOperation", &Engine::Retry);
  }
  Reactor* SkipTask(Context* context, const op::OperationActionRequest* request, op::Operation* response) override {
    return Action(context, request, response, "SkipTask", &Engine::Skip);
  }

 private:
  using Verb = absl::StatusOr<op::Operation> (Engine::*)(const op::OperationActionRequest&, const Engine::Viewer&);
  Reactor* Action(Context* context, const op::OperationActionRequest* request, op::Operation* response,
                  const std::string& name, Verb verb) {
    return rpc::Unary(host_, context, request, response, name,
                      [this, verb](const rpc::CallContext& call, const op::OperationActionRequest& r) {
                        return std::invoke(verb, engine_, r, call.tenant);
                      });
  }

  rpc::Host& host_;
  Starter& starter_;
  Engine& engine_;
};

}  // namespace

std::unique_ptr<::grpc::Service> MakeOperationService(rpc::Host& host, Starter& starter, Engine& engine) {
  return std::make_unique<OperationServiceImpl>(host, starter, engine);
}

}  // namespace protector::orchestrator
