#include "libs/grpc/access.h"

#include <fmt/format.h>

#include <algorithm>

#include "libs/base/error.h"

namespace protector::rpc {

Access ByMethod(const std::vector<std::pair<std::set<Caller>, std::vector<std::string>>>& rows) {
  Access access;
  for (const auto& [callers, methods] : rows) {
    for (const std::string& method : methods) access[method].insert(callers.begin(), callers.end());
  }
  return access;
}

absl::Status MayCall(const Access& access, const std::string& method, const std::optional<Identity>& caller,
                     const std::string& site) {
  if (!caller) {
    return Error(absl::StatusCode::kUnauthenticated, "CALLER_UNKNOWN",
                 "the caller's certificate does not say which program of which site it is")
        .Object("method " + method)
        .Remedy("Call with a certificate that `protector-pki issue` made.");
  }
  const auto entry = access.find(method.substr(method.rfind('/') + 1));
  const auto allowed = [&](const Caller& one) {
    return one.program == caller->program &&
           (one.where == Caller::Where::kAnySite || (one.where == Caller::Where::kSameSite) == (caller->site == site));
  };
  if (entry != access.end() && std::any_of(entry->second.begin(), entry->second.end(), allowed)) {
    return absl::OkStatus();
  }
  return Error(absl::StatusCode::kPermissionDenied, "CALLER_NOT_ALLOWED",
               fmt::format("{} may not call {}", caller->Name(), method))
      .Object("method " + method)
      .Remedy(
          "Check that each program has the certificate that was made for it; docs/security.md lists who may call what.");
}

}  // namespace protector::rpc
