#include "libs/grpc/host.h"

#include <fmt/format.h>
#include <grpc/grpc_security_constants.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "libs/base/error.h"
#include "libs/grpc/unary.h"
#include "libs/grpc/worker_pool.h"

namespace protector::rpc {
namespace {

constexpr size_t kMaxMetadataBytes = 255;

// A text from the wire: what is too long or not printable is treated as not given, so that it cannot spoil logs or
// records.
std::string Metadata(const ::grpc::CallbackServerContext& context, const char* key) {
  const auto found = context.client_metadata().find(key);
  if (found == context.client_metadata().end() || found->second.size() > kMaxMetadataBytes) return "";
  std::string text(found->second.data(), found->second.size());
  return IsPrintableUtf8(text) ? text : "";
}

// What the caller's certificate proves. gRPC has checked the certificate's chain and dates.
std::optional<Identity> CallerOf(const ::grpc::CallbackServerContext& context) {
  for (const ::grpc::string_ref& uri : context.auth_context()->FindPropertyValues(GRPC_PEER_URI_PROPERTY_NAME)) {
    if (const auto found = ParseIdentity(std::string(uri.data(), uri.size()))) return found;
  }
  return std::nullopt;
}

// Whose turn a call is: a program of a site, and for the command line the project that it speaks for.
std::string KeyOf(const CallContext& call) {
  return call.caller.site + "/" + call.caller.program + "/" + call.project;
}

log::Level LevelOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDataLoss:
      return log::Level::kError;
    case absl::StatusCode::kOk:
      return log::Level::kInfo;
    default:
      return log::Level::kWarning;
  }
}

}  // namespace

struct Host::State {
  State(const HostOptions& host_options, log::Logger host_logger, metrics::Registry& registry, IdGenerator& generator)
      : options(host_options),
        logger(std::move(host_logger)),
        metrics(registry),
        ids(generator),
        pool(host_options.workers, host_options.max_queued) {}

  const HostOptions options;
  const log::Logger logger;
  metrics::Registry& metrics;
  IdGenerator& ids;
  std::mutex mutex;
  bool draining = false;
  int64_t next_hook = 1;
  std::map<int64_t, std::function<void()>> hooks;
  std::map<std::string, int> streams;  // open ones, by caller
  WorkerPool pool;                     // last: work uses the others
};

Host::Host(const HostOptions& options, log::Logger logger, metrics::Registry& metrics, IdGenerator& ids)
    : state_(std::make_unique<State>(options, std::move(logger), metrics, ids)) {}
Host::~Host() = default;

const std::string& Host::site() const {
  return state_->options.site;
}

absl::StatusOr<CallContext> Host::Admit(::grpc::CallbackServerContext& context, const std::string& method,
                                        bool stream) {
  const absl::Time now = absl::Now();
  CallContext call;
  call.method = method;
  call.peer = context.peer();
  call.request_id = Metadata(context, kRequestIdKey);
  if (call.request_id.empty()) call.request_id = state_->ids.NewUuid();
  const absl::Status checked = Check(context, call, now, stream);
  if (checked.ok()) return call;
  Finished(call, now, checked);
  return checked;
}

absl::Status Host::Check(::grpc::CallbackServerContext& context, CallContext& call, absl::Time now, bool stream) const {
  const std::optional<Identity> caller = CallerOf(context);
  if (caller) call.caller = *caller;
  if (!state_->options.insecure) {
    PROTECTOR_RETURN_IF_ERROR(MayCall(state_->options.access, call.method, caller, state_->options.site));
  }
  {
    std::lock_guard lock(state_->mutex);
    if (state_->draining) {
      return Error(absl::StatusCode::kUnavailable, "SHUTTING_DOWN", "the service is shutting down")
          .Remedy("Try again when it has been started again.");
    }
  }
  // gRPC gives the far future when the caller set none.
  const absl::Time asked = absl::FromChrono(context.deadline());
  if (asked > now + absl::Hours(24 * 365)) {
    return Error(absl::StatusCode::kInvalidArgument, "DEADLINE_REQUIRED", "the call has no deadline")
        .Object("method " + call.method)
        .Remedy("Set a deadline on every call.");
  }
  const absl::Duration most = stream ? state_->options.max_stream_deadline : state_->options.max_deadline;
  call.project = Metadata(context, kProjectKey);
  call.project_domain = Metadata(context, kProjectDomainKey);
  call.user = Metadata(context, kUserKey);
  call.purpose = {Metadata(context, kOperationKey), Metadata(context, kStepKey), Metadata(context, kTaskKey), 0};
  if (!absl::SimpleAtoi(Metadata(context, kEpochKey), &call.purpose.epoch)) call.purpose.epoch = 0;
  call.deadline = std::min(asked, now + most);
  // The context lives until the reactor has finished, and no handler keeps its CallContext longer than that.
  call.cancelled = [&context, deadline = call.deadline] { return context.IsCancelled() || absl::Now() >= deadline; };
  return absl::OkStatus();
}

