// Identity: tokens (password, application credential, token), catalog, projects, users, roles, grants.
// Threads: methods need the site's lock (routes take it). Secrets are kept only as salted digests, tokens as digests.
// Failure: ApiError inside handlers.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "simulators/openstack/core/site.h"
#include "simulators/openstack/http/api_server.h"

namespace protector::ossim {

class Keystone {
 public:
  explicit Keystone(Site& site) : site_(site) {}

  void Seed();  // first start only
  std::unique_ptr<Service> Build();
  std::optional<Identity> Authenticate(const std::string& token);

  // "" when there is no such project.
  std::string ProjectId(const std::string& name_or_id);
  std::string UserId(const std::string& name);
  void ExpireTokens();
  // As Keystone does when a role is taken from a user in a project.
  void RevokeTokensOf(const std::string& user_id, const std::string& project_id);

 private:
  struct Scope {
    std::string project_id, domain_id;
    bool system = false;
    bool unscoped = false;
  };
  Response IssueToken(Request& request);
  Response ShowToken(Request& request);
  Response RevokeToken(Request& request);
  std::string CheckPassword(const json& user);
  const json* FindUser(const json& user);
  const json* FindProject(const json& project);
  Scope ReadScope(const json& auth, const json& user);
  std::vector<std::string> RoleIds(const json& token);
  json TokenBody(const json& token, bool with_catalog);
  json Catalog(const std::string& project_id);
  json Reference(const char* table, const std::string& id, bool with_domain);
  const json* LiveToken(const std::string& token);

  void AddTokenRoutes(Router& router);
  void AddResourceRoutes(Router& router);
  void AddGrantRoutes(Router& router);
  void AddCredentialRoutes(Router& router);
  void AddCollection(Router& router, const std::string& table, const std::string& singular, const std::string& plural);

  Site& site_;
};

void RequireAdmin(const Request& request, const std::string& rule);

}  // namespace protector::ossim
