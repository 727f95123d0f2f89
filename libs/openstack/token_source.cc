#include "libs/openstack/token_source.h"

#include <fmt/format.h>

#include <algorithm>

#include "libs/base/error.h"
#include "libs/http/observe.h"
#include "libs/openstack/errors.h"

namespace protector::openstack {
namespace {

// A token is renewed this long before it expires, or after three quarters of a short life.
constexpr absl::Duration kRenewBefore = absl::Minutes(5);
constexpr absl::Duration kLongestWait = absl::Minutes(2);

// Says something of Keystone and not only of the call that met it.
bool Concerns(const absl::Status& status) {
  return status.code() != absl::StatusCode::kDeadlineExceeded && status.code() != absl::StatusCode::kCancelled;
}

// Keystone answers a login to a project that the user has no role in as it answers a wrong password. The user has
// logged in elsewhere with the same one, so a missing role is the likely cause.
absl::Status NoRole(const absl::Status& refused, const cloudconfig::Cloud& cloud, const std::string& project) {
  const std::string user = cloud.Auth("username").empty() ? cloud.Auth("user_id") : cloud.Auth("username");
  ErrorDetail detail = DetailOf(refused);
  detail.reason = "SERVICE_ROLE_MISSING";
  detail.object = "project " + project;
  detail.remedy = fmt::format(
      "Most likely the user has no role in the project (any more): `openstack role add --user {} --project {} admin`. "
      "Else check its password.",
      user.empty() ? "USER" : user, project);
  return Annotate(WithDetail(refused, detail), fmt::format("{} cannot work in project {}", user, project));
}

}  // namespace

std::string RequestIdFor(const CallContext& call, const Dependencies& dependencies) {
  if (call.request_id.empty()) return dependencies.ids == nullptr ? "" : "req-" + dependencies.ids->NewUuid();
  return call.request_id.rfind("req-", 0) == 0 ? call.request_id : "req-" + call.request_id;
}

TokenSource::TokenSource(const cloudconfig::Cloud& cloud, const std::string& project_id,
                         const Dependencies& dependencies)
    : cloud_(cloud), project_id_(project_id), dependencies_(dependencies) {}

bool TokenSource::Usable() const {
  return token_ != nullptr && dependencies_.clock.Monotonic() < renew_at_;
}

absl::StatusOr<std::shared_ptr<const Token>> TokenSource::Get(const CallContext& call) {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!Usable() && logging_in_) {
    const int64_t awaited = logins_;
    const absl::Duration left = std::min(call.deadline - dependencies_.clock.Now(), kLongestWait);
    const bool ended =
        left > absl::ZeroDuration() &&
        changed_.wait_for(lock, call.stop, absl::ToChronoMilliseconds(left), [&] { return logins_ != awaited; });
    if (!ended) {
      const bool stopped = call.stop.stop_requested();
      return http::WithOutcome(
          Error(stopped ? absl::StatusCode::kCancelled : absl::StatusCode::kDeadlineExceeded,
                stopped ? "CANCELLED" : "NO_ANSWER_IN_TIME",
                stopped ? "keystone: given up while waiting for a token" : "keystone: no token in time")
              .Object("login at " + cloud_.auth_url())
              .Remedy("Check that Keystone answers."),
          http::Outcome::kNotSent);
    }
    if (!failure_.ok() && Concerns(failure_)) return failure_;
  }
  if (Usable()) return token_;

  logging_in_ = true;
  lock.unlock();
  absl::StatusOr<std::shared_ptr<const Token>> token = LogIn(call);
  lock.lock();
  logging_in_ = false;
  ++logins_;
  failure_ = token.status();
  if (token.ok()) {
    token_ = *token;
    const absl::Duration lifetime = token_->lifetime;
    renew_at_ = dependencies_.clock.Monotonic() + std::max(lifetime - kRenewBefore, lifetime * 0.75);
  }
  changed_.notify_all();
  return token;
}

void TokenSource::Forget(const std::string& token) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (token_ != nullptr && token_->value == token) token_ = nullptr;
}

absl::StatusOr<std::shared_ptr<const Token>> TokenSource::LogIn(const CallContext& call) {
  cloudconfig::Cloud cloud = cloud_;
  if (dependencies_.renew_secrets) dependencies_.renew_secrets(cloud.auth);
  PROTECTOR_RETURN_IF_ERROR(cloudconfig::CheckComplete(cloud));
  const Asked asked = {"keystone",
                       "login at " + cloud.auth_url(),
                       false,
                       {cloud.Auth("password"), cloud.Auth("application_credential_secret"), cloud.Auth("token")}};
  http::Request request;
  request.method = "POST";
  request.url = IdentityBase(cloud.auth_url()) + "/auth/tokens";
  request.route = "/auth/tokens";
  request.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
  request.body = AuthRequest(cloud, project_id_).Dump();
  request.deadline = call.deadline;
  request.stop = call.stop;
  const std::string request_id = RequestIdFor(call, dependencies_);
  if (!request_id.empty()) request.headers.emplace_back("X-OpenStack-Request-ID", request_id);

  const http::Watch watch = {dependencies_.observer, "keystone", request_id, call.purpose};
  // Idempotent: a second token for a lost first one does no harm.
  const absl::StatusOr<http::Response> response =
      http::DoWithRetry(request, http::Idempotency::kIdempotent, dependencies_.retry,
                        {dependencies_.clock, dependencies_.random}, [&](const http::Request& again, int attempt) {
                          return http::DoObserved(dependencies_.http, again, dependencies_.clock, watch, attempt);
                        });
  // Whatever became of the login: the call that needed it was not sent.
  if (!response.ok()) return http::WithOutcome(StatusFrom(response.status(), asked), http::Outcome::kNotSent);
  if (!response->ok()) {
    absl::Status refused = StatusFrom(*response, asked, dependencies_.clock.Now());
    if (response->status == 401 && !project_id_.empty()) refused = NoRole(refused, cloud, project_id_);
    return http::WithOutcome(refused, http::Outcome::kNotSent);
  }
  absl::StatusOr<Token> token = ParseToken(response->Header("X-Subject-Token"), response->body);
  if (!token.ok()) return http::WithOutcome(StatusFrom(token.status(), asked), http::Outcome::kNotSent);
  return std::make_shared<const Token>(*std::move(token));
}

}  // namespace protector::openstack
