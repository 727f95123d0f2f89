#include "libs/openstack/session.h"

#include <fmt/format.h>

#include <algorithm>

#include "libs/base/error.h"
#include "libs/openstack/errors.h"

namespace protector::openstack {
namespace {

// A token is renewed this long before it expires, or after three quarters of a short life.
constexpr absl::Duration kRenewBefore = absl::Minutes(5);

bool IsRead(const std::string& method) {
  return method == "GET" || method == "HEAD";
}

}  // namespace

std::optional<std::optional<VersionRange>> VersionCache::Find(Service service) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = ranges_.find(service);
  if (found == ranges_.end()) return std::nullopt;
  return found->second;
}

void VersionCache::Store(Service service, const std::optional<VersionRange>& range) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ranges_[service] = range;
}

Session::Session(const cloudconfig::Cloud& cloud, const std::string& project_id, const Dependencies& dependencies,
                 std::shared_ptr<VersionCache> versions)
    : cloud_(cloud), project_id_(project_id), dependencies_(dependencies), versions_(std::move(versions)) {}

bool Session::Usable() const {
  return token_ != nullptr && dependencies_.clock.Monotonic() < renew_at_;
}

absl::StatusOr<std::shared_ptr<const Token>> Session::GetToken(const CallContext& call) {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!Usable() && authenticating_) {
    const absl::Duration left = std::min(call.deadline - dependencies_.clock.Now(), absl::Seconds(60));
    if (left <= absl::ZeroDuration() ||
        changed_.wait_for(lock, absl::ToChronoMilliseconds(left)) == std::cv_status::timeout) {
      return http::WithOutcome(
          Error(absl::StatusCode::kDeadlineExceeded, "NO_ANSWER_IN_TIME", "keystone: no token in time")
              .Object("auth_url " + cloud_.auth_url())
              .Remedy("Check that Keystone answers."),
          http::Outcome::kNotSent);
    }
  }
  if (Usable()) return token_;

  authenticating_ = true;
  lock.unlock();
  absl::StatusOr<std::shared_ptr<const Token>> token = Authenticate(call);
  lock.lock();
  authenticating_ = false;
  if (token.ok()) {
    token_ = *token;
    const absl::Duration lifetime = token_->lifetime;
    renew_at_ = dependencies_.clock.Monotonic() + std::max(lifetime - kRenewBefore, lifetime * 0.75);
  }
  changed_.notify_all();
  return token;
}

void Session::Forget(const std::string& token) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (token_ != nullptr && token_->value == token) token_ = nullptr;
}

absl::StatusOr<std::shared_ptr<const Token>> Session::Authenticate(const CallContext& call) {
  PROTECTOR_RETURN_IF_ERROR(cloudconfig::CheckComplete(cloud_));
  const Asked asked = {"keystone",
                       fmt::format("login at {}", cloud_.auth_url()),
                       false,
                       {cloud_.Auth("password"), cloud_.Auth("application_credential_secret"), cloud_.Auth("token")}};
  http::Request request;
  request.method = "POST";
  request.url = IdentityBase(cloud_.auth_url()) + "/auth/tokens";
  request.route = "/auth/tokens";
  request.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
  request.body = AuthRequest(cloud_, project_id_).Dump();
  request.deadline = call.deadline;
  request.stop = call.stop;
  const std::string request_id = RequestId(call);
  if (!request_id.empty()) request.headers.emplace_back("X-OpenStack-Request-ID", request_id);
  // A second token for a lost first one does no harm.
  const absl::StatusOr<http::Response> response =
      Transmit(call, "keystone", request, http::Idempotency::kIdempotent, request_id);
  // Whatever became of the login: the call that needed it was not sent.
  if (!response.ok()) return http::WithOutcome(StatusFrom(response.status(), asked), http::Outcome::kNotSent);
  if (!response->ok()) {
    return http::WithOutcome(StatusFrom(*response, asked, dependencies_.clock.Now()), http::Outcome::kNotSent);
  }
  absl::StatusOr<Token> token = ParseToken(response->Header("X-Subject-Token"), response->body);
  if (!token.ok()) return http::WithOutcome(StatusFrom(token.status(), asked), http::Outcome::kNotSent);
  return std::make_shared<const Token>(*std::move(token));
}

std::string Session::RequestId(const CallContext& call) const {
  if (call.request_id.empty()) return dependencies_.ids == nullptr ? "" : "req-" + dependencies_.ids->NewUuid();
  return call.request_id.rfind("req-", 0) == 0 ? call.request_id : "req-" + call.request_id;
}

absl::StatusOr<http::Response> Session::Transmit(const CallContext&, const std::string& service,
                                                 const http::Request& request, http::Idempotency idempotency,
                                                 const std::string& request_id) {
  const http::Watch watch = {dependencies_.observer, service, request_id};
  return http::DoWithRetry(request, idempotency, dependencies_.retry, {dependencies_.clock, dependencies_.random},
                           [&](const http::Request& again, int attempt) {
                             return http::DoObserved(dependencies_.http, again, dependencies_.clock, watch, attempt);
                           });
}

absl::StatusOr<std::string> Session::EndpointOf(const CallContext& call, Service service) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::shared_ptr<const Token> token, GetToken(call));
  return EndpointFor(service, cloud_, token->info.catalog);
}

