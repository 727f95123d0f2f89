#include "simulators/flasharray/model/naming.h"

#include <fmt/format.h>

#include <algorithm>

#include "simulators/flasharray/base/types.h"

namespace protector::fasim {
namespace {

constexpr std::size_t kLongest = 63;

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsAlnum(char c) {
  return IsLetter(c) || IsDigit(c);
}

bool Follows(const std::string& text, bool underscore) {
  if (text.empty() || text.size() > kLongest || !IsAlnum(text.front()) || !IsAlnum(text.back())) return false;
  const auto allowed = [&](char c) { return IsAlnum(c) || c == '-' || (underscore && c == '_'); };
  return std::all_of(text.begin(), text.end(), allowed) &&
         std::any_of(text.begin(), text.end(), [](char c) { return !IsDigit(c); });
}

}  // namespace

std::string VolumeName::Prefix() const {
  return (pod.empty() ? "" : pod + "::") + (vgroup.empty() ? "" : vgroup + "/");
}

VolumeName ParseVolumeName(const std::string& full) {
  VolumeName name;
  std::string rest = full;
  if (const auto at = rest.find("::"); at != std::string::npos) {
    name.pod = rest.substr(0, at);
    rest = rest.substr(at + 2);
  }
  if (const auto at = rest.find('/'); at != std::string::npos) {
    name.vgroup = rest.substr(0, at);
    rest = rest.substr(at + 1);
  }
  name.base = rest;
  return name;
}

PodName ParsePodName(const std::string& full) {
  const auto at = full.find("::");
  if (at == std::string::npos) return {"", full};
  return {full.substr(0, at), full.substr(at + 2)};
}

bool IsPlainName(const std::string& base) {
  return Follows(base, true);
}
bool IsSuffix(const std::string& suffix) {
  return Follows(suffix, false);
}

void CheckPlainName(const std::string& kind, const std::string& full, const std::string& base) {
  if (IsPlainName(base)) return;
  throw ApiError(full,
                 fmt::format("{} name must be between 1 and 63 characters (alphanumeric, _ and -), begin and end with "
                             "a letter or number, and include at least one letter, _, or -.",
                             kind));
}

void CheckVolumeName(const std::string& full) {
  CheckPlainName("Volume", full, ParseVolumeName(full).base);
}

void CheckSuffix(const std::string& context, const std::string& suffix) {
  if (IsSuffix(suffix)) return;
  throw ApiError(
      context,
      "Snapshot suffix must be between 1 and 63 characters (alphanumeric and '-'), begin and end with a letter or "
      "number, and must include at least one letter or '-'.");
}

}  // namespace protector::fasim
