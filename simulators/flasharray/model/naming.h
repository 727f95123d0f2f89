// The array's rules for names, and the vendor's texts when they are broken.
//
// Threads: pure functions. Ownership: none. Failure: the Check functions throw ApiError with the vendor's text.
#pragma once

#include <string>

namespace protector::fasim {

// "pod::vgroup/base": each part may be empty but the last.
struct VolumeName {
  std::string pod, vgroup, base;
  std::string Prefix() const;
  std::string Full() const { return Prefix() + base; }
};
VolumeName ParseVolumeName(const std::string& full);

// "pod::base" of groups.
struct PodName {
  std::string pod, base;
};
PodName ParsePodName(const std::string& full);

bool IsPlainName(const std::string& base);
bool IsSuffix(const std::string& suffix);

void CheckVolumeName(const std::string& full);
void CheckPlainName(const std::string& kind, const std::string& full, const std::string& base);
void CheckSuffix(const std::string& context, const std::string& suffix);

}  // namespace protector::fasim
