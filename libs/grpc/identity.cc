#include "libs/grpc/identity.h"

#include <fmt/format.h>

#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace protector::rpc {

namespace {
constexpr char kPrefix[] = "spiffe://protector/";
}  // namespace

std::string Identity::Uri() const {
  return fmt::format("{}{}/{}", kPrefix, site, program);
}

std::string Identity::Name() const {
  if (empty()) return "nobody";
  return fmt::format("{} of {}", program.empty() ? "any program" : program, site.empty() ? "any site" : site);
}

std::optional<Identity> ParseIdentity(const std::string& uri) {
  absl::string_view rest = uri;
  if (!absl::ConsumePrefix(&rest, kPrefix)) return std::nullopt;
  const std::vector<std::string> parts = absl::StrSplit(rest, '/');
  if (parts.size() != 2 || parts[0].empty() || parts[1].empty()) return std::nullopt;
  return Identity{parts[0], parts[1]};
}

bool Answers(const Identity& found, const Identity& wanted) {
  return (wanted.site.empty() || found.site == wanted.site) &&
         (wanted.program.empty() || found.program == wanted.program);
}

}  // namespace protector::rpc
