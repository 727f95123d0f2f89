#include "libs/grpc/user.h"

#include <algorithm>

#include "absl/strings/match.h"

namespace protector::rpc {

bool User::HasRole(const std::string& role) const {
  return std::any_of(roles.begin(), roles.end(),
                     [&](const std::string& own) { return absl::EqualsIgnoreCase(own, role); });
}

}  // namespace protector::rpc
