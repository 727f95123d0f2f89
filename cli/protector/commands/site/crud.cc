#include <fmt/format.h>

#include <algorithm>

#include "cli/protector/args/input.h"
#include "cli/protector/args/usage.h"
#include "cli/protector/client/sites.h"
#include "cli/protector/commands/both_sites.h"
#include "cli/protector/commands/commands.h"
#include "cli/protector/commands/context.h"
#include "cli/protector/commands/show.h"
#include "cli/protector/commands/site/probe.h"
#include "libs/base/error.h"

namespace protector::cli {
namespace {

using Registry = site_pb::SiteRegistryService;

std::string StatusText(site_pb::Site::Status status) {
  return status == site_pb::Site::STATUS_UNSPECIFIED ? "not_validated" : Lower(site_pb::Site::Status_Name(status));
}

Record SiteRecord(const site_pb::Site& site) {
  Record record;
  record.Add("name", site.name())
      .Add("id", site.id())
      .Add("description", site.description())
      .Add("auth_url", site.auth_url())
      .Add("region", site.region())
      .Add("local", site.local())
      .Add("status", StatusText(site.status()))
      .Add("last_validated_at", TimeText(site.has_last_validated_at(), site.last_validated_at()))
      .Add("site_registry", site.endpoints().site_registry())
      .Add("metadata_sync", site.endpoints().metadata_sync())
      .Add("orchestrator", site.endpoints().orchestrator())
      .Add("storage_pure", site.endpoints().storage_pure())
      .Add("cinder_host", site.cinder_host())
      .Add("array_name", site.array_name())
      .Add("created_at", TimeText(site.has_create_time(), site.create_time()))
      .Add("updated_at", TimeText(site.has_update_time(), site.update_time()));
  record.AddMachine("etag", site.etag());
  return record;
}

struct Setting {
  const char* option;
  const char* path;  // in the update mask
  const char* value;
  const char* help;
};

constexpr Setting kSettings[] = {
    {"description", "description", "TEXT", "Free text."},
    {"auth-url", "auth_url", "URL", "Its Keystone, e.g. http://127.0.20.1:5000/v3; credentials name the site by it."},
    {"region", "region", "REGION", "Keystone region."},
    {"site-registry", "endpoints.site_registry", "HOST:PORT",
     "Where its site-registry listens (default: the auth_url's host, port 7101)."},
    {"metadata-sync", "endpoints.metadata_sync", "HOST:PORT", "Its metadata-sync (port 7102)."},
    {"orchestrator", "endpoints.orchestrator", "HOST:PORT", "Its orchestrator (port 7103)."},
    {"storage-pure", "endpoints.storage_pure", "HOST:PORT", "Its storage-pure (port 7104)."},
    {"cinder-host", "cinder_host", "HOST@BACKEND#POOL",
     "Cinder's host for importing volumes, e.g. cinder-b@pure#array-b."},
    {"array-name", "array_name", "NAME", "Its FlashArray, as the other array knows it."},
};

std::vector<Option> SettingOptions() {
  std::vector<Option> options;
  for (const Setting& setting : kSettings)
    options.push_back({.name = std::string("--") + setting.option, .value = setting.value, .help = setting.help});
  return options;
}

absl::Status CheckSettings(const Arguments& given) {
  if (given.Has("auth-url")) PROTECTOR_RETURN_IF_ERROR(CheckUrl("--auth-url", given.Get("auth-url")));
  for (const char* option : {"site-registry", "metadata-sync", "orchestrator", "storage-pure"}) {
    if (given.Has(option) && !given.Get(option).empty())
      PROTECTOR_RETURN_IF_ERROR(CheckEndpoint(std::string("--") + option, given.Get(option)));
  }
  for (const Setting& setting : kSettings)
    PROTECTOR_RETURN_IF_ERROR(CheckText(std::string("--") + setting.option, given.Get(setting.option), 1024));
  return absl::OkStatus();
}

site_pb::Site SiteFrom(const Arguments& given) {
  site_pb::Site site;
  site.set_name(given.Get("name"));
  site.set_description(given.Get("description"));
  site.set_auth_url(given.Get("auth-url"));
  site.set_region(given.Get("region"));
  site.set_cinder_host(given.Get("cinder-host"));
  site.set_array_name(given.Get("array-name"));
  site.mutable_endpoints()->set_site_registry(given.Get("site-registry"));
  site.mutable_endpoints()->set_metadata_sync(given.Get("metadata-sync"));
  site.mutable_endpoints()->set_orchestrator(given.Get("orchestrator"));
  site.mutable_endpoints()->set_storage_pure(given.Get("storage-pure"));
  return site;
}

// What a registry keeps of a site that another one told it.
site_pb::Site WithoutOutput(site_pb::Site site) {
  site.clear_id();
  site.clear_local();
  site.clear_status();
  site.clear_last_validated_at();
  site.clear_etag();
  site.clear_create_time();
  site.clear_update_time();
  return site;
}

absl::Status CreateAt(Session& session, const SiteAddress& registry, const site_pb::Site& site,
                      const std::string& request_id, SiteResults& results) {
  site_pb::CreateSiteRequest request;
  *request.mutable_site() = site;
  request.set_request_id(request_id);
  CallHow how;
  how.request_id = request_id;
  const std::string object = "site " + site.name();
  const auto created =
      session.Call<Registry>(registry, &Registry::StubInterface::CreateSite, "CreateSite", request, how);
  if (created.ok()) {
    results.Done(Label(registry), object, "created", created->id());
  } else if (DetailOf(created.status()).reason == "SITE_EXISTS") {
    site_pb::GetSiteRequest get;
    get.set_name(site.name());
    const auto present = session.Call<Registry>(registry, &Registry::StubInterface::GetSite, "GetSite", get);
    if (!present.ok() || present->auth_url() != site.auth_url()) {
      results.Failed(Label(registry), object, created.status());
      return created.status();
    }
    results.Already(Label(registry), object, "registered already");
  } else {
    results.Failed(Label(registry), object, created.status());
  }
  return created.status();
}

// Where the new site's own registry is: as given, else as the configuration file says, else on the auth_url's host.
SiteAddress NewSitesRegistry(const std::vector<SiteAddress>& known, const site_pb::Site& site) {
  if (site.endpoints().site_registry().empty()) {
    for (const SiteAddress& address : known) {
      if (address.name == site.name()) return address;
    }
  }
  return AddressOf(site);
}

absl::Status Create(Context& context) {
  const Arguments& given = context.arguments;
  PROTECTOR_RETURN_IF_ERROR(CheckNewName("site", given.Get("name")));
  PROTECTOR_RETURN_IF_ERROR(CheckSettings(given));
  const site_pb::Site site = SiteFrom(given);
  PROTECTOR_ASSIGN_OR_RETURN(const std::string request_id, context.RequestId());
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  // The local registry has to answer: it says which sites there are already.
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<site_pb::Site> known, ListAllSites(*session, session->local()));
  PROTECTOR_ASSIGN_OR_RETURN(std::vector<SiteAddress> registries, FindSites(*session));
  const SiteAddress own = NewSitesRegistry(registries, site);
  const auto is_own = [&](const SiteAddress& registry) { return registry.site_registry == own.site_registry; };
  const auto present = std::find_if(registries.begin(), registries.end(), is_own);
  if (present == registries.end()) {
    registries.push_back(own);
  } else {
    present->name = site.name();
  }
  SiteResults results;
  absl::Status at_home;
  for (const SiteAddress& registry : registries) {
    const absl::Status created = CreateAt(*session, registry, site, request_id, results);
    const bool has_it = created.ok() || DetailOf(created).reason == "SITE_EXISTS";
    if (registry.local) at_home = created;
    if (registry.local && !has_it) break;
    // The new site's registry has to know those that were there before it.
    if (registry.local || !is_own(registry) || !has_it) continue;
    for (const site_pb::Site& other : known) {
      if (other.name() != site.name())
        (void)CreateAt(*session, registry, WithoutOutput(other), context.world.ids.NewUuid(), results);
    }
  }
  PROTECTOR_RETURN_IF_ERROR(context.Show(results.Table()));
  return results.Verdict(
      "Make the other site's registry reachable, then give the same command again: what is done already is left alone.",
      at_home);
}

absl::Status List(Context& context) {
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<site_pb::Site> sites, ListAllSites(*session, session->local()));
  Listing listing;
  listing.columns = {{"name"},   {"auth_url"},          {"region"},     {"local"},
                     {"status"}, {"last_validated_at"}, {"array_name"}, {"id"}};
  for (const site_pb::Site& site : sites) {
    listing.rows.push_back({site.name(), site.auth_url(), site.region(), site.local(), StatusText(site.status()),
                            TimeText(site.has_last_validated_at(), site.last_validated_at()), site.array_name(),
                            site.id()});
  }
  return context.Show(listing);
}

