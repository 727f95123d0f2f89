#include <algorithm>

#include <fmt/format.h>

#include "simulators/openstack/core/util.h"
#include "simulators/openstack/keystone/keystone.h"
#include "simulators/openstack/keystone/secret.h"

namespace protector::ossim {
namespace {

[[noreturn]] void Unauthenticated() {
  Fail(401, "The request you have made requires authentication.");
}

}  // namespace

json Keystone::Reference(const char* table, const std::string& id, bool with_domain) {
  const json* doc = site_.store.table(table).Find(id);
  json out = {{"id", id}, {"name", doc == nullptr ? "" : Text(*doc, "name")}};
  if (with_domain) out["domain"] = {{"id", "default"}, {"name", "Default"}};
  return out;
}

const json* Keystone::FindUser(const json& user) {
  if (user.contains("id")) return site_.store.table("users").Find(Text(user, "id"));
  const json domain = Member(user, "domain");
  if (!(Text(domain, "id") == "default" || Text(domain, "name") == "Default")) return nullptr;
  return site_.store.table("users").Find(UserId(Text(user, "name")));
}

const json* Keystone::FindProject(const json& project) {
  if (project.contains("id")) return site_.store.table("projects").Find(Text(project, "id"));
  const json domain = Member(project, "domain");
  if (!(Text(domain, "id") == "default" || Text(domain, "name") == "Default")) return nullptr;
  const json* found = nullptr;
  site_.store.table("projects").Each([&](const std::string&, const json& doc) {
    if (Text(doc, "name") == Text(project, "name")) found = &doc;
  });
  return found;
}

std::string Keystone::CheckPassword(const json& user) {
  const json* doc = FindUser(user);
  if (doc == nullptr || !doc->value("enabled", true) || !SecretFits(Text(*doc, "secret"), Text(user, "password")))
    Unauthenticated();
  return Text(*doc, "id");
}

Keystone::Scope Keystone::ReadScope(const json& auth, const json& user) {
  Scope scope;
  const json asked = Member(auth, "scope");
  if (asked.is_object() && asked.contains("project")) {
    const json* project = FindProject(asked.at("project"));
    if (project == nullptr || !project->value("enabled", true)) Unauthenticated();
    scope.project_id = Text(*project, "id");
  } else if (asked.is_object() && asked.contains("domain")) {
    scope.domain_id = "default";
  } else if (asked.is_object() && asked.contains("system")) {
    scope.system = true;
  } else if (asked.is_null() && !Text(user, "default_project_id").empty()) {
    scope.project_id = Text(user, "default_project_id");
  } else {
    scope.unscoped = true;
  }
  return scope;
}

std::vector<std::string> Keystone::RoleIds(const json& token) {
  std::vector<std::string> ids;
  std::string user = Text(token, "user_id"), project = Text(token, "project_id");
  std::map<std::string, std::string> by_name;
  site_.store.table("roles").Each([&](const std::string& id, const json& doc) { by_name[Text(doc, "name")] = id; });
  bool anywhere = token.value("system", false) || !Text(token, "domain_id").empty();
  const json limited = Member(token, "role_ids");
  for (const std::string& grant : site_.store.table("grants").Where("user_id", user)) {
    const json& doc = *site_.store.table("grants").Find(grant);
    std::string role = Text(doc, "role_id");
    if (anywhere ? role != by_name["admin"] : Text(doc, "project_id") != project) continue;
    ids.push_back(role);
  }
  auto has = [&](const std::string& id) { return std::find(ids.begin(), ids.end(), id) != ids.end(); };
  // admin implies member implies reader, as keystone-manage bootstrap sets it up.
  if (has(by_name["admin"]) && !has(by_name["member"])) ids.push_back(by_name["member"]);
  if (has(by_name["member"]) && !has(by_name["reader"])) ids.push_back(by_name["reader"]);
  if (limited.is_array()) {
    ids.erase(std::remove_if(ids.begin(), ids.end(),
                             [&](const std::string& id) {
                               return std::find(limited.begin(), limited.end(), id) == limited.end();
                             }),
              ids.end());
  }
  return ids;
}

json Keystone::Catalog(const std::string& project_id) {
  json out = json::array();
  site_.store.table("services").Each([&](const std::string& sid, const json& service) {
    json endpoints = json::array();
    site_.store.table("endpoints").Each([&](const std::string&, const json& e) {
      if (Text(e, "service_id") != sid) return;
      std::string url = Text(e, "url");
      size_t at = url.find("%(project_id)s");
      if (at != std::string::npos) {
        if (project_id.empty()) return;
        url.replace(at, 14, project_id);
      }
      endpoints.push_back({{"id", e.at("id")},
                           {"interface", e.at("interface")},
                           {"region", e.at("region")},
                           {"region_id", e.at("region_id")},
                           {"url", url}});
    });
    out.push_back({{"id", sid}, {"type", service.at("type")}, {"name", service.at("name")}, {"endpoints", endpoints}});
  });
  return out;
}

json Keystone::TokenBody(const json& token, bool with_catalog) {
  json out = {{"methods", token.at("methods")},
              {"audit_ids", token.at("audit_ids")},
              {"expires_at", IsoMicrosZ(token.at("expires_ms").get<int64_t>())},
              {"issued_at", IsoMicrosZ(token.at("issued_ms").get<int64_t>())}};
  out["user"] = Reference("users", Text(token, "user_id"), true);
  out["user"]["password_expires_at"] = nullptr;
  json roles = json::array();
  for (const std::string& id : RoleIds(token)) roles.push_back(Reference("roles", id, false));
  std::string project = Text(token, "project_id");
  if (!project.empty()) {
    out["project"] = Reference("projects", project, true);
    out["is_domain"] = false;
  } else if (token.value("system", false)) {
    out["system"] = {{"all", true}};
  } else if (!Text(token, "domain_id").empty()) {
    out["domain"] = {{"id", "default"}, {"name", "Default"}};
  } else {
    return out;  // unscoped: neither roles nor catalog
  }
  out["roles"] = roles;
  if (with_catalog) out["catalog"] = Catalog(project);
  std::string credential = Text(token, "app_credential_id");
  if (!credential.empty())
    out["application_credential"] = {
        {"id", credential}, {"name", Text(token, "app_credential_name")}, {"restricted", true}};
  return out;
}

const json* Keystone::LiveToken(const std::string& token) {
  if (token.empty()) return nullptr;
  const json* doc = site_.store.table("tokens").Find(Sha256Hex(token));
  if (doc == nullptr || doc->at("expires_ms").get<int64_t>() <= NowMs()) return nullptr;
  return doc;
}

std::optional<Identity> Keystone::Authenticate(const std::string& token) {
  const json* doc = LiveToken(token);
  if (doc == nullptr) return std::nullopt;
  Identity who;
  who.user_id = Text(*doc, "user_id");
  who.project_id = Text(*doc, "project_id");
  who.domain_id = Text(*doc, "domain_id");
  who.system_scope = doc->value("system", false);
  const json* user = site_.store.table("users").Find(who.user_id);
  if (user == nullptr) return std::nullopt;
  who.user_name = Text(*user, "name");
  for (const std::string& id : RoleIds(*doc)) who.roles.push_back(Text(*site_.store.table("roles").Find(id), "name"));
  who.is_admin = who.Has("admin");
  return who;
}

Response Keystone::IssueToken(Request& request) {
  const json auth = Member(request.content, "auth");
  const json identity = Member(auth, "identity");
  const json methods = Member(identity, "methods");
  if (!methods.is_array() || methods.empty()) {
    Fail(
        400,
        "Expecting to find identity in auth. The server could not comply with the request since it is either malformed "
        "or otherwise incorrect. The client is assumed to be in error.");
  }
  Table& tokens = site_.store.table("tokens");
  int64_t now = NowMs();
  json doc = {{"methods", methods},
              {"issued_ms", now},
              {"expires_ms", now + site_.config.token_expiration_s * 1000},
              {"audit_ids", {RandomText(22)}}};
  for (const json& name : methods) {
    if (name == "password") {
      doc["user_id"] = CheckPassword(Member(Member(identity, "password"), "user"));
    } else if (name == "token") {
      const json* old = LiveToken(Text(Member(identity, "token"), "id"));
      if (old == nullptr) Unauthenticated();
      doc["user_id"] = Text(*old, "user_id");
      doc["expires_ms"] = old->at("expires_ms");
      doc["audit_ids"].push_back(old->at("audit_ids")[0]);
      for (const json& m : old->at("methods")) {
        if (std::find(doc["methods"].begin(), doc["methods"].end(), m) == doc["methods"].end())
          doc["methods"].push_back(m);
      }
    } else if (name == "application_credential") {
      const json given = Member(identity, "application_credential");
      const json* credential = site_.store.table("app_credentials").Find(Text(given, "id"));
      if (credential == nullptr && given.contains("name")) {
        const json* user = FindUser(Member(given, "user"));
        site_.store.table("app_credentials").Each([&](const std::string&, const json& c) {
          if (user != nullptr && c.at("user_id") == user->at("id") && c.at("name") == given.at("name")) credential = &c;
        });
      }
      if (credential == nullptr || !SecretFits(Text(*credential, "hidden"), Text(given, "secret"))) Unauthenticated();
      int64_t ends = ParseIso(Text(*credential, "expires_at"));
      if (ends > 0 && ends <= now) Unauthenticated();
      doc["user_id"] = credential->at("user_id");
      doc["project_id"] = credential->at("project_id");
      doc["role_ids"] = credential->at("role_ids");
      doc["app_credential_id"] = credential->at("id");
      doc["app_credential_name"] = credential->at("name");
    } else {
      Unauthenticated();
    }
  }
  const json* user = site_.store.table("users").Find(Text(doc, "user_id"));
  if (user == nullptr) Unauthenticated();
  if (!doc.contains("app_credential_id")) {
    Scope scope = ReadScope(auth, *user);
    doc["project_id"] = scope.project_id;
    doc["domain_id"] = scope.domain_id;
    doc["system"] = scope.system;
    if (!scope.unscoped && RoleIds(doc).empty()) Unauthenticated();
  }
  if (tokens.size() > 5000) {
    for (const std::string& id : tokens.Ids()) {
      if (tokens.Find(id)->at("expires_ms").get<int64_t>() <= now) tokens.Erase(id);
    }
  }
  std::string token = "gAAAAAB" + RandomText(176);
  tokens.Put(Sha256Hex(token), doc);
  Response r = Response::Json(201, {{"token", TokenBody(doc, !request.HasQuery("nocatalog"))}});
  r.headers.emplace_back("X-Subject-Token", token);
  return r;
}

Response Keystone::ShowToken(Request& request) {
  std::string subject = request.Header("x-subject-token");
  const json* doc = LiveToken(subject);
  if (doc == nullptr) {
    const bool fernet = subject.rfind("gAAAAA", 0) == 0;
    Fail(404, fernet ? "Could not find token: The resource could not be found." : "Could not recognize Fernet token");
  }
  Response r = Response::Json(200, {{"token", TokenBody(*doc, !request.HasQuery("nocatalog"))}});
  if (request.method == "HEAD") r = Response::Empty(200);
  r.headers.emplace_back("X-Subject-Token", subject);
  return r;
}

Response Keystone::RevokeToken(Request& request) {
  std::string subject = request.Header("x-subject-token");
  if (LiveToken(subject) == nullptr) Fail(404, "Could not find token: The resource could not be found.");
  site_.store.table("tokens").Erase(Sha256Hex(subject));
  return Response::Empty(204);
}

void Keystone::RevokeTokensOf(const std::string& user_id, const std::string& project_id) {
  Table& tokens = site_.store.table("tokens");
  for (const std::string& id : tokens.Ids()) {
    const json& token = *tokens.Find(id);
    if (Text(token, "user_id") == user_id && Text(token, "project_id") == project_id) tokens.Erase(id);
  }
}

void Keystone::AddTokenRoutes(Router& router) {
  router.Add("POST", "/v3/auth/tokens", [this](Request& r) { return IssueToken(r); }).needs_token = false;
  router.Add("GET", "/v3/auth/tokens", [this](Request& r) { return ShowToken(r); });
  router.Add("HEAD", "/v3/auth/tokens", [this](Request& r) { return ShowToken(r); });
  router.Add("DELETE", "/v3/auth/tokens", [this](Request& r) { return RevokeToken(r); });
  router.Add("GET", "/v3/auth/catalog", [this](Request& r) {
    return Response::Json(200, {{"catalog", Catalog(r.identity.project_id)}, {"links", json::object()}});
  });
}

}  // namespace protector::ossim
