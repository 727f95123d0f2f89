#include "cli/protector/client/report.h"

#include <fmt/format.h>

#include "cli/protector/output/text_width.h"
#include "libs/base/error.h"

namespace protector::cli {
namespace {

// Further lines of a text begin under the first one.
std::string Indented(const std::string& text, size_t indent) {
  std::string out;
  for (char c : Printable(text)) {
    out += c;
    if (c == '\n') out += std::string(indent, ' ');
  }
  return out;
}

}  // namespace

std::string ErrorText(const absl::Status& status) {
  const ErrorDetail detail = DetailOf(status);
  std::string message = MessageOf(status);
  if (message.empty()) message = absl::StatusCodeToString(status.code());
  std::string out = "ERROR: " + Indented(message, 2) + "\n";
  const auto line = [&](const char* name, const std::string& text) {
    if (!text.empty()) out += fmt::format("  {:<8}{}\n", name, Indented(text, 10));
  };
  line("object:", detail.object);
  line("site:", detail.site);
  if (detail.reason != "USAGE")
    line("reason:", detail.reason.empty() ? absl::StatusCodeToString(status.code()) : detail.reason);
  line("remedy:", detail.remedy);
  return out;
}

}  // namespace protector::cli
