#include "cli/protector/args/input.h"

#include <fmt/format.h>

#include <cctype>
#include <charconv>

#include "cli/protector/args/usage.h"
#include "cli/protector/output/text_width.h"
#include "libs/base/ids.h"

namespace protector::cli {
namespace {

constexpr size_t kLongestWord = 65536;
constexpr size_t kLongestName = 255;

std::string Quote(const std::string& text) {
  return "'" + Shorten(Printable(text), 60) + "'";
}

}  // namespace

absl::Status CheckWords(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word.size() > kLongestWord) {
      return UsageError(fmt::format("the word {} has {} bytes", Quote(word), word.size()))
          .Remedy(fmt::format("No name, id or text may be longer than {} bytes.", kLongestWord));
    }
    if (!word.empty() && !IsPrintableUtf8(word)) {
      return UsageError(fmt::format("the word {} is not valid UTF-8 or holds control characters", Quote(word)))
          .Remedy("Names and texts are UTF-8; check the terminal's encoding, or use the object's id.");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckReference(const std::string& what, const std::string& text) {
  if (text.find_first_not_of(' ') == std::string::npos)
    return UsageError(fmt::format("the {} is empty", what)).Remedy("Give its name or id.");
  if (text.size() > kLongestName) {
    return UsageError(fmt::format("the {} {} has {} bytes", what, Quote(text), text.size()))
        .Remedy(fmt::format("Names and ids have at most {} bytes.", kLongestName));
  }
  return absl::OkStatus();
}

absl::Status CheckNewName(const std::string& what, const std::string& text) {
  if (IsResourceName(text)) return absl::OkStatus();
  return UsageError(fmt::format("{} cannot be the name of a {}", Quote(text), what))
      .Remedy("A name has 1 to 63 letters, digits, '.', '_' or '-' and begins with a letter or digit.");
}

absl::Status CheckText(const std::string& what, const std::string& text, size_t limit) {
  if (text.size() <= limit) return absl::OkStatus();
  return UsageError(fmt::format("the {} has {} bytes", what, text.size()))
      .Remedy(fmt::format("It may have at most {}.", limit));
}

absl::Status CheckUuid(const std::string& what, const std::string& text) {
  if (IsUuid(text)) return absl::OkStatus();
  return UsageError(fmt::format("{} {} is not a UUID", what, Quote(text)))
      .Remedy("Make one with `uuidgen`, or leave the option out.");
}

absl::Status CheckEndpoint(const std::string& what, const std::string& text) {
  const size_t colon = text.rfind(':');
  int port = 0;
  if (colon != std::string::npos && colon > 0) {
    const auto [end, error] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
    if (error == std::errc() && end == text.data() + text.size() && port > 0 && port < 65536) return absl::OkStatus();
  }
  return UsageError(fmt::format("{} has to be HOST:PORT, not {}", what, Quote(text)))
      .Remedy("For example 127.0.10.1:7101.");
}

absl::Status CheckUrl(const std::string& what, const std::string& text) {
  for (const std::string scheme : {"http://", "https://"}) {
    if (text.starts_with(scheme) && text.size() > scheme.size() && text[scheme.size()] != '/' &&
        text.find(' ') == std::string::npos) {
      return absl::OkStatus();
    }
  }
  return UsageError(fmt::format("{} has to be an http or https URL, not {}", what, Quote(text)))
      .Remedy("For example http://127.0.10.1:5000/v3.");
}

absl::StatusOr<SiteProject> ParseSiteProject(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    return UsageError(fmt::format("{} is not of the form SITE=PROJECT", Quote(text)))
        .Remedy("For example site-a=demo.");
  }
  SiteProject parsed{text.substr(0, equals), text.substr(equals + 1)};
  PROTECTOR_RETURN_IF_ERROR(CheckReference("site", parsed.site));
  PROTECTOR_RETURN_IF_ERROR(CheckReference("project", parsed.project));
  return parsed;
}

}  // namespace protector::cli
