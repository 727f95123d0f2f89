#pragma once
// The errors of site-registry, each made in one place, with the reasons that site.proto promises.
//
// Threads: pure. Failure: none.

#include <string>

#include "absl/status/status.h"

namespace protector::site_registry {

absl::Status SiteNotFound(const std::string& site);
absl::Status SiteExists(const std::string& site);
absl::Status SiteInUse(const std::string& site, int mappings);
absl::Status EtagMismatch(const std::string& site);
absl::Status MappingNotFound(const std::string& id);
absl::Status MappingExists(const std::string& what);
absl::Status RemoteUnreachable(const std::string& site, const std::string& address, const absl::Status& cause);
absl::Status Invalid(const std::string& object, const std::string& message, const std::string& remedy);

}  // namespace protector::site_registry
