#include "libs/openstack/errors.h"

#include <fmt/format.h>

#include <algorithm>

#include "libs/base/error.h"
#include "libs/http/retry.h"
#include "libs/json/json.h"

namespace protector::openstack {
namespace {

using absl::StatusCode;

struct Meaning {
  StatusCode code;
  const char* reason;
  const char* remedy;
};

constexpr size_t kMaxText = 600;

// In upper or lower case.
bool Mentions(const std::string& text, const std::string& words) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
  };
  return std::search(text.begin(), text.end(), words.begin(), words.end(), same) != text.end();
}

bool MentionsAny(const std::string& text, std::initializer_list<const char*> candidates) {
  return std::any_of(candidates.begin(), candidates.end(),
                     [&text](const char* words) { return Mentions(text, words); });
}

constexpr Meaning kQuota = {StatusCode::kResourceExhausted, "QUOTA_EXCEEDED",
                            "Raise the project's quota on this site or free what it no longer needs, then retry."};
constexpr Meaning kBusy = {StatusCode::kAborted, "OBJECT_BUSY",
                           "Another action on it is under way; try again when it has ended."};
constexpr Meaning kWrongState = {StatusCode::kFailedPrecondition, "WRONG_STATE",
                                 "Bring it into the state that the message asks for, then retry."};

Meaning OfConflict(const std::string& text, const std::string& type) {
  if (type == "OverQuota" || Mentions(text, "quota exceeded")) return kQuota;
  if (type == "IpAddressGenerationFailure" || Mentions(text, "No more IP addresses")) {
    return {StatusCode::kResourceExhausted, "ADDRESSES_EXHAUSTED",
            "Enlarge the subnet's allocation pool or free addresses."};
  }
  if (MentionsAny(type, {"IpAddressInUse", "IpAddressAlreadyAllocated", "MacAddressInUse"})) {
    return {StatusCode::kAlreadyExists, "ADDRESS_IN_USE",
            "Find the port that has the address and delete it, or ask for another address."};
  }
  if (Mentions(text, "is locked")) {
    return {StatusCode::kFailedPrecondition, "LOCKED", "Unlock the server first (openstack server unlock)."};
  }
  if (Mentions(text, "already exists") || Mentions(type, "Duplicate")) {
    return {StatusCode::kAlreadyExists, "ALREADY_EXISTS", "Use the one that exists or choose another name."};
  }
  if (MentionsAny(text, {"task_state", "is in use by another", "try again", "retry"})) return kBusy;
  return kWrongState;
}

Meaning OfBadRequest(const std::string& service, const std::string& text) {
  if (Mentions(text, "quota exceeded")) return kQuota;
  if (service == "cinder" &&
      MentionsAny(text, {"Invalid volume:", "status must be", "must not be", "Volume is in use"})) {
    return kWrongState;
  }
  return {StatusCode::kInvalidArgument, "BAD_REQUEST", "The message says what the service does not accept."};
}

Meaning MeaningOf(const std::string& service, const http::Response& response, const std::string& text,
                  const std::string& type) {
  switch (response.status) {
    case 400:
      return OfBadRequest(service, text);
    case 401:
      return {StatusCode::kUnauthenticated, "NOT_AUTHENTICATED",
              "Check user name, password or application credential, their domains, and that the user is enabled."};
    case 403:
      if (MentionsAny(text, {"quota exceeded", "quota limit", "limit exceeded"})) return kQuota;
      return {StatusCode::kPermissionDenied, "FORBIDDEN",
              "Give the user the role that the service's policy asks for on this project (admin for importing and "
              "releasing volumes)."};
    case 404:
      return {StatusCode::kNotFound, "NOT_FOUND", "Check the name or id and the project that it is in."};
    case 406:
    case 501:
      return {StatusCode::kUnimplemented, "NOT_SUPPORTED", "The service on this site is too old for this call."};
    case 409:
      return OfConflict(text, type);
    case 412:
      return {StatusCode::kAborted, "CHANGED_MEANWHILE", "Somebody else changed it; read it again and retry."};
    case 413:
      return kQuota;
    case 429:
      return {StatusCode::kUnavailable, "RATE_LIMITED", "The service asks for fewer calls; it is tried again later."};
    case 502:
    case 503:
    case 504:
      return {StatusCode::kUnavailable, "SERVICE_UNAVAILABLE",
              "Check that the service runs on this site and look into its log."};
    default:
      return {StatusCode::kInternal, "SERVICE_ERROR",
              "Look for the request id in the log of the service on this site."};
  }
}

// On one line, and not too long of it.
std::string Clean(const std::string& text) {
  std::string clean;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (!space) clean += c;
    if (space && !clean.empty() && clean.back() != ' ') clean += ' ';
  }
  while (!clean.empty() && clean.back() == ' ') clean.pop_back();
  if (clean.size() > kMaxText) clean.resize(kMaxText);
  return clean;
}

// The words of a page that a proxy made.
std::string WithoutTags(const std::string& text) {
  std::string plain;
  bool tag = false;
  for (const char c : text) {
    if (c == '<') tag = true;
    plain += tag ? ' ' : c;
    if (c == '>') tag = false;
  }
  return plain;
}

std::string ErrorType(const http::Response& response) {
  const absl::StatusOr<json::Value> body = json::Parse(response.body);
  return body.ok() ? body->GetStringOr("NeutronError.type", "") : "";
}

}  // namespace

std::string ServiceText(const http::Response& response) {
  const absl::StatusOr<json::Value> body = json::Parse(response.body);
  if (!body.ok()) return Clean(WithoutTags(response.body));
  if (const auto text = body->GetString("message")) return Clean(*text);
  if (const auto text = body->GetString("errors.0.detail")) return Clean(*text);
  for (const auto& [kind, error] : body->members()) {  // {"itemNotFound": {"message": ..., "code": 404}}
    if (const auto text = error.GetString("message")) return Clean(*text);
    if (error.IsString()) return Clean(*error.AsString());
  }
  return "";
}

absl::Status StatusFrom(const http::Response& response, const Asked& asked, absl::Time now) {
  const std::string text = http::Redacted(ServiceText(response), asked.secrets);
  const Meaning meaning = MeaningOf(asked.service, response, text, ErrorType(response));
  std::string request_id = response.Header("x-openstack-request-id");
  if (request_id.empty()) request_id = response.Header("x-compute-request-id");
  absl::Status status =
      Error(meaning.code, meaning.reason,
            fmt::format("{}: {}: {} (HTTP {}{})", asked.service, asked.object, text.empty() ? "no explanation" : text,
                        response.status, request_id.empty() ? "" : ", " + request_id))
          .Object(asked.object)
          .Remedy(meaning.remedy);
  status = WithAnswer(status, response.status, request_id);
  const absl::Duration delay = http::RetryAfter(response, now);
  if (delay > absl::ZeroDuration()) status = http::WithRetryDelay(status, std::min(delay, absl::Hours(24)));
  const bool broken = response.status >= 500 && response.status != 501;
  const bool did_nothing = response.status == 503 && delay > absl::ZeroDuration();
  return asked.change && broken && !did_nothing ? http::WithOutcome(status, http::Outcome::kUnknown) : status;
}

absl::Status StatusFrom(const absl::Status& failure, const Asked& asked) {
  return Annotate(failure, fmt::format("{}: {}", asked.service, asked.object));
}

}  // namespace protector::openstack
