#include "simulators/openstack/keystone/keystone.h"

#include <fmt/format.h>

#include "simulators/openstack/core/util.h"
#include "simulators/openstack/keystone/secret.h"

namespace protector::ossim {
namespace {

const char* Title(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

}  // namespace

void RequireAdmin(const Request& request, const std::string& rule) {
  if (!request.identity.is_admin) {
    Fail(403, fmt::format("You are not authorized to perform the requested action: {}.", rule));
  }
}

std::unique_ptr<Service> Keystone::Build() {
  auto service = std::make_unique<Service>();
  service->name = "keystone";
  service->refuses_chunks = true;
  service->error = [this](const ApiError& e) {
    Response r =
        Response::Json(e.status, {{"error", {{"code", e.status}, {"message", e.message}, {"title", Title(e.status)}}}});
    r.headers = e.headers;
    if (e.status == 401) {
      r.headers.emplace_back("WWW-Authenticate", fmt::format("Keystone uri=\"{}\"", site_.config.Url("keystone")));
    }
    return r;
  };
  service->decorate = [](const Request&, Response& r) { r.headers.emplace_back("Vary", "X-Auth-Token"); };
  auto version = [this] {
    return json{
        {"id", "v3.14"},
        {"status", "stable"},
        {"updated", "2020-04-07T00:00:00Z"},
        {"links", {{{"rel", "self"}, {"href", site_.config.Url("keystone") + "/v3/"}}}},
        {"media-types", {{{"base", "application/json"}, {"type", "application/vnd.openstack.identity-v3+json"}}}}};
  };
  service->router
      .Add("GET", "/",
           [version](Request&) {
             return Response::Json(300, {{"versions", {{"values", json::array({version()})}}}});
           })
      .needs_token = false;
  service->router.Add("GET", "/v3",
                      [version](Request&) {
                        return Response::Json(200, {{"version", version()}});
                      })
      .needs_token = false;
  AddTokenRoutes(service->router);
  AddResourceRoutes(service->router);
  AddGrantRoutes(service->router);
  AddCredentialRoutes(service->router);
  return service;
}

void Keystone::Seed() {
  const json& seed = site_.seed;
  Table& roles = site_.store.table("roles");
  site_.store.table("domains").Put("default", {{"id", "default"},
                                               {"name", "Default"},
                                               {"enabled", true},
                                               {"description", "The default domain"},
                                               {"tags", json::array()},
                                               {"options", json::object()}});
  std::map<std::string, std::string> role_id, project_id;
  for (const char* name : {"reader", "member", "admin", "service", "dr_site_admin"}) {
    std::string id = NewHexId();
    role_id[name] = id;
    roles.Put(
        id,
        {{"id", id}, {"name", name}, {"domain_id", nullptr}, {"description", nullptr}, {"options", json::object()}});
  }
  for (const json& name : seed.at("projects")) {
    std::string id = NewHexId();
    project_id[name.get<std::string>()] = id;
    site_.store.table("projects")
        .Put(id, {{"id", id},
                  {"name", name},
                  {"domain_id", "default"},
                  {"enabled", true},
                  {"description", ""},
                  {"is_domain", false},
                  {"parent_id", "default"},
                  {"tags", json::array()},
                  {"options", json::object()}});
  }
  for (const json& user : seed.at("users")) {
    std::string id = NewHexId();
    json doc = {{"id", id},
                {"name", user.at("name")},
                {"domain_id", "default"},
                {"enabled", true},
                {"password_expires_at", nullptr},
                {"options", json::object()},
                {"secret", HideSecret(user.at("password").get<std::string>())}};
    if (user.contains("default_project")) doc["default_project_id"] = project_id.at(user.at("default_project"));
    site_.store.table("users").Put(id, doc);
    const json grants = Member(user, "roles");
    for (const auto& [project, names] : grants.items()) {
      for (const json& role : names) {
        std::string grant = project_id.at(project) + "|" + id + "|" + role_id.at(role.get<std::string>());
        site_.store.table("grants").Put(grant, {{"project_id", project_id.at(project)},
                                                {"user_id", id},
                                                {"role_id", role_id.at(role.get<std::string>())}});
      }
    }
  }
  std::string keystone = site_.config.Url("keystone") + "/v3";
  const struct {
    const char *type, *name;
    std::string url;
  } kServices[] = {{"identity", "keystone", keystone},
                   {"compute", "nova", site_.config.Url("nova") + "/v2.1"},
                   {"volumev3", "cinderv3", site_.config.Url("cinder") + "/v3/%(project_id)s"},
                   {"image", "glance", site_.config.Url("glance")},
                   {"network", "neutron", site_.config.Url("neutron")},
                   {"placement", "placement", site_.config.Url("placement")}};
  site_.store.table("regions").Put(site_.config.site,
                                   {{"id", site_.config.site}, {"description", ""}, {"parent_region_id", nullptr}});
  for (const auto& s : kServices) {
    std::string sid = NewHexId();
    site_.store.table("services")
        .Put(sid, {{"id", sid}, {"type", s.type}, {"name", s.name}, {"enabled", true}, {"description", ""}});
    for (const char* interface : {"admin", "internal", "public"}) {
      std::string eid = NewHexId();
      site_.store.table("endpoints")
          .Put(eid, {{"id", eid},
                     {"service_id", sid},
                     {"interface", interface},
                     {"enabled", true},
                     {"region", site_.config.site},
                     {"region_id", site_.config.site},
                     {"url", s.url}});
    }
  }
}

std::string Keystone::ProjectId(const std::string& name_or_id) {
  Table& projects = site_.store.table("projects");
  if (projects.Has(name_or_id)) return name_or_id;
  std::string found;
  projects.Each([&](const std::string& id, const json& doc) {
    if (Text(doc, "name") == name_or_id) found = id;
  });
  return found;
}

std::string Keystone::UserId(const std::string& name) {
  std::string found;
  site_.store.table("users").Each([&](const std::string& id, const json& doc) {
    if (Text(doc, "name") == name) found = id;
  });
  return found;
}

void Keystone::ExpireTokens() {
  Table& tokens = site_.store.table("tokens");
  for (const std::string& id : tokens.Ids()) tokens.Erase(id);
}

}  // namespace protector::ossim
