#include <fmt/format.h>

#include "simulators/openstack/core/util.h"
#include "simulators/openstack/keystone/keystone.h"
#include "simulators/openstack/keystone/secret.h"

namespace protector::ossim {

void Keystone::AddGrantRoutes(Router& router) {
  const std::string path = "/v3/projects/{}/users/{}/roles";
  auto check = [this](Request& r) {
    RequireAdmin(r, "identity:create_grant");
    if (!site_.store.table("projects").Has(r.args[0])) Fail(404, fmt::format("Could not find project: {}.", r.args[0]));
    if (!site_.store.table("users").Has(r.args[1])) Fail(404, fmt::format("Could not find user: {}.", r.args[1]));
    if (r.args.size() > 2 && !site_.store.table("roles").Has(r.args[2]))
      Fail(404, fmt::format("Could not find role: {}.", r.args[2]));
  };
  router.Add("PUT", path + "/{}", [this, check](Request& r) {
    check(r);
    site_.store.table("grants").Put(r.args[0] + "|" + r.args[1] + "|" + r.args[2],
                                    {{"project_id", r.args[0]}, {"user_id", r.args[1]}, {"role_id", r.args[2]}});
    return Response::Empty(204);
  });
  router.Add("HEAD", path + "/{}", [this, check](Request& r) {
    check(r);
    if (!site_.store.table("grants").Has(r.args[0] + "|" + r.args[1] + "|" + r.args[2]))
      Fail(404, "Could not find role assignment.");
    return Response::Empty(204);
  });
  router.Add("DELETE", path + "/{}", [this, check](Request& r) {
    check(r);
    if (!site_.store.table("grants").Erase(r.args[0] + "|" + r.args[1] + "|" + r.args[2]))
      Fail(404, "Could not find role assignment.");
    RevokeTokensOf(r.args[1], r.args[0]);
    return Response::Empty(204);
  });
  router.Add("GET", path, [this, check](Request& r) {
    check(r);
    json out = json::array();
    for (const std::string& id : site_.store.table("grants").Where("user_id", r.args[1])) {
      const json& g = *site_.store.table("grants").Find(id);
      if (g.at("project_id") == r.args[0]) out.push_back(*site_.store.table("roles").Find(Text(g, "role_id")));
    }
    return Response::Json(200, {{"roles", out}, {"links", {{"next", nullptr}, {"previous", nullptr}}}});
  });
  router.Add("GET", "/v3/role_assignments", [this](Request& r) {
    if (!r.identity.is_admin && r.Query("user.id") != r.identity.user_id)
      RequireAdmin(r, "identity:list_role_assignments");
    bool names = r.HasQuery("include_names") && Lower(r.Query("include_names")) != "false";
    json out = json::array();
    site_.store.table("grants").Each([&](const std::string&, const json& g) {
      if (r.HasQuery("user.id") && g.at("user_id") != r.Query("user.id")) return;
      if (r.HasQuery("scope.project.id") && g.at("project_id") != r.Query("scope.project.id")) return;
      if (r.HasQuery("role.id") && g.at("role_id") != r.Query("role.id")) return;
      std::string p = Text(g, "project_id"), u = Text(g, "user_id"), role = Text(g, "role_id");
      json entry;
      if (names) {
        entry = {{"role", Reference("roles", role, false)},
                 {"user", Reference("users", u, true)},
                 {"scope", {{"project", Reference("projects", p, true)}}}};
      } else {
        entry = {{"role", {{"id", role}}}, {"user", {{"id", u}}}, {"scope", {{"project", {{"id", p}}}}}};
      }
      entry["links"] = {
          {"assignment", fmt::format("{}/v3/projects/{}/users/{}/roles/{}", site_.config.Url("keystone"), p, u, role)}};
      out.push_back(std::move(entry));
    });
    return Response::Json(200, {{"role_assignments", out},
                                {"links",
                                 {{"next", nullptr},
                                  {"self", site_.config.Url("keystone") + "/v3/role_assignments"},
                                  {"previous", nullptr}}}});
  });
}

void Keystone::AddCredentialRoutes(Router& router) {
  const std::string path = "/v3/users/{}/application_credentials";
  auto own = [](Request& r) {
    if (r.args[0] != r.identity.user_id) RequireAdmin(r, "identity:get_application_credential");
  };
  auto shown = [this](json c) {
    json roles = json::array();
    for (const json& id : c.at("role_ids")) roles.push_back(Reference("roles", id.get<std::string>(), false));
    c["roles"] = roles;
    c.erase("hidden");
    c.erase("role_ids");
    c["links"] = {{"self", site_.config.Url("keystone") + "/v3/users/" + Text(c, "user_id") +
                               "/application_credentials/" + Text(c, "id")}};
    return c;
  };
  router.Add("POST", path, [this, shown](Request& r) {
    if (r.args[0] != r.identity.user_id) RequireAdmin(r, "identity:create_application_credential");
    const json given = Member(r.content, "application_credential");
    if (Text(given, "name").empty()) Fail(400, "'name' is a required property");
    std::string secret = Text(given, "secret", RandomText(86));
    json roles = json::array();
    for (const std::string& name : r.identity.roles) {
      site_.store.table("roles").Each([&](const std::string& id, const json& doc) {
        bool wanted = !given.contains("roles");
        const json asked = given.value("roles", json::array());
        for (const json& w : asked) wanted = wanted || Text(w, "id") == id || Text(w, "name") == name;
        if (Text(doc, "name") == name && wanted) roles.push_back(id);
      });
    }
    std::string id = NewHexId();
    json doc = {{"id", id},
                {"name", given.at("name")},
                {"description", Member(given, "description")},
                {"user_id", r.args[0]},
                {"project_id", r.identity.project_id},
                {"role_ids", roles},
                {"expires_at", Member(given, "expires_at")},
                {"unrestricted", given.value("unrestricted", false)},
                {"system", nullptr},
                {"hidden", HideSecret(secret)}};
    site_.store.table("app_credentials").Put(id, doc);
    json out = shown(doc);
    out["secret"] = secret;
    return Response::Json(201, {{"application_credential", out}});
  });
  router.Add("GET", path, [this, own, shown](Request& r) {
    own(r);
    json out = json::array();
    site_.store.table("app_credentials").Each([&](const std::string&, const json& c) {
      if (c.at("user_id") == r.args[0] && (!r.HasQuery("name") || Text(c, "name") == r.Query("name")))
        out.push_back(shown(c));
    });
    return Response::Json(200, {{"application_credentials", out}, {"links", json::object()}});
  });
  router.Add("GET", path + "/{}", [this, own, shown](Request& r) {
    own(r);
    const json* c = site_.store.table("app_credentials").Find(r.args[1]);
    if (c == nullptr) Fail(404, fmt::format("Could not find Application Credential: {}.", r.args[1]));
    return Response::Json(200, {{"application_credential", shown(*c)}});
  });
  router.Add("DELETE", path + "/{}", [this, own](Request& r) {
    own(r);
    if (!site_.store.table("app_credentials").Erase(r.args[1]))
      Fail(404, fmt::format("Could not find Application Credential: {}.", r.args[1]));
    Table& tokens = site_.store.table("tokens");
    for (const std::string& id : tokens.Ids()) {
      if (Text(*tokens.Find(id), "app_credential_id") == r.args[1]) tokens.Erase(id);
    }
    return Response::Empty(204);
  });
}

}  // namespace protector::ossim
