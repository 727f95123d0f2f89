#pragma once
// Which programs may call which methods of a service, by what their certificates prove (identity.h). Whether the *user*
// behind a call may do what is asked is decided later and elsewhere.
//
// Threads: values. Failure: CALLER_UNKNOWN (UNAUTHENTICATED), CALLER_NOT_ALLOWED (PERMISSION_DENIED).

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "libs/grpc/identity.h"

namespace protector::rpc {

// A program, of the service's own site, of the other ones, or of any.
struct Caller {
  enum class Where { kAnySite, kSameSite, kOtherSite };
  std::string program;
  Where where = Where::kAnySite;
  auto operator<=>(const Caller&) const = default;
};

inline Caller Everywhere(const std::string& program) {
  return {program, Caller::Where::kAnySite};
}
inline Caller Here(const std::string& program) {
  return {program, Caller::Where::kSameSite};
}
inline Caller There(const std::string& program) {
  return {program, Caller::Where::kOtherSite};
}

// Method ("GetSite"; unique among all services of a program) to its callers. A method that is not among them is called
// by nobody.
using Access = std::map<std::string, std::set<Caller>>;

// The same from rows of callers with the methods that they share.
Access ByMethod(const std::vector<std::pair<std::set<Caller>, std::vector<std::string>>>& rows);

// OK: `caller` may call `method` ("GetSite" or "SiteRegistryService/GetSite") of a service of `site`. `caller` is
// nullopt when it proved nothing.
absl::Status MayCall(const Access& access, const std::string& method, const std::optional<Identity>& caller,
                     const std::string& site);

}  // namespace protector::rpc
