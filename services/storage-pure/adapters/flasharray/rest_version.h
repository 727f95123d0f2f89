#pragma once
// REST versions: which one is spoken with an array, and what each of them has. Requests carry only parameters and
// bodies that the version in use knows, because an array may refuse others.
//
// Threads: values and pure functions. Failure: Negotiate says which versions both sides have.

#include <compare>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace protector::storage::flasharray {

struct RestVersion {
  int major = 0;
  int minor = 0;
  auto operator<=>(const RestVersion&) const = default;
  std::string Text() const;
};

std::optional<RestVersion> ParseVersion(const std::string& text);

// The newest that we know and the oldest that has what we need (array connections, replicate_now).
inline constexpr RestVersion kOldest{2, 4};
inline constexpr RestVersion kNewest{2, 26};

// What came after kOldest, and is used where it is there.
inline constexpr RestVersion kVolumeIds{2, 9};           // volume ids in connections and memberships
inline constexpr RestVersion kDefaultProtection{2, 16};  // with_default_protection
inline constexpr RestVersion kArrayClock{2, 26};         // arrays._as_of
inline constexpr RestVersion kTransferTokens{2, 29};     // continuation_token on transfers
inline constexpr RestVersion kTokensEverywhere{2, 38};   // continuation_token on connections of arrays, links

// The highest common one of kOldest..kNewest; `offered` is what /api/api_version gave, in any order.
absl::StatusOr<RestVersion> Negotiate(const std::vector<std::string>& offered);

}  // namespace protector::storage::flasharray
