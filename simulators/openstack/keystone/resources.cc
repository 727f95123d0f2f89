#include <fmt/format.h>

#include "simulators/openstack/core/util.h"
#include "simulators/openstack/keystone/keystone.h"
#include "simulators/openstack/keystone/secret.h"

namespace protector::ossim {
namespace {

json Shown(const json& doc, const std::string& url) {
  json out = doc;
  for (const char* hidden : {"secret", "hidden", "password", "role_ids"}) out.erase(hidden);
  out["links"] = {{"self", url + "/" + Text(doc, "id")}};
  return out;
}

bool Matches(const Request& request, const json& doc) {
  for (const char* key :
       {"name", "domain_id", "enabled", "type", "service_id", "interface", "region_id", "parent_id"}) {
    if (!request.HasQuery(key)) continue;
    std::string want = request.Query(key);
    json have = Member(doc, key);
    if (have.is_boolean() ? Truth(json(want)) != have.get<bool>() : Text(doc, key) != want) return false;
  }
  return true;
}

}  // namespace

void Keystone::AddCollection(Router& router, const std::string& table, const std::string& singular,
                             const std::string& plural) {
  std::string path = "/v3/" + plural;
  std::string url = site_.config.Url("keystone") + path;
  auto find = [this, table, singular](const std::string& id) -> const json& {
    const json* doc = site_.store.table(table).Find(id);
    if (doc == nullptr) Fail(404, fmt::format("Could not find {}: {}.", singular, id));
    return *doc;
  };
  router.Add("GET", path, [this, table, singular, plural, url](Request& r) {
    if (table != "regions") RequireAdmin(r, "identity:list_" + plural);
    json out = json::array();
    site_.store.table(table).Each([&](const std::string&, const json& doc) {
      if (Matches(r, doc)) out.push_back(Shown(doc, url));
    });
    return Response::Json(200, {{plural, out}, {"links", {{"next", nullptr}, {"self", url}, {"previous", nullptr}}}});
  });
  router.Add("GET", path + "/{}", [find, singular, url](Request& r) {
    bool own = r.args[0] == r.identity.project_id || r.args[0] == r.identity.user_id;
    if (!own && singular != "region") RequireAdmin(r, "identity:get_" + singular);
    return Response::Json(200, {{singular, Shown(find(r.args[0]), url)}});
  });
  router.Add("POST", path, [this, table, singular, url](Request& r) {
    RequireAdmin(r, "identity:create_" + singular);
    json doc = Member(r.content, singular.c_str());
    if (!doc.is_object()) Fail(400, fmt::format("'{}' is a required property", singular));
    std::string id = table == "regions" && doc.contains("id") ? Text(doc, "id") : NewHexId();
    bool named = table == "projects" || table == "users" || table == "roles" || table == "domains";
    if (named && Text(doc, "name").empty()) Fail(400, "Invalid input for field 'name': None is not of type 'string'");
    site_.store.table(table).Each([&](const std::string&, const json& other) {
      if (named && Text(other, "name") == Text(doc, "name")) {
        Fail(409,
             fmt::format(
                 "Conflict occurred attempting to store {} - Duplicate entry found with name {} at domain ID default.",
                 singular, Text(doc, "name")));
      }
    });
    doc["id"] = id;
    if (table == "projects" || table == "users") {
      if (!doc.contains("domain_id")) doc["domain_id"] = "default";
      if (!doc.contains("enabled")) doc["enabled"] = true;
      doc["options"] = json::object();
    }
    if (table == "projects") {
      doc["is_domain"] = false;
      doc["parent_id"] = "default";
      if (!doc.contains("description")) doc["description"] = "";
      if (!doc.contains("tags")) doc["tags"] = json::array();
    }
    if (table == "roles") doc["domain_id"] = nullptr;
    if (table == "users") {
      doc["secret"] = HideSecret(Text(doc, "password"));
      doc.erase("password");
      doc["password_expires_at"] = nullptr;
    }
    site_.store.table(table).Put(id, doc);
    return Response::Json(201, {{singular, Shown(doc, url)}});
  });
  router.Add("PATCH", path + "/{}", [this, find, table, singular, url](Request& r) {
    RequireAdmin(r, "identity:update_" + singular);
    json doc = find(r.args[0]);
    const json changes = Member(r.content, singular.c_str());
    for (const auto& [key, value] : changes.items()) {
      if (key == "password") {
        doc["secret"] = HideSecret(value.get<std::string>());
      } else {
        doc[key] = value;
      }
    }
    site_.store.table(table).Put(r.args[0], doc);
    return Response::Json(200, {{singular, Shown(doc, url)}});
  });
  router.Add("DELETE", path + "/{}", [this, find, table, singular](Request& r) {
    RequireAdmin(r, "identity:delete_" + singular);
    find(r.args[0]);
    site_.store.table(table).Erase(r.args[0]);
    return Response::Empty(204);
  });
}

void Keystone::AddResourceRoutes(Router& router) {
  AddCollection(router, "domains", "domain", "domains");
  AddCollection(router, "projects", "project", "projects");
  AddCollection(router, "users", "user", "users");
  AddCollection(router, "roles", "role", "roles");
  AddCollection(router, "services", "service", "services");
  AddCollection(router, "endpoints", "endpoint", "endpoints");
  AddCollection(router, "regions", "region", "regions");
  AddCollection(router, "groups", "group", "groups");
  auto own_projects = [this](Request& r, const std::string& user) {
    json out = json::array();
    std::string url = site_.config.Url("keystone") + "/v3/projects", last;
    site_.store.table("projects").Each([&](const std::string& id, const json& doc) {
      for (const std::string& grant : site_.store.table("grants").Where("user_id", user)) {
        if (Text(*site_.store.table("grants").Find(grant), "project_id") == id && last != id) {
          out.push_back(Shown(doc, url));
          last = id;
        }
      }
    });
    (void)r;
    return Response::Json(200,
                          {{"projects", out}, {"links", {{"next", nullptr}, {"self", url}, {"previous", nullptr}}}});
  };
  router.Add("GET", "/v3/auth/projects", [own_projects](Request& r) { return own_projects(r, r.identity.user_id); });
  router.Add("GET", "/v3/users/{}/projects", [own_projects](Request& r) {
    if (r.args[0] != r.identity.user_id) RequireAdmin(r, "identity:list_user_projects");
    return own_projects(r, r.args[0]);
  });
  router.Add("GET", "/v3/users/{}/groups", [](Request&) { return Response::Json(200, {{"groups", json::array()}}); });
  router.Add("GET", "/v3/auth/domains", [this](Request&) {
    json out = json::array();
    site_.store.table("domains").Each([&](const std::string&, const json& d) { out.push_back(d); });
    return Response::Json(200, {{"domains", out}});
  });
}

}  // namespace protector::ossim
