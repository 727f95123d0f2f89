#pragma once
// Finding a group, and asking the right site for a change of it: changes are made by the primary site's orchestrator,
// whichever site's credentials are used.
//
// Threads: from one thread. Failure: the service's error; where the site that has to decide is gone,
// REMOTE_SITE_UNREACHABLE with the ways out.

#include <string>

#include "cli/protector/client/orchestrators.h"
#include "cli/protector/client/sites.h"
#include "cli/protector/commands/context.h"
#include "libs/base/error.h"

namespace protector::cli {

struct FoundGroup {
  op_pb::Group group;
  SiteAddress answered_by;  // the local site, or another one when the local orchestrator is gone

  const group_pb::GroupDocument& document() const { return group.document(); }
  // The other site of the group.
  std::string OtherThan(const std::string& site) const {
    return document().home_site() == site ? document().peer_site() : document().home_site();
  }
};

// By name or id, from the local site's metadata.
absl::StatusOr<FoundGroup> FindGroup(Context& context, Session& session, const std::string& name);

// The positional argument "group", checked.
absl::StatusOr<std::string> GroupArgument(const Context& context);

// The group's project at a site, as its document says.
ProjectRef ProjectOf(const group_pb::GroupDocument& document, const std::string& site);
void SetProject(const ProjectRef& project, op_pb::Project* out);

// Is this the error of a service that did not answer?
bool NoAnswer(const absl::Status& status);
// The site that another site's answer says should be asked instead (reasons NOT_PRIMARY, NOT_TARGET_SITE); empty: none.
std::string SiteToAskInstead(const absl::Status& status);

// A change that needs `site`, which does not answer. `group` is for the remedy.
absl::Status RemoteUnreachable(const absl::Status& status, const std::string& site, const std::string& group,
                               const std::string& remedy);

// Asks the group's primary site. The request gets the group's id and its project there; it is asked of another site
// once if the first one says so (the local metadata may be old).
template <typename Request, typename Response>
absl::StatusOr<Response> AskPrimary(Context& context, Session& session, const FoundGroup& found,
                                    ::grpc::Status (op_pb::GroupService::StubInterface::*method)(::grpc::ClientContext*,
                                                                                                 const Request&,
                                                                                                 Response*),
                                    const char* name, Request request, absl::Duration timeout) {
  std::string site = found.document().primary_site();
  request.set_group(found.document().id());
  for (bool again = false;; again = true) {
    PROTECTOR_ASSIGN_OR_RETURN(const SiteAddress address, FindSite(session, site));
    CallHow how;
    how.project = ProjectOf(found.document(), site);
    how.timeout = timeout;
    how.idempotent = false;
    SetProject(how.project, request.mutable_project());
    if constexpr (requires { request.set_request_id(std::string()); }) {
      PROTECTOR_ASSIGN_OR_RETURN(how.request_id, context.RequestId());
      request.set_request_id(how.request_id);
      how.idempotent = true;  // the request id makes a repeat answer as the first one did
    }
    absl::StatusOr<Response> response = session.Call<op_pb::GroupService>(address, method, name, request, how);
    if (response.ok()) return response;
    const std::string instead = SiteToAskInstead(response.status());
    if (!again && !instead.empty() && instead != site) {
      site = instead;
      continue;
    }
    if (NoAnswer(response.status())) return RemoteUnreachable(response.status(), site, found.document().name(), "");
    return response;
  }
}

}  // namespace protector::cli