absl::Status Host::Post(const CallContext& call, std::function<void()> work) {
  if (state_->pool.Post(KeyOf(call), std::move(work))) return absl::OkStatus();
  return Error(absl::StatusCode::kResourceExhausted, "SERVICE_BUSY", "too many requests are waiting")
      .Remedy("Try again in a moment; raise grpc.workers or grpc.max_queued if it stays so.");
}

absl::Status Host::EnterStream(const CallContext& call) {
  const std::lock_guard lock(state_->mutex);
  int& open = state_->streams[KeyOf(call)];
  if (open >= state_->options.max_streams) {
    return Error(absl::StatusCode::kResourceExhausted, "TOO_MANY_STREAMS",
                 fmt::format("{} streams of this caller are open", open))
        .Object("method " + call.method)
        .Remedy("End some of them (`protector ... watch`), or raise grpc.max_streams.");
  }
  ++open;
  return absl::OkStatus();
}

void Host::LeaveStream(const CallContext& call) {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->streams.find(KeyOf(call));
  if (found != state_->streams.end() && --found->second <= 0) state_->streams.erase(found);
}

void Host::Finished(const CallContext& call, absl::Time started, const absl::Status& status) {
  const double seconds = absl::ToDoubleSeconds(absl::Now() - started);
  const metrics::Labels labels = {{"method", call.method}, {"code", absl::StatusCodeToString(status.code())}};
  state_->metrics.GetHistogram("protector_rpc_seconds", "Time to answer a call, by method and result.", labels)
      .Observe(seconds);
  const log::Level level = LevelOf(status);
  if (!state_->logger.Enabled(level)) return;
  std::vector<log::Field> fields = {
      {"method", call.method}, {"request_id", call.request_id}, {"peer", call.peer}, {"seconds", seconds}};
  if (!call.caller.empty()) fields.emplace_back("caller", call.caller.site + "/" + call.caller.program);
  if (!call.project.empty()) fields.emplace_back("project", call.project);
  if (!call.user.empty()) fields.emplace_back("user", call.user);
  for (log::Field& field : log::Field::Of(call.purpose)) fields.push_back(std::move(field));
  for (log::Field& field : log::Field::Of(status)) fields.push_back(std::move(field));
  state_->logger.Write(level, status.ok() ? "request" : "request failed", fields);
}

void Host::Drain() {
  std::vector<std::function<void()>> hooks;
  {
    std::lock_guard lock(state_->mutex);
    state_->draining = true;
    for (const auto& [id, hook] : state_->hooks) hooks.push_back(hook);
  }
  for (const auto& hook : hooks) hook();
}

int64_t Host::AddDrainHook(std::function<void()> hook) {
  {
    std::lock_guard lock(state_->mutex);
    if (!state_->draining) {
      state_->hooks.emplace(state_->next_hook, std::move(hook));
      return state_->next_hook++;
    }
  }
  hook();
  return 0;
}

void Host::RemoveDrainHook(int64_t id) {
  std::lock_guard lock(state_->mutex);
  state_->hooks.erase(id);
}

absl::Status Guarded(const std::function<absl::Status()>& body) {
  try {
    return body();
  } catch (const std::exception& e) {
    return Error(absl::StatusCode::kInternal, "INTERNAL", fmt::format("unexpected failure: {}", e.what()))
        .Remedy("This is a fault of the program; report it with the service's log.");
  }
}

}  // namespace protector::rpc