absl::StatusOr<http::Response> Session::SendOnce(const CallContext& call, Service service, const std::string& url,
                                                 const std::string& route) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::shared_ptr<const Token> token, GetToken(call));
  http::Request request;
  request.url = url;
  request.route = route;
  request.headers = {{"X-Auth-Token", token->value}, {"Accept", "application/json"}};
  request.deadline = call.deadline;
  request.stop = call.stop;
  const http::Watch watch = {dependencies_.observer, ServiceName(service), RequestId(call)};
  return http::DoObserved(dependencies_.http, request, dependencies_.clock, watch, 1);
}

absl::StatusOr<std::optional<VersionRange>> Session::VersionsOf(const CallContext& call, Service service) {
  const std::optional<Microversion> known = NewestKnown(service);
  if (!known.has_value()) return std::optional<VersionRange>();
  if (const auto cached = versions_->Find(service)) return *cached;

  PROTECTOR_ASSIGN_OR_RETURN(const std::string endpoint, EndpointOf(call, service));
  PROTECTOR_ASSIGN_OR_RETURN(const std::shared_ptr<const Token> token, GetToken(call));
  http::Request request;
  request.url = VersionUrl(endpoint);
  request.route = "/";
  request.headers = {{"X-Auth-Token", token->value}, {"Accept", "application/json"}};
  request.deadline = call.deadline;
  request.stop = call.stop;
  const Asked asked = {ServiceName(service), "its versions", false, {token->value}};
  const absl::StatusOr<http::Response> response =
      Transmit(call, asked.service, request, http::Idempotency::kIdempotent, RequestId(call));
  if (!response.ok()) return http::WithOutcome(StatusFrom(response.status(), asked), http::Outcome::kNotSent);
  if (!response->ok() && response->status != 300) {
    return http::WithOutcome(StatusFrom(*response, asked, dependencies_.clock.Now()), http::Outcome::kNotSent);
  }
  const std::optional<VersionRange> range = ParseVersions(response->body, known->major);
  versions_->Store(service, range);
  return range;
}

absl::StatusOr<std::optional<Microversion>> Session::VersionFor(const CallContext& call, Service service) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::optional<VersionRange> range, VersionsOf(call, service));
  if (!range.has_value()) return std::optional<Microversion>();
  const Microversion known = *NewestKnown(service);
  if (range->min > known) {
    return http::WithOutcome(Error(absl::StatusCode::kUnimplemented, "SERVICE_TOO_NEW",
                                   fmt::format("{} speaks microversion {} at least; this client knows {} at most",
                                               ServiceName(service), range->min.ToString(), known.ToString()))
                                 .Object("service " + ServiceName(service))
                                 .Remedy("Upgrade protector."),
                             http::Outcome::kNotSent);
  }
  return std::optional<Microversion>(std::min(known, range->max));
}

absl::StatusOr<http::Response> Session::Send(const CallContext& call, const ApiRequest& api) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::optional<Microversion> version, VersionFor(call, api.service));
  const std::string request_id = RequestId(call);
  for (bool renewed = false;; renewed = true) {
    PROTECTOR_ASSIGN_OR_RETURN(const std::shared_ptr<const Token> token, GetToken(call));
    PROTECTOR_ASSIGN_OR_RETURN(const std::string endpoint, EndpointFor(api.service, cloud_, token->info.catalog));
    http::Request request;
    request.method = api.method;
    request.url = endpoint + api.path + (api.query.empty() ? "" : "?" + api.query);
    request.route = api.route;
    request.headers = api.headers;
    request.headers.emplace_back("X-Auth-Token", token->value);
    request.headers.emplace_back("Accept", "application/json");
    if (version.has_value()) {
      const bool compute = api.service == Service::kCompute;
      request.headers.emplace_back("OpenStack-API-Version", (compute ? "compute " : "volume ") + version->ToString());
      if (compute) request.headers.emplace_back("X-OpenStack-Nova-API-Version", version->ToString());
    }
    if (!request_id.empty()) request.headers.emplace_back("X-OpenStack-Request-ID", request_id);
    if (api.body.has_value()) {
      request.headers.emplace_back("Content-Type", "application/json");
      request.body = api.body->Dump();
    }
    request.deadline = call.deadline;
    request.stop = call.stop;

    Asked asked = {ServiceName(api.service), api.object, !IsRead(api.method), {token->value}};
    for (const auto& [name, value] : api.headers) asked.secrets.push_back(value);
    absl::StatusOr<http::Response> response = Transmit(call, asked.service, request, api.idempotency, request_id);
    if (!response.ok()) return StatusFrom(response.status(), asked);
    if (response->ok()) return response;
    if (response->status != 401 || renewed) return StatusFrom(*response, asked, dependencies_.clock.Now());
    Forget(token->value);  // revoked, or expired by the service's clock; nothing was done, so that it is sent once more
  }
}

absl::StatusOr<json::Value> Session::SendForJson(const CallContext& call, const ApiRequest& request) {
  PROTECTOR_ASSIGN_OR_RETURN(const http::Response response, Send(call, request));
  if (response.body.empty()) return json::Value();
  absl::StatusOr<json::Value> value = json::Parse(response.body);
  if (value.ok()) return value;
  const absl::Status status =
      Error(absl::StatusCode::kInternal, "BAD_ANSWER",
            fmt::format("{}: {}: the answer is {}", ServiceName(request.service), request.object,
                        MessageOf(value.status())))
          .Object(request.object)
          .Remedy("Check what stands between us and the service; this does not look like its answer.");
  return IsRead(request.method) ? status : http::WithOutcome(status, http::Outcome::kUnknown);
}

}  // namespace protector::openstack
