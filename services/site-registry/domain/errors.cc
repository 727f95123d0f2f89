#include "services/site-registry/domain/errors.h"

#include <fmt/format.h>

#include "libs/base/error.h"

namespace protector::site_registry {
namespace {

using Code = absl::StatusCode;

}  // namespace

absl::Status SiteNotFound(const std::string& site) {
  return Error(Code::kNotFound, "SITE_NOT_FOUND", fmt::format("site {} is not registered", site))
      .Object("site " + site)
      .Remedy("Register it with `protector site create`; `protector site list` shows the sites there are.");
}

absl::Status SiteExists(const std::string& site) {
  return Error(Code::kAlreadyExists, "SITE_EXISTS", fmt::format("site {} is registered already", site))
      .Object("site " + site)
      .Remedy("Change it with `protector site set`, or choose another name.");
}

absl::Status SiteInUse(const std::string& site, int mappings) {
  return Error(Code::kFailedPrecondition, "SITE_IN_USE",
               fmt::format("site {} is named by {} tenant mapping{}", site, mappings, mappings == 1 ? "" : "s"))
      .Object("site " + site)
      .Remedy("Delete the mappings first, or delete the site with --force, which deletes them too.");
}

absl::Status EtagMismatch(const std::string& site) {
  return Error(Code::kAborted, "ETAG_MISMATCH", fmt::format("site {} was changed by someone else", site))
      .Object("site " + site)
      .Remedy("Look at it again and repeat the change.");
}

absl::Status MappingNotFound(const std::string& id) {
  return Error(Code::kNotFound, "TENANT_MAPPING_NOT_FOUND", fmt::format("no tenant mapping {}", id))
      .Object("tenant mapping " + id)
      .Remedy("`protector tenant-mapping list` shows the mappings there are.");
}

absl::Status MappingExists(const std::string& what) {
  return Error(Code::kAlreadyExists, "TENANT_MAPPING_EXISTS", what)
      .Object("tenant mapping")
      .Remedy("Delete the other mapping first; a project has one counterpart on the other site.");
}

absl::Status RemoteUnreachable(const std::string& site, const std::string& address, const absl::Status& cause) {
  return Error(Code::kUnavailable, "REMOTE_SITE_UNREACHABLE",
               fmt::format("the site-registry of {} at {} does not answer: {}", site, address, MessageOf(cause)))
      .Object("site " + site)
      .Site(site)
      .Remedy(fmt::format(
          "Restore the connection to {0} or start its services, then try again; ask {0} itself if it can be "
          "reached from elsewhere.",
          site));
}

absl::Status Invalid(const std::string& object, const std::string& message, const std::string& remedy) {
  return Error(Code::kInvalidArgument, "INVALID_ARGUMENT", message).Object(object).Remedy(remedy);
}

}  // namespace protector::site_registry
