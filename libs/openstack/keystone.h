#pragma once
// Keystone v3 as the product uses it. Threads: implementations are safe for all. Ownership: values. Failure: see
// call.h.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/openstack/call.h"

namespace protector::openstack {

struct Endpoint {
  std::string service_type;  // compute, volumev3, block-storage, network, image, identity, placement
  std::string service_name;
  std::string interface;  // public, internal, admin
  std::string region;
  std::string url;
};

// What a token says. The token itself is not in it.
struct TokenInfo {
  std::string user_id;
  std::string user_name;
  std::string user_domain_id;
  std::string user_domain_name;
  std::string project_id;  // empty: not scoped to a project
  std::string project_name;
  std::string project_domain_id;
  std::string project_domain_name;
  std::vector<std::string> roles;  // names
  bool is_admin_project = true;
  absl::Time expires_at = absl::InfinitePast();
  std::vector<Endpoint> catalog;

  bool HasRole(const std::string& name) const;
};

struct Project {
  std::string id;
  std::string name;
  std::string domain_id;
  std::string description;
  bool enabled = true;
};

struct Domain {
  std::string id;
  std::string name;
  bool enabled = true;
};

struct User {
  std::string id;
  std::string name;
  std::string domain_id;
  std::string default_project_id;
  bool enabled = true;
};

struct RoleAssignment {
  std::string role_id;
  std::string role_name;
  std::string user_id;
  std::string project_id;
};

class KeystoneApi {
 public:
  virtual ~KeystoneApi() = default;

  // The client's own token, got now if there is none yet.
  virtual absl::StatusOr<TokenInfo> Self(const CallContext& call) = 0;
  // Another's token, as a service checks its callers'. UNAUTHENTICATED when Keystone does not know it or it has
  // expired.
  virtual absl::StatusOr<TokenInfo> ValidateToken(const CallContext& call, const std::string& token) = 0;

  virtual absl::StatusOr<Project> GetProject(const CallContext& call, const std::string& id) = 0;
  // name, domain_id empty: any. Needs the right to list; a plain user gets its own projects only.
  virtual absl::StatusOr<std::vector<Project>> ListProjects(const CallContext& call, const std::string& name,
                                                            const std::string& domain_id) = 0;
  virtual absl::StatusOr<std::vector<Project>> ListOwnProjects(
      const CallContext& call) = 0;  // those the user can scope to
  virtual absl::StatusOr<Domain> GetDomain(const CallContext& call, const std::string& id) = 0;
  virtual absl::StatusOr<std::vector<Domain>> ListDomains(const CallContext& call, const std::string& name) = 0;
  virtual absl::StatusOr<User> GetUser(const CallContext& call, const std::string& id) = 0;
  // Effective assignments (groups and inheritance resolved) of a user on a project; either may be empty.
  virtual absl::StatusOr<std::vector<RoleAssignment>> ListRoleAssignments(const CallContext& call,
                                                                          const std::string& user_id,
                                                                          const std::string& project_id) = 0;
};

}  // namespace protector::openstack
