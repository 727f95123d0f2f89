#include "libs/openstack/keystone.h"

#include "libs/base/error.h"
#include "libs/openstack/api_client.h"

namespace protector::openstack {
namespace {

using json::Value;

Project DecodeProject(const Value& project) {
  return {project.GetStringOr("id", ""), project.GetStringOr("name", ""), project.GetStringOr("domain_id", ""),
          project.GetStringOr("description", ""), project.GetBoolOr("enabled", true)};
}

Domain DecodeDomain(const Value& domain) {
  return {domain.GetStringOr("id", ""), domain.GetStringOr("name", ""), domain.GetBoolOr("enabled", true)};
}

class Keystone final : public KeystoneApi {
 public:
  explicit Keystone(Session& session) : api_(session, Service::kIdentity) {}

  absl::StatusOr<TokenInfo> Self(const CallContext& call) override {
    PROTECTOR_ASSIGN_OR_RETURN(const std::shared_ptr<const Token> token, api_.session().GetToken(call));
    return token->info;
  }

  absl::StatusOr<TokenInfo> ValidateToken(const CallContext& call, const std::string& token) override {
    const absl::Status refused = Error(absl::StatusCode::kUnauthenticated, "NOT_AUTHENTICATED",
                                       "keystone: the caller's token is unknown or has expired")
                                     .Object("token of the caller")
                                     .Remedy("Log in again: the credentials of this cloud give a new token.");
    if (token.empty() || token.find_first_of("\r\n") != std::string::npos) return refused;
    ApiRequest request;
    request.service = Service::kIdentity;
    request.path = request.route = "/auth/tokens";
    request.query = "nocatalog";
    request.object = "token of the caller";
    request.headers = {{"X-Subject-Token", token}};
    const absl::StatusOr<Value> answer = api_.session().SendForJson(call, request);
    if (HttpStatusOf(answer.status()) == 404) return refused;
    if (!answer.ok()) return answer.status();
    return ParseTokenInfo(*answer);
  }

  absl::StatusOr<Project> GetProject(const CallContext& call, const std::string& id) override {
    PROTECTOR_ASSIGN_OR_RETURN(const Value project,
                               Member(api_.Get(call, Item("/projects", id, "project")), "project", "project " + id));
    return DecodeProject(project);
  }

  absl::StatusOr<std::vector<Project>> ListProjects(const CallContext& call, const std::string& name,
                                                    const std::string& domain_id) override {
    return Projects(call, "/projects", Query().Add("name", name).Add("domain_id", domain_id));
  }

  absl::StatusOr<std::vector<Project>> ListOwnProjects(const CallContext& call) override {
    return Projects(call, "/auth/projects", {});
  }

  absl::StatusOr<Domain> GetDomain(const CallContext& call, const std::string& id) override {
    PROTECTOR_ASSIGN_OR_RETURN(const Value domain,
                               Member(api_.Get(call, Item("/domains", id, "domain")), "domain", "domain " + id));
    return DecodeDomain(domain);
  }

  absl::StatusOr<std::vector<Domain>> ListDomains(const CallContext& call, const std::string& name) override {
    PROTECTOR_ASSIGN_OR_RETURN(const Value answer,
                               api_.Get(call, Whole("/domains", "list of domains"), Query().Add("name", name)));
    std::vector<Domain> domains;
    for (const Value& domain : answer.GetItems("domains")) domains.push_back(DecodeDomain(domain));
    return domains;
  }

  absl::StatusOr<User> GetUser(const CallContext& call, const std::string& id) override {
    PROTECTOR_ASSIGN_OR_RETURN(const Value user,
                               Member(api_.Get(call, Item("/users", id, "user")), "user", "user " + id));
    return User{user.GetStringOr("id", ""), user.GetStringOr("name", ""), user.GetStringOr("domain_id", ""),
                user.GetStringOr("default_project_id", ""), user.GetBoolOr("enabled", true)};
  }

  absl::StatusOr<std::vector<RoleAssignment>> ListRoleAssignments(const CallContext& call, const std::string& user_id,
                                                                  const std::string& project_id) override {
    Query query;
    query.Add("user.id", user_id)
        .Add("scope.project.id", project_id)
        .Add("effective", "True")
        .Add("include_names", "True");
    PROTECTOR_ASSIGN_OR_RETURN(const Value answer,
                               api_.Get(call, Whole("/role_assignments", "list of role assignments"), query));
    std::vector<RoleAssignment> assignments;
    for (const Value& item : answer.GetItems("role_assignments")) {
      assignments.push_back({item.GetStringOr("role.id", ""), item.GetStringOr("role.name", ""),
                             item.GetStringOr("user.id", ""), item.GetStringOr("scope.project.id", "")});
    }
    return assignments;
  }

 private:
  absl::StatusOr<std::vector<Project>> Projects(const CallContext& call, const std::string& path, const Query& query) {
    PROTECTOR_ASSIGN_OR_RETURN(const Value answer, api_.Get(call, Whole(path, "list of projects"), query));
    std::vector<Project> projects;
    for (const Value& project : answer.GetItems("projects")) projects.push_back(DecodeProject(project));
    return projects;
  }

  ApiClient api_;
};

}  // namespace

std::unique_ptr<KeystoneApi> NewKeystone(Session& session) {
  return std::make_unique<Keystone>(session);
}

}  // namespace protector::openstack