absl::StatusOr<std::string> NameArgument(const Context& context) {
  const std::string name = context.arguments.Get("name");
  PROTECTOR_RETURN_IF_ERROR(CheckReference("site", name));
  return name;
}

absl::Status Show(Context& context) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, NameArgument(context));
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  site_pb::GetSiteRequest request;
  request.set_name(name);
  PROTECTOR_ASSIGN_OR_RETURN(
      const site_pb::Site site,
      (session->Call<Registry>(session->local(), &Registry::StubInterface::GetSite, "GetSite", request)));
  return context.Show(SiteRecord(site));
}

absl::Status Set(Context& context) {
  const Arguments& given = context.arguments;
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, NameArgument(context));
  PROTECTOR_RETURN_IF_ERROR(CheckSettings(given));
  site_pb::UpdateSiteRequest request;
  *request.mutable_site() = SiteFrom(given);
  for (const Setting& setting : kSettings) {
    if (given.Has(setting.option)) request.mutable_update_mask()->add_paths(setting.path);
  }
  if (request.update_mask().paths_size() == 0)
    return UsageError("nothing to change").Remedy("Give one of the options, see --help.");
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<SiteAddress> sites, FindSites(*session));
  SiteResults results;
  for (const SiteAddress& registry : sites) {
    const auto updated = session->Call<Registry>(registry, &Registry::StubInterface::UpdateSite, "UpdateSite", request);
    if (updated.ok()) {
      results.Done(Label(registry), "site " + name, "updated", updated->etag());
    } else {
      results.Failed(Label(registry), "site " + name, updated.status());
    }
  }
  PROTECTOR_RETURN_IF_ERROR(context.Show(results.Table()));
  return results.Verdict("Make the other site's registry reachable, then give the same command again.");
}

