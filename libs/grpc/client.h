#pragma once
// Calling our own services: channels with keepalive, calls with a deadline (always), the caller's context in the
// metadata, retries only where the caller says that repeating is harmless, and errors with object and remedy.
//
//   auto channel = rpc::MakeChannel("127.0.20.1:7102", security.ForChannel({"site-b", "metadata-sync"}));
//   auto stub = pb::MetadataSync::NewStub(channel);
//   rpc::CallOptions options(absl::Seconds(5), "metadata-sync of site-b at 127.0.20.1:7102");
//   absl::StatusOr<pb::Document> document = rpc::Call(*stub, &pb::MetadataSync::StubInterface::GetDocument, request,
//   options);
//
// Threads: channels, stubs and these functions may be used from any thread; a call blocks its caller until its deadline
// at the latest. Ownership: a stub keeps its channel alive. Failure: the server's status with its details. When the
// server itself did not speak, the reason says how much is known: SERVICE_UNREACHABLE (UNAVAILABLE; no connection,
// nothing was sent), CALL_CUT (UNAVAILABLE) and SERVICE_TIMEOUT (DEADLINE_EXCEEDED): with the latter two it is
// *unknown* whether the call had an effect. The object is options.target.

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/sync_stream.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/failpoint/failpoint.h"
#include "libs/grpc/call_context.h"
#include "libs/grpc/security.h"

namespace protector::rpc {

struct ChannelOptions {
  absl::Duration keepalive_time = absl::Seconds(10);
  absl::Duration keepalive_timeout = absl::Seconds(5);
  // How long a failed connection attempt holds off the next one, at most: a returning peer is found within this time.
  absl::Duration max_reconnect_backoff = absl::Seconds(2);
  int max_message_bytes = 64 << 20;
};

// Connects when first used. `address` is "host:port" (or any target that gRPC resolves).
// `credentials`: of Security::ForChannel.
std::shared_ptr<::grpc::Channel> MakeChannel(const std::string& address,
                                             const std::shared_ptr<::grpc::ChannelCredentials>& credentials,
                                             const ChannelOptions& options = {});

// How often a call may be sent, in all. More than once only if repeating it has no further effect.
enum class Repeat { kOnce, kIfIdempotent };

// A channel that is always willing to try: while a channel backs off after a refused connection, every call on it fails
// with the old refusal, also when the server has come back meanwhile. Get gives a new channel instead, so that a call
// says how things are now. For peers that come and go.
//
// Threads: Get may be called from any thread. Ownership: channels live as long as somebody uses them.
class Connector {
 public:
  Connector(const std::string& address, std::shared_ptr<::grpc::ChannelCredentials> credentials,
            const ChannelOptions& options = {});
  std::shared_ptr<::grpc::Channel> Get();

 private:
  const std::string address_;
  const std::shared_ptr<::grpc::ChannelCredentials> credentials_;
  const ChannelOptions options_;
  std::mutex mutex_;
  std::shared_ptr<::grpc::Channel> channel_;
};

// Connectors to several servers, made when first asked for. One that was made for a server at an address serves for no
// other server there: it has checked who answers.
//
// Threads: Get may be called from any thread. Ownership: as Connector.
class Connectors {
 public:
  std::shared_ptr<::grpc::Channel> Get(const std::string& address, const Identity& server, const Security& security);

 private:
  std::mutex mutex_;
  std::map<std::pair<std::string, Identity>, std::unique_ptr<Connector>> connectors_;
};

struct CallOptions {
  // `target` is used in errors: service, site and address as the operator knows them.
  CallOptions(absl::Duration call_timeout, std::string call_target)
      : timeout(call_timeout), target(std::move(call_target)) {}
  absl::Duration timeout;  // for all attempts together
  std::string target;
  std::string site;  // named in errors when the server did not
  std::string request_id;
  std::string project;
  std::string project_domain;
  std::string user;
  Credentials credentials = {};  // of the user, from the command line only
  Purpose purpose = {};
  Repeat repeat = Repeat::kOnce;  // kIfIdempotent: again after UNAVAILABLE, with backoff, until the deadline
  int max_attempts = 4;
  // The rest of a handler's call: its request id and caller, at most its remaining time.
  CallOptions& For(const CallContext& context);
};

// The request has certainly not reached the server.
bool CertainlyNotSent(const absl::Status& status);
// The server did not answer: unreachable, cut off or too late.
bool IsNoAnswer(const absl::Status& status);

// Internal: one attempt's context, and the verdict on a status.
void Prepare(::grpc::ClientContext& context, const CallOptions& options, absl::Time deadline);
absl::Status Conclude(const ::grpc::Status& status, const CallOptions& options);
// Waits before the next attempt; false when there is none.
bool NextAttempt(const ::grpc::Status& status, const CallOptions& options, absl::Time deadline, int attempt);

template <typename Stub, typename Interface, typename Request, typename Response>
absl::StatusOr<Response> Call(Stub& stub,
                              ::grpc::Status (Interface::*method)(::grpc::ClientContext*, const Request&, Response*),
                              const Request& request, const CallOptions& options) {
  const absl::Time deadline = absl::Now() + options.timeout;
  for (int attempt = 1;; ++attempt) {
    ::grpc::ClientContext context;
    Prepare(context, options, deadline);
    Response response;
    const ::grpc::Status status = (stub.*method)(&context, request, &response);
    if (status.ok()) return response;
    if (!NextAttempt(status, options, deadline, attempt)) return Conclude(status, options);
  }
}

// What a failpoint's `error` looks like here: SERVICE_UNREACHABLE before the change, CALL_CUT after it.
absl::Status LostCall(failpoint::When when, const std::string& point);

// A call that changes something, between its failpoints.
template <typename Stub, typename Interface, typename Request, typename Response>
absl::StatusOr<Response> Change(const failpoint::Site& site, Stub& stub,
                                ::grpc::Status (Interface::*method)(::grpc::ClientContext*, const Request&, Response*),
                                const Request& request, const CallOptions& options) {
  return failpoint::Around(site, [&] { return Call(stub, method, request, options); });
}

// Reads a server stream to its end, or until `take` returns false (which cancels it and is no error).
template <typename Stub, typename Interface, typename Request, typename Event>
absl::Status ReadStream(
    Stub& stub,
    std::unique_ptr<::grpc::ClientReaderInterface<Event>> (Interface::*method)(::grpc::ClientContext*, const Request&),
    const Request& request, const CallOptions& options, const std::function<bool(const Event&)>& take) {
  ::grpc::ClientContext context;
  Prepare(context, options, absl::Now() + options.timeout);
  auto reader = (stub.*method)(&context, request);
  Event event;
  bool stopped = false;
  while (!stopped && reader->Read(&event)) stopped = !take(event);
  if (stopped) context.TryCancel();
  const ::grpc::Status status = reader->Finish();
  return stopped ? absl::OkStatus() : Conclude(status, options);
}

}  // namespace protector::rpc
