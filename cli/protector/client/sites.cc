#include "cli/protector/client/sites.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/protector/args/suggest.h"
#include "cli/protector/args/usage.h"
#include "libs/base/error.h"

namespace protector::cli {
namespace {

using Registry = site_pb::SiteRegistryService;

SiteAddress* ByName(std::vector<SiteAddress>& sites, const std::string& name) {
  const auto found =
      std::find_if(sites.begin(), sites.end(), [&](const SiteAddress& site) { return site.name == name; });
  return found == sites.end() ? nullptr : &*found;
}

bool IsAscii(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

// The configuration file's word on where services are counts more than the registry's.
void PutOnTop(const std::vector<SiteAddress>& configured, const SiteAddress& local, std::vector<SiteAddress>& sites) {
  for (const SiteAddress& own : configured) {
    SiteAddress entry = own;
    entry.local = !local.name.empty() && own.name == local.name;
    SiteAddress* known = ByName(sites, own.name);
    if (known == nullptr) {
      sites.push_back(entry);
    } else {
      entry.local = known->local;
      *known = entry;
    }
  }
}

}  // namespace

SiteAddress AddressOf(const site_pb::Site& site) {
  SiteAddress address{.name = site.name(),
                      .auth_url = site.auth_url(),
                      .site_registry = site.endpoints().site_registry(),
                      .metadata_sync = site.endpoints().metadata_sync(),
                      .orchestrator = site.endpoints().orchestrator(),
                      .storage_pure = site.endpoints().storage_pure(),
                      .local = site.local()};
  FillDefaultPorts(address);
  return address;
}

absl::StatusOr<std::vector<site_pb::Site>> ListAllSites(Session& session, const SiteAddress& registry,
                                                        site_pb::ListSitesRequest::View view) {
  std::vector<site_pb::Site> sites;
  site_pb::ListSitesRequest request;
  request.set_view(view);
  do {
    PROTECTOR_ASSIGN_OR_RETURN(
        const auto page, (session.Call<Registry>(registry, &Registry::StubInterface::ListSites, "ListSites", request)));
    sites.insert(sites.end(), page.sites().begin(), page.sites().end());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return sites;
}

absl::StatusOr<std::vector<SiteAddress>> FindSites(Session& session) {
  if (!session.known_sites().empty()) return session.known_sites();
  std::vector<SiteAddress> sites;
  const auto listed = ListAllSites(session, session.local(), site_pb::ListSitesRequest::ADDRESSES);
  if (!listed.ok() && session.configured().empty()) return listed.status();
  for (const site_pb::Site& site : listed.ok() ? *listed : std::vector<site_pb::Site>{}) {
    sites.push_back(AddressOf(site));
    if (site.local()) {
      // The address that was reached is better than the one that was registered.
      sites.back() = session.local();
      sites.back().name = site.name();
    }
  }
  PutOnTop(session.configured(), session.local(), sites);
  const bool has_local = std::any_of(sites.begin(), sites.end(), [](const SiteAddress& site) { return site.local; });
  if (!has_local) sites.insert(sites.begin(), session.local());
  std::stable_sort(sites.begin(), sites.end(),
                   [](const SiteAddress& a, const SiteAddress& b) { return a.local && !b.local; });
  session.SetSites(sites);
  return sites;
}

absl::StatusOr<SiteAddress> FindSite(Session& session, const std::string& name) {
  // Where the local site is needs no registry: unplanned failover works with one dead as well.
  if (!name.empty() && name == session.local().name) return session.local();
  PROTECTOR_ASSIGN_OR_RETURN(std::vector<SiteAddress> sites, FindSites(session));
  if (const SiteAddress* site = ByName(sites, name)) return *site;
  std::vector<std::string> names;
  for (const SiteAddress& site : sites) {
    if (!site.name.empty()) names.push_back(site.name);
  }
  const std::string nearest = Nearest(name, names);
  return Error(absl::StatusCode::kNotFound, "SITE_NOT_FOUND", fmt::format("site '{}' is not registered", name))
      .Object(fmt::format("site {}", name))
      .Site(Label(session.local()))
      .Remedy((nearest.empty() ? "" : fmt::format("Did you mean '{}'? ", nearest)) +
              (names.empty() ? "No site is registered yet: see `protector site create --help`."
                             : fmt::format("Registered: {}.", fmt::join(names, ", "))));
}

absl::StatusOr<std::string> LocalName(Session& session) {
  if (session.local().name.empty()) PROTECTOR_RETURN_IF_ERROR(FindSites(session).status());
  if (!session.local().name.empty()) return session.local().name;
  return Error(absl::StatusCode::kFailedPrecondition, "SITE_NOT_REGISTERED",
               fmt::format("the site at {} is not registered with its own registry", Label(session.local())))
      .Remedy("Register both sites with `protector site create NAME --auth-url URL`.");
}

absl::StatusOr<ProjectRef> ProjectAt(Session& session, const SiteAddress& site) {
  const ProjectRef& own = session.options().project;
  if (own.empty()) {
    return UsageError("the credentials name no project")
        .Remedy("Set OS_PROJECT_NAME or OS_PROJECT_ID (or project_name in clouds.yaml).");
  }
  const bool local = site.local || (!site.name.empty() && site.name == session.local().name);
  if (local && (!own.id.empty() || IsAscii(own.name + own.domain))) return own;
  if (local) {
    // Metadata of a call is ASCII: a name in another script travels as the id it stands for.
    site_pb::ResolveProjectRequest request;
    request.set_project(own.name);
    request.set_domain(own.domain);
    PROTECTOR_ASSIGN_OR_RETURN(
        const auto project,
        (session.Call<Registry>(site, &Registry::StubInterface::ResolveProject, "ResolveProject", request)));
    return ProjectRef{.id = project.id(), .name = project.name(), .domain = own.domain};
  }
  for (const SiteAddress* registry : {&session.local(), &site}) {
    const auto mappings = session.Call<Registry>(*registry, &Registry::StubInterface::ListTenantMappings,
                                                 "ListTenantMappings", site_pb::ListTenantMappingsRequest());
    if (!mappings.ok()) continue;
    for (const site_pb::TenantMapping& mapping : mappings->mappings()) {
      const bool forward = mapping.site_a() == session.local().name && mapping.site_b() == site.name;
      const bool backward = mapping.site_b() == session.local().name && mapping.site_a() == site.name;
      if (!forward && !backward) continue;
      const std::string& id = forward ? mapping.project_id_a() : mapping.project_id_b();
      const std::string& name = forward ? mapping.project_name_a() : mapping.project_name_b();
      if (own.id.empty() ? own.name != name : own.id != id) continue;
      return ProjectRef{.id = forward ? mapping.project_id_b() : mapping.project_id_a(),
                        .name = forward ? mapping.project_name_b() : mapping.project_name_a(),
                        .domain = ""};
    }
    break;
  }
  return ProjectRef{.id = own.name.empty() ? own.id : "", .name = own.name, .domain = own.domain};
}

}  // namespace protector::cli
