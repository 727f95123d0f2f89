#include "libs/http/client.h"

#include <fmt/format.h>
#include <strings.h>

#include "absl/strings/cord.h"
#include "absl/types/optional.h"

namespace protector::http {
namespace {

constexpr char kOutcomeUrl[] = "protector/http-outcome";
constexpr char kRetryDelayUrl[] = "protector/retry-delay-ms";

std::string Payload(const absl::Status& status, const char* url) {
  const absl::optional<absl::Cord> cord = status.GetPayload(url);
  return cord.has_value() ? std::string(*cord) : std::string();
}

}  // namespace

std::string Response::Header(const std::string& name) const {
  for (const auto& [key, value] : headers) {
    if (strcasecmp(key.c_str(), name.c_str()) == 0) return value;
  }
  return {};
}

absl::Status WithOutcome(const absl::Status& status, Outcome outcome) {
  absl::Status result = status;
  if (outcome == Outcome::kNone) {
    result.ErasePayload(kOutcomeUrl);
  } else {
    result.SetPayload(kOutcomeUrl, absl::Cord(outcome == Outcome::kNotSent ? "not-sent" : "unknown"));
  }
  return result;
}

Outcome OutcomeOf(const absl::Status& status) {
  const std::string text = Payload(status, kOutcomeUrl);
  if (text == "not-sent") return Outcome::kNotSent;
  return text == "unknown" ? Outcome::kUnknown : Outcome::kNone;
}

absl::Status WithRetryDelay(const absl::Status& status, absl::Duration delay) {
  absl::Status result = status;
  result.SetPayload(kRetryDelayUrl, absl::Cord(fmt::format("{}", absl::ToInt64Milliseconds(delay))));
  return result;
}

absl::Duration RetryDelayOf(const absl::Status& status) {
  const std::string text = Payload(status, kRetryDelayUrl);
  return text.empty() ? absl::ZeroDuration() : absl::Milliseconds(std::strtoll(text.c_str(), nullptr, 10));
}

std::string Redacted(std::string text, const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    if (secret.size() < 4) continue;
    for (size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
      text.replace(at, secret.size(), "***");
    }
  }
  return text;
}

std::string UrlEncode(const std::string& text) {
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    encoded += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

std::string HostOf(const std::string& url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string::npos || (url.rfind("http://", 0) != 0 && url.rfind("https://", 0) != 0)) return {};
  const size_t begin = scheme + 3;
  const std::string authority = url.substr(begin, url.find_first_of("/?#", begin) - begin);
  const size_t at = authority.rfind('@');
  return at == std::string::npos ? authority : authority.substr(at + 1);
}

}  // namespace protector::http
