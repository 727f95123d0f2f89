#pragma once
// The project of this site that a caller who is kept to one project means.
//
// Threads: as SitesPort. Failure: PROJECT_NOT_YOURS (PERMISSION_DENIED) when the request names another project, whether
// there is one of that name or not; TENANT_MAPPING_NOT_FOUND when the token is of the other site's Keystone and its
// project is not mapped to one of this site's.

#include <fmt/format.h>

#include <string>

#include "libs/base/error.h"
#include "services/orchestrator/ports/sites_port.h"

namespace protector::orchestrator {

// A request id that was used for a request of another project: nothing of that one is told.
inline absl::Status RequestIdUsed(const std::string& request_id) {
  return Error(absl::StatusCode::kPermissionDenied, "REQUEST_ID_USED",
               "this request id was used for another request, which is not this user's to see")
      .Object("request " + request_id)
      .Remedy("Give each request an id of its own.");
}

// `call.tenant` has to be there. `named`: what the request says; may be empty.
inline absl::StatusOr<std::string> TenantProject(SitesPort& sites, const Call& call, const op::Project& named) {
  const Tenant& tenant = *call.tenant;
  const std::string& here = sites.LocalSite();
  std::string own = tenant.project_id;
  if (tenant.site != here) {
    PROTECTOR_ASSIGN_OR_RETURN(own, sites.MappedProject(call, tenant.site, tenant.project_id, here));
  }
  const bool fits = !named.id().empty()    ? named.id() == own
                    : named.name().empty() ? true
                    : tenant.site != here  ? true  // names of the other site's projects are its own
                                           : named.name() == tenant.project_name || named.name() == own;
  if (fits) return own;
  const std::string asked = named.id().empty() ? named.name() : named.id();
  return Error(absl::StatusCode::kPermissionDenied, "PROJECT_NOT_YOURS",
               fmt::format("the token is for project {}, not for {}", tenant.project_name, asked))
      .Object("project " + asked)
      .Remedy("Use credentials of that project.");
}

}  // namespace protector::orchestrator
