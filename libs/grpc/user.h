#pragma once
// Who types the commands: a Keystone user, as the service's own site's Keystone (or, for a token of the other site's,
// the service's peer there) says from the token that the command line sends with each call.
//
// Threads: values; a UserGate may be called from any thread. Ownership: the gate outlives the host's server. Failure:
// TOKEN_REFUSED (UNAUTHENTICATED), KEYSTONE_UNREACHABLE (UNAVAILABLE), TOKEN_WITHOUT_PROJECT, NOT_ALLOWED
// (PERMISSION_DENIED).

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/base/tenant.h"

namespace protector::rpc {

struct User {
  std::string id;
  std::string name;
  std::string domain;          // its name
  Tenant project;              // that the token is for
  std::string project_domain;  // its name
  std::vector<std::string> roles;
  absl::Time expires_at = absl::InfinitePast();  // of the token

  bool HasRole(const std::string& role) const;  // in any case, as Keystone compares them
};

// What a caller shows.
struct Credentials {
  std::string token;  // a secret
  std::string site;   // whose Keystone issued it; empty: this service's
  // Where that site's registry is, for a registry that does not know the site yet. Only a hint: who answers there has
  // to prove to be it.
  std::string registry;
};

class UserGate {
 public:
  virtual ~UserGate() = default;

  // Whom the token was found to belong to a moment ago; nullptr: has to be asked. Never blocks.
  virtual std::shared_ptr<const User> Known(const Credentials& credentials) = 0;
  // Asks. Blocks until the deadline at the latest.
  virtual absl::StatusOr<std::shared_ptr<const User>> Identify(const Credentials& credentials, absl::Time deadline,
                                                               const std::string& request_id) = 0;
  // Whether the policy lets the user call the method ("CreateGroup").
  virtual absl::Status Decide(const std::string& method, const User& user) = 0;
  // Whether the policy lets the user work in all projects; else it stays within its token's.
  virtual bool InAllProjects(const User& user) = 0;
  // How long an answer counts; open streams are looked at again after it.
  virtual absl::Duration CountsFor() const = 0;
};

}  // namespace protector::rpc
