#include "cli/protector/commands/protection_group/group_calls.h"

#include <fmt/format.h>

#include "cli/protector/args/input.h"
#include "libs/base/error.h"

namespace protector::cli {
namespace {

using Groups = op_pb::GroupService;

absl::StatusOr<op_pb::Group> GetGroupAt(Session& session, const SiteAddress& site, const std::string& name) {
  op_pb::GetGroupRequest request;
  request.set_group(name);
  CallHow how;
  PROTECTOR_ASSIGN_OR_RETURN(how.project, ProjectAt(session, site));
  SetProject(how.project, request.mutable_project());
  return session.Call<Groups>(site, &Groups::StubInterface::GetGroup, "GetGroup", request, how);
}

}  // namespace

absl::StatusOr<FoundGroup> FindGroup(Context& context, Session& session, const std::string& name) {
  absl::StatusOr<op_pb::Group> group = GetGroupAt(session, session.local(), name);
  SiteAddress answered_by = session.local();
  if (!group.ok() && NoAnswer(group.status())) {
    const absl::Status first = group.status();
    const auto sites = FindSites(session);
    for (const SiteAddress& site : sites.ok() ? *sites : std::vector<SiteAddress>{}) {
      if (site.local) continue;
      context.Warn(
          fmt::format("the orchestrator of {} does not answer; asking {}", Label(session.local()), Label(site)));
      group = GetGroupAt(session, site, name);
      answered_by = site;
      if (group.ok()) break;
    }
    if (!group.ok() && NoAnswer(group.status())) return first;
  }
  PROTECTOR_RETURN_IF_ERROR(group.status());
  for (const std::string& warning : group->warnings()) context.Warn(warning);
  if (answered_by.local) session.NameLocal(group->site());
  if (answered_by.name.empty()) answered_by.name = group->site();
  return FoundGroup{*std::move(group), answered_by};
}

absl::StatusOr<std::string> GroupArgument(const Context& context) {
  const std::string name = context.arguments.Get("group");
  PROTECTOR_RETURN_IF_ERROR(CheckReference("protection group", name));
  return name;
}

ProjectRef ProjectOf(const group_pb::GroupDocument& document, const std::string& site) {
  const auto found = document.projects().find(site);
  return {.id = found == document.projects().end() ? "" : found->second, .name = "", .domain = ""};
}

void SetProject(const ProjectRef& project, op_pb::Project* out) {
  out->Clear();
  out->set_id(project.id);
  if (project.id.empty()) {
    out->set_name(project.name);
    out->set_domain(project.domain);
  }
}

bool NoAnswer(const absl::Status& status) {
  const std::string reason = DetailOf(status).reason;
  return reason == "SERVICE_UNREACHABLE" || reason == "SERVICE_TIMEOUT" || reason == "CALL_CUT";
}

std::string SiteToAskInstead(const absl::Status& status) {
  const ErrorDetail detail = DetailOf(status);
  if (detail.reason != "NOT_PRIMARY" && detail.reason != "NOT_TARGET_SITE") return "";
  const std::string prefix = "site ";
  return detail.object.starts_with(prefix) ? detail.object.substr(prefix.size()) : detail.object;
}

absl::Status RemoteUnreachable(const absl::Status& status, const std::string& site, const std::string& group,
                               const std::string& remedy) {
  if (DetailOf(status).reason != "SERVICE_UNREACHABLE") {
    // It was reached, and then fell silent: the change may have been made.
    return Annotate(status, fmt::format("protection group {}", group));
  }
  const std::string usual = fmt::format(
      "Find out what is wrong with `protector site validate {0}`, restore it, then `protector protection-group sync-force {1}` and try again.",
      site, group);
  return Error(absl::StatusCode::kUnavailable, "REMOTE_SITE_UNREACHABLE",
               fmt::format("Cannot modify protection group: remote site unreachable: {}", MessageOf(status)))
      .Object(fmt::format("protection group {}", group))
      .Site(site)
      .Remedy(remedy.empty() ? usual : remedy + " Otherwise: " + usual);
}

}  // namespace protector::cli
