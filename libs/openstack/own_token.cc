#include "libs/openstack/own_token.h"

#include <fmt/format.h>

#include <algorithm>

#include "libs/base/error.h"
#include "libs/json/json.h"
#include "libs/openstack/token.h"

namespace protector::openstack {
namespace {

constexpr int kTries = 2;

absl::Status Unreachable(const std::string& auth_url, const std::string& why) {
  return Error(absl::StatusCode::kUnavailable, "KEYSTONE_UNREACHABLE",
               fmt::format("who makes the call cannot be found out: Keystone at {} {}", http::HostOf(auth_url), why))
      .Object("keystone " + http::HostOf(auth_url))
      .Remedy("Bring Keystone back; without it nobody can log in at this site.");
}

bool IsToken(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

}  // namespace

absl::StatusOr<TokenInfo> AskAboutToken(http::HttpClient& http, const std::string& auth_url, const std::string& token,
                                        absl::Time deadline, const std::string& request_id) {
  const absl::Status refused =
      Error(absl::StatusCode::kUnauthenticated, "TOKEN_REFUSED", "Keystone does not know this token (any more)")
          .Object("keystone " + http::HostOf(auth_url))
          .Remedy(
              "Log in again with valid credentials; a token ends when it expires, is revoked, or its user's "
              "password or roles change.");
  if (!IsToken(token)) return refused;
  http::Request request;
  request.url = IdentityBase(auth_url) + "/auth/tokens?nocatalog";
  request.route = "/auth/tokens";
  request.headers = {{"X-Auth-Token", token}, {"X-Subject-Token", token}, {"Accept", "application/json"}};
  if (!request_id.empty()) request.headers.emplace_back("X-OpenStack-Request-ID", "req-" + request_id);
  request.deadline = deadline;
  absl::StatusOr<http::Response> answer = absl::UnavailableError("");
  for (int i = 0; i < kTries; ++i) {
    answer = http.Do(request);
    // A kept connection that Keystone has closed meanwhile fails once.
    if (answer.ok() || !absl::IsUnavailable(answer.status())) break;
  }
  if (!answer.ok()) return Unreachable(auth_url, "does not answer: " + MessageOf(answer.status()));
  if (answer->status == 401 || answer->status == 404) return refused;
  if (answer->status == 403) {
    return Error(absl::StatusCode::kFailedPrecondition, "KEYSTONE_POLICY",
                 "Keystone's policy does not let users validate their own tokens")
        .Object("keystone " + http::HostOf(auth_url))
        .Remedy("Allow rule:token_subject in identity:validate_token, as Keystone's default does.");
  }
  if (!answer->ok()) return Unreachable(auth_url, fmt::format("answers {}", answer->status));
  const absl::StatusOr<json::Value> body = json::Parse(answer->body);
  const absl::StatusOr<TokenInfo> info = body.ok() ? ParseTokenInfo(*body) : body.status();
  return info.ok() ? info : Unreachable(auth_url, "answers what is no token: " + MessageOf(info.status()));
}

}  // namespace protector::openstack
