#include "services/storage-pure/adapters/flasharray/errors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "libs/json/json.h"

namespace protector::storage::flasharray {
namespace {

struct TextRule {
  const char* text;  // lower case
  ErrorClass error_class;
};

// Order counts: the first text that is found decides.
constexpr std::array<TextRule, 16> kRules = {{
    {"does not exist", ErrorClass::kNotFound},
    {"no such volume or snapshot", ErrorClass::kNotFound},
    {"could not be found", ErrorClass::kNotFound},
    {"already exists", ErrorClass::kAlreadyExists},
    {"already includes", ErrorClass::kAlreadyExists},
    {"already belongs to", ErrorClass::kAlreadyExists},
    {"already allowed on", ErrorClass::kAlreadyExists},
    {"has been destroyed", ErrorClass::kConflict},
    {"existing connections", ErrorClass::kConflict},
    {"already in use", ErrorClass::kConflict},
    {"is connected", ErrorClass::kConflict},
    {"not promoted", ErrorClass::kConflict},
    {"baselining", ErrorClass::kConflict},
    {"limit reached", ErrorClass::kLimit},
    {"unable to list user", ErrorClass::kAuth},
    {"invalid session", ErrorClass::kAuth},
}};

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

std::string ErrorText(const std::string& body) {
  constexpr size_t kMaxPlain = 300;
  const absl::StatusOr<json::Value> parsed = json::Parse(body);
  if (!parsed.ok()) return body.substr(0, kMaxPlain);
  std::string text;
  for (const json::Value& error : parsed->GetItems("errors")) {
    const std::string context = error.GetStringOr("context", "");
    if (!text.empty()) text += "; ";
    text += (context.empty() ? "" : context + ": ") + error.GetStringOr("message", "(no message)");
  }
  if (!text.empty()) return text;
  return parsed->GetStringOr("message", "(no message)");  // a gateway in front of the array
}

ErrorClass Classify(int status, const std::string& text) {
  if (status == 401 || status == 403) return ErrorClass::kAuth;
  if (status == 429 || status >= 500) return ErrorClass::kTransient;
  const std::string lower = Lower(text);
  for (const TextRule& rule : kRules) {
    if (lower.find(rule.text) != std::string::npos) return rule.error_class;
  }
  return ErrorClass::kOther;
}

absl::Status StatusOf(const http::Response& response, const std::string& what) {
  const std::string text = ErrorText(response.body);
  absl::Status status =
      ArrayError(Classify(response.status, text), what, fmt::format("{} (HTTP {})", text, response.status));
  // An internal error may have come after the effect; "busy" says that nothing was done.
  const bool executed_perhaps = response.status >= 500 && response.status != 503;
  return executed_perhaps ? http::WithOutcome(status, http::Outcome::kUnknown) : status;
}

absl::Status LostCall(failpoint::When when, const std::string& point) {
  const bool before = when == failpoint::When::kBefore;
  return http::WithOutcome(ArrayError(ErrorClass::kTransient, point, "failpoint"),
                           before ? http::Outcome::kNotSent : http::Outcome::kUnknown);
}

}  // namespace protector::storage::flasharray
