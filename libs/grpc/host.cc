#include "libs/grpc/host.h"

#include <fmt/format.h>
#include <grpc/grpc_security_constants.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "libs/base/error.h"
#include "libs/grpc/unary.h"
#include "libs/grpc/worker_pool.h"

namespace protector::rpc {
namespace {

constexpr size_t kMaxMetadataBytes = 255;
// Fernet tokens have about 200 bytes, JWS tokens about 700.
constexpr size_t kMaxTokenBytes = 8192;

// A text from the wire: what is too long or not printable is treated as not given, so that it cannot spoil logs or
// records.
std::string Metadata(const ::grpc::CallbackServerContext& context, const char* key, size_t limit = kMaxMetadataBytes) {
  const auto found = context.client_metadata().find(key);
  if (found == context.client_metadata().end() || found->second.size() > limit) return "";
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

// Whose turn a call is: a program of a site, and for the command line the project that its user was proven for.
std::string KeyOf(const CallContext& call) {
  const std::string program = call.caller.site + "/" + call.caller.program + "/";
  return call.proven == nullptr ? program + call.project
                                : program + call.proven->project.site + "/" + call.proven->project.project_id;
}

// Whose turn it is while a token is asked about: all of a site's command lines share it, so that who sends tokens that
// are none delays logins, and nobody who is known already.
std::string KeyOfUnknown(const CallContext& call) {
  return call.caller.site + "/" + call.caller.program + "//";
}

absl::Status Busy() {
  return Error(absl::StatusCode::kResourceExhausted, "SERVICE_BUSY", "too many requests are waiting")
      .Remedy("Try again in a moment; raise grpc.workers or grpc.max_queued if it stays so.");
}

// "SiteRegistryService/GetSite" or "GetSite" -> "GetSite".
std::string ShortName(const std::string& method) {
  return method.substr(method.rfind('/') + 1);
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
  UserGate* gate = nullptr;            // set before the server starts
  AuditSink* audit = nullptr;          // the same
  struct OpenStream {
    CallContext call;
    std::function<void(const absl::Status&)> end;
  };
  std::map<int64_t, OpenStream> users_streams;
  std::condition_variable_any stopping;
  WorkerPool pool;       // work uses the others
  std::jthread looking;  // last: looks at users_streams
};

Host::Host(const HostOptions& options, log::Logger logger, metrics::Registry& metrics, IdGenerator& ids)
    : state_(std::make_unique<State>(options, std::move(logger), metrics, ids)) {}
Host::~Host() = default;

const std::string& Host::site() const {
  return state_->options.site;
}

void Host::SetUserGate(UserGate& gate) {
  state_->gate = &gate;
}

void Host::SetAuditSink(AuditSink& sink) {
  state_->audit = &sink;
}

bool Host::NeedsUser(const CallContext& call) const {
  return !state_->options.insecure && call.caller.program == kCommandLine;
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
  if (NeedsUser(call)) {
    // What it says of itself is not believed.
    call.project = call.project_domain = call.user = "";
    call.credentials = {Metadata(context, kTokenKey, kMaxTokenBytes), Metadata(context, kTokenSiteKey),
                        Metadata(context, kTokenRegistryKey)};
    if (call.credentials.token.empty()) {
      return Error(absl::StatusCode::kUnauthenticated, "TOKEN_MISSING", "the call does not say which user makes it")
          .Object("method " + call.method)
          .Remedy("Send a token of this site's Keystone as " + std::string(kTokenKey) +
                  ", as this version's command line does.");
    }
  }
  call.purpose = {Metadata(context, kOperationKey), Metadata(context, kStepKey), Metadata(context, kTaskKey), 0};
  if (!absl::SimpleAtoi(Metadata(context, kEpochKey), &call.purpose.epoch)) call.purpose.epoch = 0;
  call.deadline = std::min(asked, now + most);
  // The context lives until the reactor has finished, and no handler keeps its CallContext longer than that.
  call.cancelled = [&context, deadline = call.deadline] { return context.IsCancelled() || absl::Now() >= deadline; };
  return absl::OkStatus();
}

absl::Status Host::Settle(CallContext& call, std::shared_ptr<const User> user) {
  call.proven = std::move(user);
  call.user = call.proven->name;
  call.project = call.proven->project.project_id;
  call.project_domain = "";
  if (!state_->gate->InAllProjects(*call.proven)) call.tenant = call.proven->project;
  return state_->gate->Decide(ShortName(call.method), *call.proven);
}

absl::Status Host::Post(const CallContext& call, Work work) {
  if (!NeedsUser(call)) {
    const bool posted = state_->pool.Post(KeyOf(call), [call, work] { work(call, absl::OkStatus()); });
    return posted ? absl::OkStatus() : Busy();
  }
  if (state_->gate == nullptr) {
    return Error(absl::StatusCode::kUnauthenticated, "TOKEN_REFUSED", "this service does not know any user")
        .Remedy("This is a fault of the program; report it with the service's log.");
  }
  if (auto user = state_->gate->Known(call.credentials)) {
    CallContext settled = call;
    const absl::Status allowed = Settle(settled, std::move(user));
    const bool posted = state_->pool.Post(KeyOf(settled), [settled, allowed, work] { work(settled, allowed); });
    return posted ? absl::OkStatus() : Busy();
  }
  const bool posted = state_->pool.Post(KeyOfUnknown(call), [this, call, work = std::move(work)] {
    CallContext settled = call;
    auto user = state_->gate->Identify(call.credentials, call.deadline, call.request_id);
    if (!user.ok()) return work(settled, user.status());
    const absl::Status allowed = Settle(settled, *std::move(user));
    if (!state_->pool.Post(KeyOf(settled), [settled, allowed, work] { work(settled, allowed); })) {
      work(settled, Busy());
    }
  });
  return posted ? absl::OkStatus() : Busy();
}

absl::Status Host::StillAllowed(const CallContext& call) {
  if (call.proven == nullptr || state_->gate == nullptr) return absl::OkStatus();
  std::shared_ptr<const User> user = state_->gate->Known(call.credentials);
  if (user == nullptr) {
    auto asked = state_->gate->Identify(call.credentials, absl::Now() + absl::Seconds(5), call.request_id);
    // A Keystone that does not answer ends no stream: it has shown nothing new.
    if (!asked.ok()) return absl::IsUnauthenticated(asked.status()) ? asked.status() : absl::OkStatus();
    user = *std::move(asked);
  }
  return state_->gate->Decide(ShortName(call.method), *user);
}

int64_t Host::KeepLookingAt(const CallContext& call, std::function<void(const absl::Status&)> end) {
  if (call.proven == nullptr) return 0;
  const std::lock_guard lock(state_->mutex);
  if (!state_->draining && !state_->looking.joinable()) {
    state_->looking = std::jthread([this](const std::stop_token& stop) { LookAtStreams(stop); });
  }
  state_->users_streams.emplace(state_->next_hook, State::OpenStream{call, std::move(end)});
  return state_->next_hook++;
}

void Host::ForgetStream(int64_t id) {
  const std::lock_guard lock(state_->mutex);
  state_->users_streams.erase(id);
}

void Host::LookAtStreams(const std::stop_token& stop) {
  std::unique_lock lock(state_->mutex);
  while (!state_->stopping.wait_for(lock, stop, absl::ToChronoNanoseconds(state_->gate->CountsFor()),
                                    [&] { return stop.stop_requested(); })) {
    if (stop.stop_requested()) return;
    const std::map<int64_t, State::OpenStream> open = state_->users_streams;
    lock.unlock();
    for (const auto& [id, stream] : open) {
      if (const absl::Status still = StillAllowed(stream.call); !still.ok()) stream.end(still);
    }
    lock.lock();
  }
}

absl::StatusOr<std::optional<int64_t>> Host::BeginRecord(const CallContext& call,
                                                         const google::protobuf::Message& request) {
  if (state_->audit == nullptr || call.proven == nullptr || !state_->audit->Records(ShortName(call.method))) {
    return std::optional<int64_t>();
  }
  PROTECTOR_ASSIGN_OR_RETURN(const int64_t begun, state_->audit->Begin(call, request));
  return std::optional<int64_t>(begun);
}

void Host::EndRecord(const std::optional<int64_t>& begun, const CallContext& call, const absl::Status& outcome,
                     const google::protobuf::Message* response) {
  if (begun) state_->audit->End(*begun, call, outcome, response);
}

void Host::RecordRefusal(const CallContext& call, const google::protobuf::Message& request,
                         const absl::Status& reason) {
  // Who is nobody known is in the service's log: anybody could fill the record with tokens that are none.
  if (state_->audit == nullptr || call.proven == nullptr || !state_->audit->Records(ShortName(call.method))) return;
  state_->audit->Refused(call, request, reason);
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
  // It uses the gate, which ends with the service.
  state_->looking.request_stop();
  if (state_->looking.joinable()) state_->looking.join();
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
