#pragma once
// A unary RPC as a plain function: blocking, `absl::StatusOr<Response>(const CallContext&, const Request&)`, on the
// host's worker pool. A service's transport is then one line per method:
//
//   ::grpc::ServerUnaryReactor* GetSite(::grpc::CallbackServerContext* context, const GetSiteRequest* request,
//                                       Site* response) override {
//     return rpc::Unary(host_, context, request, response, "GetSite",
//                       [this](const rpc::CallContext& call, const GetSiteRequest& r) { return sites_.Get(call, r); });
//   }
//
// Threads: the function runs on a worker thread; gRPC keeps request and response alive until the reactor has finished.
// Failure: the status, mapped by libs/grpc/status.h. An exception that escapes is INTERNAL; the process lives on.

#include <grpcpp/grpcpp.h>

#include <exception>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/time/clock.h"
#include "libs/base/error.h"
#include "libs/grpc/host.h"
#include "libs/grpc/status.h"

namespace protector::rpc {

// Runs `body` and turns an exception into INTERNAL.
absl::Status Guarded(const std::function<absl::Status()>& body);

template <typename Request, typename Response, typename Function>
::grpc::ServerUnaryReactor* Unary(Host& host, ::grpc::CallbackServerContext* context, const Request* request,
                                  Response* response, const std::string& method, Function function) {
  ::grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  absl::StatusOr<CallContext> admitted = host.Admit(*context, method, /*stream=*/false);
  if (!admitted.ok()) {
    reactor->Finish(ToGrpc(admitted.status(), host.site()));
    return reactor;
  }
  const absl::Time started = absl::Now();
  const CallContext call = *std::move(admitted);
  const absl::Status posted =
      host.Post(call, [&host, reactor, request, response, started, function = std::move(function)](
                          const CallContext& settled, const absl::Status& allowed) {
        absl::Status status = allowed;
        if (!allowed.ok()) {
          host.RecordRefusal(settled, *request, allowed);
        } else {
          status = Guarded([&]() -> absl::Status {
            if (settled.cancelled()) return absl::CancelledError("the caller has gone or its deadline has passed");
            PROTECTOR_ASSIGN_OR_RETURN(const std::optional<int64_t> record, host.BeginRecord(settled, *request));
            const absl::Status done = Guarded([&]() -> absl::Status {
              absl::StatusOr<Response> result = function(settled, *request);
              if (result.ok()) *response = *std::move(result);
              return result.status();
            });
            host.EndRecord(record, settled, done, done.ok() ? response : nullptr);
            return done;
          });
        }
        host.Finished(settled, started, status);
        reactor->Finish(ToGrpc(status, host.site()));
      });
  if (!posted.ok()) {
    host.Finished(call, started, posted);
    reactor->Finish(ToGrpc(posted, host.site()));
  }
  return reactor;
}

}  // namespace protector::rpc
