#pragma once
// The users of a service: whom a token belongs to, for as long as that counts, and what the policy lets them do. A part
// of every service that the command line calls; put together from its configuration.
//
//   users::Users::Make(environment, "orchestrator", MethodTargets(), [&](const rpc::Credentials& of) { ... });
//   ... Services(): {..., users.service()}
//
// A token of this site's Keystone is asked about there, one of the other site's at the peer of this service, which asks
// its own Keystone. What was found out counts for users.token_cache (and never longer than the token), so that a
// withdrawn role or a revoked token is noticed within that time.
//
// Threads: all methods may be called from any thread. Ownership: the environment outlives it; it outlives the server.
// Failure: Make: a policy file that is wrong. Calls: see libs/grpc/user.h.

#include <grpcpp/grpcpp.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/config/config.h"
#include "libs/grpc/client.h"
#include "libs/grpc/service_main.h"
#include "libs/http/client.h"
#include "libs/users/policy.h"

namespace protector::users {

// users.policy_file, users.token_cache.
config::Schema UsersConfigKeys();
// The keys of cloud.* that asking Keystone about a token needs, for a service that has no account at the cloud.
config::Schema KeystoneConfigKeys();

// Method of a service ("CreateGroup") to the rule that decides about it ("protection_group:create"). Every method that
// the command line may call has one.
using Targets = std::map<std::string, std::string>;

// Address of the service of our kind at the site whose Keystone issued a token; of credentials without a site: at the
// other site.
using PeerAddress = std::function<absl::StatusOr<std::string>(const rpc::Credentials& credentials)>;

struct GateOptions {
  std::string site;
  std::string program;  // ours, e.g. "orchestrator"
  std::string auth_url;
  absl::Duration counts_for = absl::Seconds(30);
  Targets targets;
};

class Gate final : public rpc::UserGate {
 public:
  // `http`, `policy`, `clock` and `security` outlive it.
  Gate(const GateOptions& options, http::HttpClient& http, PolicyFile& policy, Clock& clock,
       const rpc::Security& security, PeerAddress peer);

  std::shared_ptr<const rpc::User> Known(const rpc::Credentials& credentials) override;
  absl::StatusOr<std::shared_ptr<const rpc::User>> Identify(const rpc::Credentials& credentials, absl::Time deadline,
                                                            const std::string& request_id) override;
  absl::Status Decide(const std::string& method, const rpc::User& user) override;
  bool InAllProjects(const rpc::User& user) override;
  absl::Duration CountsFor() const override { return options_.counts_for; }

  // Whether the policy allows the caller what the rule of this name is about. Callers without a user (our services;
  // all, without TLS) are not the policy's business.
  bool Allows(const std::string& rule, const rpc::CallContext& call);
  absl::Status Require(const std::string& rule, const rpc::User& user);

 private:
  struct Entry {
    std::shared_ptr<const rpc::User> user;
    absl::Duration until;  // on the monotonic clock: one that is set back keeps no revoked token alive
  };
  std::string KeyOf(const rpc::Credentials& credentials) const;
  absl::StatusOr<rpc::User> AskKeystone(const std::string& token, absl::Time deadline, const std::string& request_id);
  absl::StatusOr<rpc::User> AskPeer(const rpc::Credentials& credentials, absl::Time deadline,
                                    const std::string& request_id);
  void Remember(const std::string& key, const std::shared_ptr<const rpc::User>& user);

  const GateOptions options_;
  http::HttpClient& http_;
  PolicyFile& policy_;
  Clock& clock_;
  const rpc::Security& security_;
  const PeerAddress peer_;
  std::mutex mutex_;
  std::map<std::string, Entry> known_;                // by SHA-256 of token and site
  absl::Duration swept_ = -absl::InfiniteDuration();  // of what counts no more
  rpc::Connectors connectors_;
};

class Users {
 public:
  static absl::StatusOr<std::unique_ptr<Users>> Make(const rpc::Environment& environment, const std::string& program,
                                                     const Targets& targets, PeerAddress peer);
  ~Users();

  ::grpc::Service* service();  // IdentityService
  Gate& gate();

 private:
  struct Parts;
  explicit Users(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// The row of IdentityService for a program's table of callers.
std::pair<std::set<rpc::Caller>, std::vector<std::string>> IdentityRow(const std::string& program);

}  // namespace protector::users
