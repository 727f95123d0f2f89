#include "libs/openstack/session.h"

#include <fmt/format.h>

#include <algorithm>

#include "libs/base/error.h"
#include "libs/http/observe.h"

namespace protector::openstack {
namespace {

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
    : cloud_(cloud),
      dependencies_(dependencies),
      versions_(std::move(versions)),
      tokens_(cloud, project_id, dependencies) {}

absl::StatusOr<std::string> Session::EndpointOf(const CallContext& call, Service service) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::shared_ptr<const Token> token, GetToken(call));
  return EndpointFor(service, cloud_, token->info.catalog);
}

absl::StatusOr<http::Response> Session::SendWithToken(const CallContext& call, http::Request request,
                                                      const Attempts& attempts, Asked& asked) {
  const std::string request_id = RequestIdFor(call, dependencies_);
  if (!request_id.empty()) request.headers.emplace_back("X-OpenStack-Request-ID", request_id);
  request.headers.emplace_back("Accept", "application/json");
  request.deadline = call.deadline;
  request.stop = call.stop;
  http::RetryPolicy policy = dependencies_.retry;
  if (attempts.once) policy.max_attempts = 1;
  const http::Watch watch = {dependencies_.observer, asked.service, request_id, call.purpose};
  for (bool renewed = false;; renewed = true) {
    PROTECTOR_ASSIGN_OR_RETURN(const std::shared_ptr<const Token> token, GetToken(call));
    http::Request authorised = request;
    authorised.headers.emplace_back("X-Auth-Token", token->value);
    asked.secrets.push_back(token->value);
    absl::StatusOr<http::Response> response =
        http::DoWithRetry(authorised, attempts.idempotency, policy, {dependencies_.clock, dependencies_.random},
                          [&](const http::Request& again, int attempt) {
                            return http::DoObserved(dependencies_.http, again, dependencies_.clock, watch, attempt);
                          });
    if (!response.ok()) return StatusFrom(response.status(), asked);
    if (response->status != 401 || renewed) return response;
    tokens_.Forget(token->value);  // revoked, or expired by the service's clock; nothing was done: it is sent once more
  }
}

absl::StatusOr<http::Response> Session::Read(const CallContext& call, Service service, const std::string& url,
                                             const std::string& object, bool once) {
  http::Request request;
  request.url = url;
  request.route = "/";
  Asked asked = {ServiceName(service), object, false, {}};
  absl::StatusOr<http::Response> response = SendWithToken(call, request, {http::Idempotency::kIdempotent, once}, asked);
  if (!response.ok() || response->ok() || response->status == 300) return response;
  return StatusFrom(*response, asked, dependencies_.clock.Now());
}

absl::StatusOr<std::optional<VersionRange>> Session::VersionsOf(const CallContext& call, Service service) {
  const std::optional<Microversion> known = NewestKnown(service);
  if (!known.has_value()) return std::optional<VersionRange>();
  if (const auto cached = versions_->Find(service)) return *cached;

  PROTECTOR_ASSIGN_OR_RETURN(const std::string endpoint, EndpointOf(call, service));
  const absl::StatusOr<http::Response> response =
      Read(call, service, VersionUrl(endpoint), "its versions", /*once=*/false);
  // The call that wanted to know them was not sent, whatever became of this one.
  if (!response.ok()) return http::WithOutcome(response.status(), http::Outcome::kNotSent);
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
  PROTECTOR_ASSIGN_OR_RETURN(const std::string endpoint, EndpointOf(call, api.service));
  http::Request request;
  request.method = api.method;
  request.url = endpoint + api.path + (api.query.empty() ? "" : "?" + api.query);
  request.route = api.route;
  request.headers = api.headers;
  if (version.has_value()) {
    const bool compute = api.service == Service::kCompute;
    request.headers.emplace_back("OpenStack-API-Version", (compute ? "compute " : "volume ") + version->ToString());
    if (compute) request.headers.emplace_back("X-OpenStack-Nova-API-Version", version->ToString());
  }
  if (api.body.has_value()) {
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = api.body->Dump();
  }
  Asked asked = {ServiceName(api.service), api.object, !IsRead(api.method), {}};
  for (const auto& [name, value] : api.headers) asked.secrets.push_back(value);
  absl::StatusOr<http::Response> response = SendWithToken(call, request, {api.idempotency, false}, asked);
  if (!response.ok() || response->ok()) return response;
  return StatusFrom(*response, asked, dependencies_.clock.Now());
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
