#include "cli/protector/commands/site/probe.h"

#include <fmt/format.h>

#include "cli/protector/args/input.h"
#include "cli/protector/client/sites.h"
#include "cli/protector/commands/context.h"
#include "cli/protector/commands/protection_group/group_calls.h"
#include "cli/protector/commands/show.h"
#include "libs/base/error.h"

namespace protector::cli {
namespace {

using Registry = site_pb::SiteRegistryService;

constexpr absl::Duration kProbeTimeout = absl::Minutes(1);

// Asks the local registry, which passes the question on; where it does not answer, the site's own.
template <typename Request, typename Response>
absl::StatusOr<Response> AskAbout(Context& context, Session& session, const std::string& name,
                                  ::grpc::Status (Registry::StubInterface::*method)(::grpc::ClientContext*,
                                                                                    const Request&, Response*),
                                  const char* method_name, const Request& request) {
  CallHow how;
  how.timeout = std::max(context.timeout(), kProbeTimeout);
  absl::StatusOr<Response> response = session.Call<Registry>(session.local(), method, method_name, request, how);
  if (response.ok() || !NoAnswer(response.status())) return response;
  const auto site = FindSite(session, name);
  if (!site.ok() || site->site_registry == session.local().site_registry) return response;
  context.Warn(fmt::format("the registry of {} does not answer; asking {} itself", Label(session.local()), name));
  return session.Call<Registry>(*site, method, method_name, request, how);
}

absl::Status Validate(Context& context) {
  const std::string name = context.arguments.Get("name");
  PROTECTOR_RETURN_IF_ERROR(CheckReference("site", name));
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  site_pb::ValidateSiteRequest request;
  request.set_name(name);
  PROTECTOR_ASSIGN_OR_RETURN(
      const auto validated,
      AskAbout(context, *session, name, &Registry::StubInterface::ValidateSite, "ValidateSite", request));
  Listing listing;
  listing.columns = {{"probe"}, {"result"}, {"target"}, {"detail"}, {"remedy"}, {"duration_ms"}};
  int failed = 0;
  for (const site_pb::ProbeResult& probe : validated.probes()) {
    failed += probe.state() == site_pb::ProbeResult::FAILED ? 1 : 0;
    listing.rows.push_back({probe.probe(), Lower(site_pb::ProbeResult::State_Name(probe.state())), probe.target(),
                            probe.detail(), probe.remedy(), probe.duration_ms()});
  }
  PROTECTOR_RETURN_IF_ERROR(context.Show(listing));
  const std::string object = fmt::format("site {}", name);
  switch (validated.site().status()) {
    case site_pb::Site::VALID:
      context.Explain(fmt::format("Site {} is valid.", name));
      return absl::OkStatus();
    case site_pb::Site::UNREACHABLE:
      return Error(absl::StatusCode::kUnavailable, "SITE_UNREACHABLE", fmt::format("site {} does not answer", name))
          .Object(object)
          .Remedy("Each row above says what to do; begin with the first that failed.");
    default:
      return Error(absl::StatusCode::kInternal, "SITE_INVALID",
                   fmt::format("site {} is not valid: {} probe{} failed", name, failed, failed == 1 ? "" : "s"))
          .Object(object)
          .Remedy("Each row above says what to do; begin with the first that failed.");
  }
}

absl::Status ListVolumeTypes(Context& context) {
  const std::string name = context.arguments.Get("name");
  PROTECTOR_RETURN_IF_ERROR(CheckReference("site", name));
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  site_pb::ListVolumeTypesRequest request;
  request.set_site(name);
  PROTECTOR_ASSIGN_OR_RETURN(
      const auto types,
      AskAbout(context, *session, name, &Registry::StubInterface::ListVolumeTypes, "ListVolumeTypes", request));
  Listing listing;
  listing.columns = {{"name"}, {"replicated"}, {"replication_type"}, {"backend_name"}, {"is_public"}, {"id"}};
  for (const site_pb::VolumeType& type : types.volume_types()) {
    listing.rows.push_back(
        {type.name(), type.replicated(), type.replication_type(), type.backend_name(), type.is_public(), type.id()});
  }
  return context.Show(listing);
}

}  // namespace

std::vector<Command> SiteProbeCommands() {
  const Option name{
      .name = "name", .value = "", .help = "Name or id of the site.", .required = true, .names = Names::kSite};
  return {
      {.path = {"site", "validate"},
       .summary = "Probe a site now: cloud, array, link, services, clocks, rights.",
       .description =
           "Tries everything that a move needs and keeps the result with the site. A row for each probe says what was seen and what to do. Changes nothing else.",
       .options = {name},
       .examples = {"protector site validate site-a"},
       .shape = Shape::kList,
       .run = Validate,
       .exit_codes = "1 when a probe failed, 4 when the site does not answer"},
      {.path = {"site", "list-volume-types"},
       .summary = "List a site's Cinder volume types and whether each is replicated.",
       .description =
           "Changes nothing. Volumes of members need a replicated type that fits the group's replication type.",
       .options = {name},
       .examples = {"protector site list-volume-types site-a"},
       .shape = Shape::kList,
       .run = ListVolumeTypes},
  };
}

}  // namespace protector::cli
