// Passwords and credential secrets are kept as "salt$sha256(salt+secret)". Threads: any. Failure: none.
#pragma once

#include <string>

#include "simulators/openstack/core/util.h"

namespace protector::ossim {

inline std::string HideSecret(const std::string& secret) {
  std::string salt = NewHexId().substr(0, 8);
  return salt + "$" + Sha256Hex(salt + secret);
}

inline bool SecretFits(const std::string& hidden, const std::string& secret) {
  if (hidden.size() < 9) return false;
  std::string salt = hidden.substr(0, 8);
  return hidden == salt + "$" + Sha256Hex(salt + secret);
}

}  // namespace protector::ossim
