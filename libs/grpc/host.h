#pragma once
// What every handler runs in: a bounded pool of worker threads for blocking work, which callers get in turn
// (worker_pool.h), the checks each call has to pass (a program that may, a user that may, a deadline, not draining,
// room in the queue), the record of changes, the request log and the metrics. A caller is a program of a site, and for
// the command line the project that its user's token is for; those whose token is still to be asked about share one
// turn.
//
// Threads: every method may be called from any thread. Ownership: made by RunService (or a test) and outlives the
// services. Failure: a call that finds the queue full gets RESOURCE_EXHAUSTED, one that comes while draining
// UNAVAILABLE.

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/ids.h"
#include "libs/grpc/access.h"
#include "libs/grpc/audit_sink.h"
#include "libs/grpc/call_context.h"
#include "libs/log/log.h"
#include "libs/metrics/metrics.h"

namespace protector::rpc {

struct HostOptions {
  std::string site;
  Access access = {};     // who may call what; not looked at when `insecure`
  bool insecure = false;  // connections prove nothing
  int workers = 16;
  int max_queued = 1024;
  int max_streams = 256;                                 // open ones of a single caller
  absl::Duration max_deadline = absl::Minutes(5);        // of a unary call; a longer one is cut to this
  absl::Duration max_stream_deadline = absl::Hours(24);  // of a stream
};

class Host {
 public:
  Host(const HostOptions& options, log::Logger logger, metrics::Registry& metrics, IdGenerator& ids);
  ~Host();  // waits for running work
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  const std::string& site() const;

  // Before the server starts. Without a gate no call of the command line is let in, unless `insecure`.
  void SetUserGate(UserGate& gate);
  void SetAuditSink(AuditSink& sink);

  // The call's context, or why it is refused; a refusal is in the log and the metrics.
  absl::StatusOr<CallContext> Admit(::grpc::CallbackServerContext& context, const std::string& method, bool stream);
  // Queues work of an admitted call, which is told the call with its user, or why the user may not. `work` runs exactly
  // once unless this returns an error: RESOURCE_EXHAUSTED when there is no room, or none for its caller.
  using Work = std::function<void(const CallContext& call, const absl::Status& allowed)>;
  absl::Status Post(const CallContext& call, Work work);
  // Calls `end` when the user of an open stream does not count any more (token revoked or expired, role withdrawn):
  // looked at whenever the gate's answers have become old. Returns an id for ForgetStream; 0: a stream without a user.
  int64_t KeepLookingAt(const CallContext& call, std::function<void(const absl::Status&)> end);
  void ForgetStream(int64_t id);

  // Around a change that is to be on record: its number, or nullopt when the call is none of these. An error: the
  // change must not be made.
  absl::StatusOr<std::optional<int64_t>> BeginRecord(const CallContext& call, const google::protobuf::Message& request);
  void EndRecord(const std::optional<int64_t>& begun, const CallContext& call, const absl::Status& outcome,
                 const google::protobuf::Message* response);
  void RecordRefusal(const CallContext& call, const google::protobuf::Message& request, const absl::Status& reason);
  // Counts an open stream of this call's caller; RESOURCE_EXHAUSTED when it has too many. LeaveStream when it has
  // ended.
  absl::Status EnterStream(const CallContext& call);
  void LeaveStream(const CallContext& call);
  // Log line and metrics of a finished call.
  void Finished(const CallContext& context, absl::Time started, const absl::Status& status);

  // From now on Admit refuses; every open stream is closed with UNAVAILABLE.
  void Drain();
  // Called by Drain; returns an id for RemoveDrainHook.
  int64_t AddDrainHook(std::function<void()> hook);
  void RemoveDrainHook(int64_t id);

 private:
  // Fills in the call's context, or says why it is refused.
  absl::Status Check(::grpc::CallbackServerContext& context, CallContext& call, absl::Time now, bool stream) const;
  bool NeedsUser(const CallContext& call) const;
  // The call as its user's: whose it is, in which bounds, and whether the policy allows it.
  absl::Status Settle(CallContext& call, std::shared_ptr<const User> user);
  absl::Status StillAllowed(const CallContext& call);
  void LookAtStreams(const std::stop_token& stop);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace protector::rpc