absl::Status Delete(Context& context) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, NameArgument(context));
  site_pb::DeleteSiteRequest request;
  request.set_name(name);
  request.set_force(context.arguments.Has("force"));
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<SiteAddress> sites, FindSites(*session));
  SiteResults results;
  absl::Status not_there;
  for (const SiteAddress& registry : sites) {
    const auto deleted = session->Call<Registry>(registry, &Registry::StubInterface::DeleteSite, "DeleteSite", request);
    if (deleted.ok()) {
      results.Done(Label(registry), "site " + name, "deleted");
    } else if (deleted.status().code() == absl::StatusCode::kNotFound) {
      results.Already(Label(registry), "site " + name, "not registered");
      not_there = deleted.status();
    } else {
      results.Failed(Label(registry), "site " + name, deleted.status());
      // A refusal of the local registry stands for both: do not take it away from one of them only.
      if (registry.local && DetailOf(deleted.status()).reason == "SITE_IN_USE") break;
    }
  }
  PROTECTOR_RETURN_IF_ERROR(context.Show(results.Table()));
  return results.Verdict("Make the other site's registry reachable, then give the same command again.", not_there);
}

}  // namespace

std::vector<Command> SiteCommands() {
  const Option name{
      .name = "name", .value = "", .help = "Name or id of the site.", .required = true, .names = Names::kSite};
  std::vector<Option> create = {{.name = "name", .value = "", .help = "Name of the new site.", .required = true}};
  std::vector<Option> set = {name};
  for (const Option& option : SettingOptions()) {
    create.push_back(option);
    create.back().required = option.name == "--auth-url";
    set.push_back(option);
  }
  create.push_back(RequestIdOption());
  std::vector<Command> commands = {
      {.path = {"site", "create"},
       .summary = "Register a site, with every registry that can be reached.",
       .description =
           "Writes the site to the local registry and to those of all other sites, and tells the new site's registry of the sites that there are; a row says "
           "what each registry did. Given again it completes what was missing and leaves the rest alone. Does not touch the clouds.",
       .options = create,
       .examples =
           {"protector site create site-a --auth-url http://127.0.10.1:5000/v3 --region site-a --cinder-host cinder-a@pure#array-a --array-name array-a",
            "protector site create site-b --auth-url http://127.0.20.1:5000/v3 --region site-b --cinder-host cinder-b@pure#array-b --array-name array-b"},
       .shape = Shape::kList,
       .run = Create,
       .exit_codes = "3 when it is registered already, 4 when one registry did not answer"},
      {.path = {"site", "list"},
       .summary = "List the registered sites.",
       .description = "As the local registry knows them; changes nothing.",
       .examples = {"protector site list"},
       .shape = Shape::kList,
       .run = List},
      {.path = {"site", "show"},
       .summary = "Show a site: endpoints, region, last validation.",
       .description = "As the local registry knows it; changes nothing.",
       .options = {name},
       .examples = {"protector site show site-b"},
       .shape = Shape::kObject,
       .run = Show},
      {.path = {"site", "set"},
       .summary = "Change a site's registration in every registry.",
       .description =
           "Changes what the registries know of the site; a row says what each one did. An empty value puts the default back.",
       .options = set,
       .examples = {"protector site set site-b --cinder-host cinder-b@pure#array-b"},
       .shape = Shape::kList,
       .run = Set,
       .exit_codes = "4 when one registry did not answer"},
      {.path = {"site", "delete"},
       .summary = "Remove a site's registration from every registry.",
       .description =
           "Forgets the site; its cloud, array and services are not touched. Refused while tenant mappings name it.",
       .options = {name, {.name = "--force", .value = "", .help = "Remove its tenant mappings too."}},
       .examples = {"protector site delete site-b"},
       .shape = Shape::kList,
       .run = Delete,
       .exit_codes = "3 while it is in use, 4 when one registry did not answer"},
  };
  for (const Command& command : SiteProbeCommands()) commands.push_back(command);
  return commands;
}

}  // namespace protector::cli
