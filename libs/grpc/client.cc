#include "libs/grpc/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "absl/time/clock.h"
#include "libs/base/error.h"
#include "libs/grpc/status.h"

namespace protector::rpc {
namespace {

constexpr absl::Duration kFirstBackoff = absl::Milliseconds(50);

// How gRPC begins the message of a call for which it had no connection: nothing of the request has left this machine.
constexpr char kNeverConnected[] = "failed to connect to all addresses";

void Add(::grpc::ClientContext& context, const char* key, const std::string& value) {
  if (!value.empty()) context.AddMetadata(key, value);
}

}  // namespace

std::shared_ptr<::grpc::Channel> MakeChannel(const std::string& address,
                                             const std::shared_ptr<::grpc::ChannelCredentials>& credentials,
                                             const ChannelOptions& options) {
  ::grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, static_cast<int>(absl::ToInt64Milliseconds(options.keepalive_time)));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                   static_cast<int>(absl::ToInt64Milliseconds(options.keepalive_timeout)));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS,
                   static_cast<int>(absl::ToInt64Milliseconds(options.max_reconnect_backoff)));
  arguments.SetMaxReceiveMessageSize(options.max_message_bytes);
  arguments.SetMaxSendMessageSize(options.max_message_bytes);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // one layer retries, and it is not this one
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a new channel does not inherit another's backoff
  return ::grpc::CreateCustomChannel(address, credentials, arguments);
}

Connector::Connector(const std::string& address, std::shared_ptr<::grpc::ChannelCredentials> credentials,
                     const ChannelOptions& options)
    : address_(address),
      credentials_(std::move(credentials)),
      options_(options),
      channel_(MakeChannel(address, credentials_, options)) {}

std::shared_ptr<::grpc::Channel> Connector::Get() {
  std::lock_guard lock(mutex_);
  if (channel_->GetState(/*try_to_connect=*/false) == GRPC_CHANNEL_TRANSIENT_FAILURE) {
    channel_ = MakeChannel(address_, credentials_, options_);
  }
  return channel_;
}

std::shared_ptr<::grpc::Channel> Connectors::Get(const std::string& address, const Identity& server,
                                                 const Security& security) {
  std::lock_guard lock(mutex_);
  auto& connector = connectors_[{address, server}];
  if (connector == nullptr) connector = std::make_unique<Connector>(address, security.ForChannel(server));
  return connector->Get();
}

CallOptions& CallOptions::For(const CallContext& context) {
  request_id = context.request_id;
  project = context.project;
  project_domain = context.project_domain;
  user = context.user;
  purpose = context.purpose;
  timeout = std::min(timeout, context.deadline - absl::Now());
  return *this;
}

void Prepare(::grpc::ClientContext& context, const CallOptions& options, absl::Time deadline) {
  context.set_deadline(absl::ToChronoTime(deadline));
  Add(context, kRequestIdKey, options.request_id);
  Add(context, kProjectKey, options.project);
  Add(context, kProjectDomainKey, options.project_domain);
  Add(context, kUserKey, options.user);
  Add(context, kTokenKey, options.credentials.token);
  Add(context, kTokenSiteKey, options.credentials.site);
  Add(context, kTokenRegistryKey, options.credentials.registry);
  Add(context, kOperationKey, options.purpose.operation);
  Add(context, kStepKey, options.purpose.step);
  Add(context, kTaskKey, options.purpose.task);
  if (options.purpose.epoch != 0) Add(context, kEpochKey, std::to_string(options.purpose.epoch));
}

absl::Status Conclude(const ::grpc::Status& status, const CallOptions& options) {
  if (status.ok()) return absl::OkStatus();
  const absl::Status mapped = FromGrpc(status);
  ErrorDetail detail = DetailOf(mapped);
  if (!detail.reason.empty()) {
    if (detail.site.empty()) detail.site = options.site;
    return WithDetail(mapped, detail);
  }
  // Without details the server itself did not speak: gRPC met the failure on the way.
  const auto of = [&](absl::StatusCode code, const char* reason, const std::string& message, const char* remedy) {
    return static_cast<absl::Status>(
        Error(code, reason, message).Object(options.target).Remedy(remedy).Site(options.site));
  };
  const std::string cause = MessageOf(mapped);
  switch (mapped.code()) {
    case absl::StatusCode::kUnavailable:
      if (cause.find(kNeverConnected) != std::string::npos) {
        return of(absl::StatusCode::kUnavailable, "SERVICE_UNREACHABLE",
                  fmt::format("{} cannot be reached: {}", options.target, cause),
                  "Check that the service runs and that its address can be reached from here.");
      }
      [[fallthrough]];
    case absl::StatusCode::kCancelled:  // what a call gets that reaches a server in the moment of its shutdown
      return of(absl::StatusCode::kUnavailable, "CALL_CUT",
                fmt::format("the connection to {} broke during the call: {}", options.target, cause),
                "Check whether the service was stopped or restarted; the request may have been carried out.");
    case absl::StatusCode::kDeadlineExceeded:
      return of(absl::StatusCode::kDeadlineExceeded, "SERVICE_TIMEOUT",
                fmt::format("{} did not answer within {}", options.target, absl::FormatDuration(options.timeout)),
                "Check the service's log and the network between; the request may have been carried out.");
    default:
      return Annotate(mapped, options.target);
  }
}

absl::Status LostCall(failpoint::When when, const std::string& point) {
  const bool before = when == failpoint::When::kBefore;
  return Error(absl::StatusCode::kUnavailable, before ? "SERVICE_UNREACHABLE" : "CALL_CUT", "failpoint " + point)
      .Object(point)
      .Remedy("A test asked for this failure.");
}

bool CertainlyNotSent(const absl::Status& status) {
  return DetailOf(status).reason == "SERVICE_UNREACHABLE";
}

bool IsNoAnswer(const absl::Status& status) {
  const std::string reason = DetailOf(status).reason;
  return reason == "SERVICE_UNREACHABLE" || reason == "CALL_CUT" || reason == "SERVICE_TIMEOUT";
}

bool NextAttempt(const ::grpc::Status& status, const CallOptions& options, absl::Time deadline, int attempt) {
  if (options.repeat == Repeat::kOnce || status.error_code() != ::grpc::StatusCode::UNAVAILABLE) return false;
  if (attempt >= options.max_attempts) return false;
  const absl::Duration backoff = kFirstBackoff * (1 << std::min(attempt - 1, 10));
  if (absl::Now() + backoff >= deadline) return false;
  absl::SleepFor(backoff);
  return true;
}

}  // namespace protector::rpc
