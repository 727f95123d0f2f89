#include <fmt/format.h>

#include "cli/protector/args/input.h"
#include "cli/protector/args/usage.h"
#include "cli/protector/client/sites.h"
#include "cli/protector/commands/both_sites.h"
#include "cli/protector/commands/commands.h"
#include "cli/protector/commands/context.h"
#include "cli/protector/commands/show.h"
#include "libs/base/error.h"

namespace protector::cli {
namespace {

using Registry = site_pb::SiteRegistryService;

absl::StatusOr<site_pb::Project> Resolve(Session& session, const SiteProject& pair, const std::string& domain) {
  PROTECTOR_ASSIGN_OR_RETURN(const SiteAddress site, FindSite(session, pair.site));
  site_pb::ResolveProjectRequest request;
  request.set_project(pair.project);
  request.set_domain(domain);
  return session.Call<Registry>(site, &Registry::StubInterface::ResolveProject, "ResolveProject", request);
}

absl::Status Create(Context& context) {
  const std::vector<std::string> words = context.arguments.All("project");
  if (words.size() != 2)
    return UsageError(fmt::format("two projects are needed, {} given", words.size()))
        .Remedy("For example site-a=demo site-b=demo.");
  PROTECTOR_ASSIGN_OR_RETURN(const SiteProject a, ParseSiteProject(words[0]));
  PROTECTOR_ASSIGN_OR_RETURN(const SiteProject b, ParseSiteProject(words[1]));
  if (a.site == b.site)
    return UsageError("both projects are of the same site")
        .Remedy("A mapping joins a project of one site to one of the other.");
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  const std::string domain = context.arguments.Get("domain");
  PROTECTOR_ASSIGN_OR_RETURN(const site_pb::Project project_a, Resolve(*session, a, domain));
  PROTECTOR_ASSIGN_OR_RETURN(const site_pb::Project project_b, Resolve(*session, b, domain));
  site_pb::CreateTenantMappingRequest request;
  site_pb::TenantMapping& mapping = *request.mutable_mapping();
  mapping.set_site_a(a.site);
  mapping.set_project_id_a(project_a.id());
  mapping.set_project_name_a(project_a.name());
  mapping.set_site_b(b.site);
  mapping.set_project_id_b(project_b.id());
  mapping.set_project_name_b(project_b.name());
  const std::string object = fmt::format("{}:{} = {}:{}", a.site, project_a.name(), b.site, project_b.name());
  SiteResults results;
  absl::Status exists;
  for (const std::string& name : {a.site, b.site}) {
    PROTECTOR_ASSIGN_OR_RETURN(const SiteAddress site, FindSite(*session, name));
    const auto created =
        session->Call<Registry>(site, &Registry::StubInterface::CreateTenantMapping, "CreateTenantMapping", request);
    if (created.ok()) {
      results.Done(name, object, "created", created->id());
    } else if (DetailOf(created.status()).reason == "TENANT_MAPPING_EXISTS") {
      results.Already(name, object, MessageOf(created.status()));
      exists = created.status();
    } else {
      results.Failed(name, object, created.status());
    }
  }
  PROTECTOR_RETURN_IF_ERROR(context.Show(results.Table()));
  return results.Verdict(
      "Make the other site's registry reachable, then give the same command again: what is done already is left alone.",
      exists);
}

absl::Status List(Context& context) {
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  PROTECTOR_ASSIGN_OR_RETURN(const auto mappings,
                             (session->Call<Registry>(session->local(), &Registry::StubInterface::ListTenantMappings,
                                                      "ListTenantMappings", site_pb::ListTenantMappingsRequest())));
  Listing listing;
  listing.columns = {{"id"},     {"site_a"},    {"project_a"},    {"project_id_a"},
                     {"site_b"}, {"project_b"}, {"project_id_b"}, {"created_at", true}};
  for (const site_pb::TenantMapping& mapping : mappings.mappings()) {
    listing.rows.push_back({mapping.id(), mapping.site_a(), mapping.project_name_a(), mapping.project_id_a(),
                            mapping.site_b(), mapping.project_name_b(), mapping.project_id_b(),
                            TimeText(mapping.has_create_time(), mapping.create_time())});
  }
  return context.Show(listing);
}

absl::Status Delete(Context& context) {
  const std::string id = context.arguments.Get("id");
  PROTECTOR_RETURN_IF_ERROR(CheckReference("tenant mapping", id));
  site_pb::DeleteTenantMappingRequest request;
  request.set_id(id);
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<SiteAddress> sites, FindSites(*session));
  SiteResults results;
  absl::Status not_there;
  for (const SiteAddress& site : sites) {
    const auto deleted =
        session->Call<Registry>(site, &Registry::StubInterface::DeleteTenantMapping, "DeleteTenantMapping", request);
    if (deleted.ok()) {
      results.Done(Label(site), id, "deleted");
    } else if (deleted.status().code() == absl::StatusCode::kNotFound) {
      results.Already(Label(site), id, "not there");
      not_there = deleted.status();
    } else {
      results.Failed(Label(site), id, deleted.status());
    }
  }
  PROTECTOR_RETURN_IF_ERROR(context.Show(results.Table()));
  return results.Verdict("Make the other site's registry reachable, then give the same command again.", not_there);
}

}  // namespace

std::vector<Command> TenantMappingCommands() {
  return {
      {.path = {"tenant-mapping", "create"},
       .summary = "Say that a project of one site is a project of the other.",
       .description =
           "Resolves both projects at their own Keystone and writes the mapping to both registries; a row says what each did. VMs of a group are brought up in the "
           "project that their own is mapped to.",
       .options = {{.name = "project",
                    .value = "",
                    .help = "SITE=PROJECT, twice; project by name or id.",
                    .required = true,
                    .repeat = true},
                   {.name = "--domain",
                    .value = "DOMAIN",
                    .help = "Domain of projects given by name (default: Default)."}},
       .examples = {"protector tenant-mapping create site-a=demo site-b=demo"},
       .shape = Shape::kList,
       .run = Create,
       .exit_codes = "3 when it is there already, 4 when one registry did not answer"},
      {.path = {"tenant-mapping", "list"},
       .summary = "List the tenant mappings.",
       .description = "As the local registry knows them; changes nothing.",
       .examples = {"protector tenant-mapping list"},
       .shape = Shape::kList,
       .run = List},
      {.path = {"tenant-mapping", "delete"},
       .summary = "Remove a tenant mapping from every registry.",
       .description = "Groups keep the projects that they were created with.",
       .options = {{.name = "id",
                    .value = "",
                    .help = "Id of the mapping.",
                    .required = true,
                    .names = Names::kTenantMapping}},
       .examples = {"protector tenant-mapping delete 5e1f0c8e-0d3c-5b8e-9d59-0f7c1f3b9a11"},
       .shape = Shape::kList,
       .run = Delete,
       .exit_codes = "4 when one registry did not answer"},
  };
}

}  // namespace protector::cli
