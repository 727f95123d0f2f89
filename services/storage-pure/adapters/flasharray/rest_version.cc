#include "services/storage-pure/adapters/flasharray/rest_version.h"

#include <fmt/format.h>

#include <charconv>

#include "libs/base/error.h"

namespace protector::storage::flasharray {

std::string RestVersion::Text() const {
  return fmt::format("{}.{}", major, minor);
}

std::optional<RestVersion> ParseVersion(const std::string& text) {
  RestVersion version;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, version.major);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '.') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, version.minor);
  if (second.ec != std::errc() || second.ptr != end) return std::nullopt;
  return version;
}

absl::StatusOr<RestVersion> Negotiate(const std::vector<std::string>& offered) {
  std::optional<RestVersion> best;
  std::optional<RestVersion> highest;
  for (const std::string& text : offered) {
    const std::optional<RestVersion> version = ParseVersion(text);
    if (!version) continue;
    if (!highest || *highest < *version) highest = version;
    if (*version < kOldest || kNewest < *version) continue;
    if (!best || *best < *version) best = version;
  }
  if (best) return *best;
  return Error(absl::StatusCode::kFailedPrecondition, "ARRAY_VERSION",
               fmt::format("the array offers REST up to {}, this program needs one of {} to {}",
                           highest ? highest->Text() : "none", kOldest.Text(), kNewest.Text()))
      .Remedy("Upgrade the array's Purity (6.1.0 or later has REST 2.4).");
}

}  // namespace protector::storage::flasharray
