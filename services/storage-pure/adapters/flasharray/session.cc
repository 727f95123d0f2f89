#include "services/storage-pure/adapters/flasharray/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "libs/base/error.h"
#include "services/storage-pure/adapters/flasharray/errors.h"

namespace protector::storage::flasharray {
namespace {

constexpr char kRequestId[] = "X-Request-ID";

std::string Describe(const ArrayRequest& request) {
  return request.object.empty() ? fmt::format("{} {}", request.method, request.path)
                                : fmt::format("{} {} {}", request.method, request.path, request.object);
}

absl::StatusOr<json::Value> Body(const http::Response& response, const ArrayRequest& request) {
  if (!response.ok()) return StatusOf(response, Describe(request));
  if (response.body.empty()) return json::Value::Object();
  absl::StatusOr<json::Value> parsed = json::Parse(response.body);
  if (parsed.ok()) return parsed;
  // Executed, but what it says cannot be read.
  return http::WithOutcome(ArrayError(ErrorClass::kTransient, Describe(request), MessageOf(parsed.status())),
                           http::Outcome::kUnknown);
}

}  // namespace

Session::Session(SessionOptions options, SessionEnv env)
    : options_(std::move(options)),
      env_(std::move(env)),
      host_(http::HostOf(options_.url)),
      slots_(std::clamp(options_.parallelism, 1, 4096)) {}

Session::~Session() {
  if (!login_) return;
  http::Request request;  // the array counts sessions; one that is left behind lives for half an hour
  request.method = "POST";
  request.route = "/logout";
  request.url = options_.url + "/api/" + login_->version.Text() + "/logout";
  request.headers = {{"x-auth-token", login_->token}};
  request.deadline = env_.clock.Now() + absl::Seconds(1);
  env_.http.Do(request).IgnoreError();
}

absl::Status Session::Unreachable(const absl::Status& status, const ArrayRequest& request) const {
  const absl::Status mapped =
      absl::UnavailableError(fmt::format("array at {}: {}: {}", host_, Describe(request), MessageOf(status)));
  return http::WithOutcome(
      WithDetail(mapped,
                 {.reason = "ARRAY_UNREACHABLE",
                  .object = "array " + host_,
                  .remedy = "Check the array, array.url in storage-pure's configuration, the network to it, and "
                            "array.ca_file or array.fingerprint if the certificate is refused.",
                  .site = ""}),
      http::OutcomeOf(status));
}

absl::StatusOr<http::Response> Session::Attempt(const Scope& scope, const http::Request& request, int attempt) {
  const absl::Duration left = std::min(request.deadline - env_.clock.Now(), absl::Minutes(10));
  if (left <= absl::ZeroDuration() || !slots_.try_acquire_for(absl::ToChronoMilliseconds(left))) {
    return http::WithOutcome(absl::DeadlineExceededError("no time left to send the request"), http::Outcome::kNotSent);
  }
  const absl::Duration started = env_.clock.Monotonic();
  absl::StatusOr<http::Response> response = env_.http.Do(request);
  slots_.release();
  if (env_.observer != nullptr) {
    http::CallRecord record{.service = "flasharray",
                            .method = request.method,
                            .host = host_,
                            .route = request.route,
                            .status = response.ok() ? response->status : 0,
                            .error = response.ok() ? "" : MessageOf(response.status()),
                            .duration = env_.clock.Monotonic() - started,
                            .request_id = "",
                            .caller_request_id = scope.request_id,
                            .purpose = scope.purpose,
                            .attempt = attempt};
    for (const auto& [key, value] : request.headers) {
      if (key == kRequestId) record.request_id = value;
    }
    env_.observer->OnCall(record);
  }
  return response;
}

absl::StatusOr<http::Response> Session::Exchange(const Scope& scope, const ArrayRequest& request,
                                                 const std::string& prefix, const http::Headers& headers) {
  http::Request base;
  base.method = request.method;
  base.url = options_.url + prefix + request.path + request.query.Text();
  base.route = request.path;
  base.deadline = std::min(scope.deadline, env_.clock.Now() + options_.request_timeout);
  base.headers = headers;
  if (request.body) {
    base.body = request.body->Dump();
    base.headers.emplace_back("Content-Type", "application/json");
  }
  absl::StatusOr<http::Response> response = http::DoWithRetry(
      base, request.idempotency, options_.retry, http::RetryEnv{env_.clock, env_.random},
      [&](const http::Request& sent, int attempt) {
        http::Request marked = sent;  // an id of its own for each attempt, so that the array's log tells them apart
        marked.headers.emplace_back(kRequestId, env_.ids.NewUuid());
        return Attempt(scope, marked, attempt);
      });
  if (!response.ok()) return Unreachable(response.status(), request);
  if (!response->ok()) {  // it goes into an error's text
    std::vector<std::string> secrets = {options_.api_token()};
    for (const auto& [name, value] : headers) secrets.push_back(value);
    response->body = http::Redacted(std::move(response->body), secrets);
  }
  return response;
}

absl::StatusOr<Session::Login> Session::Connect(const Scope& scope) {
  const ArrayRequest discover{.path = "/api/api_version"};
  PROTECTOR_ASSIGN_OR_RETURN(const http::Response versions, Exchange(scope, discover, "", {}));
  PROTECTOR_ASSIGN_OR_RETURN(const json::Value offered, Body(versions, discover));
  PROTECTOR_ASSIGN_OR_RETURN(const RestVersion version, Negotiate(offered.GetStrings("version")));

  const ArrayRequest login{.method = "POST", .path = "/login"};  // a session too many does no harm: idempotent
  PROTECTOR_ASSIGN_OR_RETURN(const http::Response answer,
                             Exchange(scope, login, "/api/" + version.Text(), {{"api-token", options_.api_token()}}));
  if (!answer.ok()) {
    const absl::Status status = StatusOf(answer, Describe(login));
    if (answer.status >= 500 || answer.status == 429) return status;
    return ArrayError(ErrorClass::kAuth, "login at " + host_, ErrorText(answer.body));
  }
  const std::string token = answer.Header("x-auth-token");
  if (token.empty()) return ArrayError(ErrorClass::kAuth, "login at " + host_, "no x-auth-token in the answer");
  return Login{version, token, 0};
}

absl::StatusOr<Session::Login> Session::EnsureLogin(const Scope& scope, int64_t older_than) {
  const auto current = [&]() -> std::optional<Login> {
    const std::lock_guard lock(state_mutex_);
    return login_ && login_->generation >= older_than ? login_ : std::nullopt;
  };
  if (auto login = current()) return *std::move(login);
  const std::lock_guard one_at_a_time(login_mutex_);
  if (auto login = current()) return *std::move(login);
  PROTECTOR_ASSIGN_OR_RETURN(Login login, Connect(scope));
  const std::lock_guard lock(state_mutex_);
  login.generation = ++generations_;
  login_ = login;
  return login;
}

absl::StatusOr<json::Value> Session::Call(const Scope& scope, const ArrayRequest& request) {
  int64_t wanted = 0;
  for (int round = 0;; ++round) {
    PROTECTOR_ASSIGN_OR_RETURN(const Login login, EnsureLogin(scope, wanted));
    PROTECTOR_ASSIGN_OR_RETURN(const http::Response response, Exchange(scope, request, "/api/" + login.version.Text(),
                                                                       {{"x-auth-token", login.token}}));
    if (response.status != 401 || round == 1) return Body(response, request);
    wanted = login.generation + 1;  // somebody else may have renewed it meanwhile
  }
}

absl::StatusOr<RestVersion> Session::Version(const Scope& scope) {
  PROTECTOR_ASSIGN_OR_RETURN(const Login login, EnsureLogin(scope, 0));
  return login.version;
}

absl::StatusOr<std::vector<json::Value>> Session::List(const Scope& scope, const std::string& path, const Query& query,
                                                       RestVersion tokens_since) {
  PROTECTOR_ASSIGN_OR_RETURN(const RestVersion version, Version(scope));
  const bool by_token = version >= tokens_since;
  std::vector<json::Value> items;
  std::string token;
  while (true) {
    ArrayRequest page{.path = path, .query = query};
    page.query.Add("limit", std::to_string(options_.page_size));
    page.query.AddIf(!token.empty(), "continuation_token", token);
    page.query.AddIf(token.empty() && !items.empty(), "offset", std::to_string(items.size()));
    PROTECTOR_ASSIGN_OR_RETURN(const json::Value answer, Call(scope, page));
    const json::Value::Items& found = answer.GetItems("items");
    items.insert(items.end(), found.begin(), found.end());
    // A page that is empty although more is announced would never end.
    if (!answer.GetBoolOr("more_items_remaining", false) || found.empty()) return items;
    token = by_token ? answer.GetStringOr("continuation_token", "") : "";
  }
}

}  // namespace protector::storage::flasharray
