#include "libs/users/users.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>

#include "libs/base/error.h"
#include "libs/base/sha256.h"
#include "libs/grpc/unary.h"
#include "libs/http/curl_client.h"
#include "libs/openstack/own_token.h"
#include "protector/identity/v1/identity.grpc.pb.h"

namespace protector::users {
namespace {

namespace pb = ::protector::identity::v1;

constexpr size_t kMostKnown = 10000;
constexpr absl::Duration kPatience = absl::Seconds(10);  // with Keystone and with the peer, if the call has as long

std::string List(const std::vector<std::string>& words) {
  return words.empty() ? "none" : fmt::format("{}", fmt::join(words, ", "));
}

class IdentityTransport final : public pb::IdentityService::CallbackService {
 public:
  IdentityTransport(rpc::Host& host, Gate& gate) : host_(host), gate_(gate) {}

  ::grpc::ServerUnaryReactor* IdentifyUser(::grpc::CallbackServerContext* context,
                                           const pb::IdentifyUserRequest* request, pb::User* response) override {
    return rpc::Unary(
        host_, context, request, response, "IdentityService/IdentifyUser",
        [this](const rpc::CallContext& call, const pb::IdentifyUserRequest& r) -> absl::StatusOr<pb::User> {
          const rpc::Credentials credentials{r.token(), "", ""};
          std::shared_ptr<const rpc::User> user = gate_.Known(credentials);
          if (user == nullptr) {
            PROTECTOR_ASSIGN_OR_RETURN(user, gate_.Identify(credentials, call.deadline, call.request_id));
          }
          return ToProto(*user);
        });
  }

 private:
  static pb::User ToProto(const rpc::User& user) {
    pb::User out;
    out.set_id(user.id);
    out.set_name(user.name);
    out.set_domain(user.domain);
    out.set_project_id(user.project.project_id);
    out.set_project_name(user.project.project_name);
    out.set_project_domain(user.project_domain);
    for (const std::string& role : user.roles) out.add_roles(role);
    *out.mutable_expires_at() =
        google::protobuf::util::TimeUtil::MillisecondsToTimestamp(absl::ToUnixMillis(user.expires_at));
    return out;
  }

  rpc::Host& host_;
  Gate& gate_;
};

}  // namespace

config::Schema UsersConfigKeys() {
  using config::Type;
  config::Schema schema;
  schema.Add(
      {.path = "users.policy_file",
       .doc = "Who may do what (deploy/config/policy.sample.yaml); read again when it changes. Empty: the defaults.",
       .default_value = ""});
  schema.Add({.path = "users.token_cache",
              .type = Type::kDuration,
              .doc = "How long what Keystone said of a user's token counts: a revoked token and a withdrawn role are "
                     "noticed within this time.",
              .default_value = "30s"});
  return schema;
}

config::Schema KeystoneConfigKeys() {
  config::Schema schema;
  schema.Add({.path = "cloud.auth_url",
              .doc = "Keystone of this site: asked whom the token of a command belongs to.",
              .required = true,
              .example = "http://127.0.10.1:5000/v3"});
  schema.Add({.path = "cloud.ca_file",
              .doc = "PEM file with the CA of Keystone's certificate; empty: the system's.",
              .default_value = ""});
  schema.Add({.path = "cloud.insecure",
              .type = config::Type::kBoolean,
              .doc = "Accept any certificate. For a lab only.",
              .default_value = "false"});
  return schema;
}

std::pair<std::set<rpc::Caller>, std::vector<std::string>> IdentityRow(const std::string& program) {
  return {{rpc::There(program)}, {"IdentifyUser"}};
}

Gate::Gate(const GateOptions& options, http::HttpClient& http, PolicyFile& policy, Clock& clock,
           const rpc::Security& security, PeerAddress peer)
    : options_(options), http_(http), policy_(policy), clock_(clock), security_(security), peer_(std::move(peer)) {}

std::string Gate::KeyOf(const rpc::Credentials& credentials) const {
  const std::string& site = credentials.site.empty() ? options_.site : credentials.site;
  return Sha256Hex(site + "\n" + credentials.token);
}

std::shared_ptr<const rpc::User> Gate::Known(const rpc::Credentials& credentials) {
  const std::string key = KeyOf(credentials);
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(key);
  return found != known_.end() && clock_.Monotonic() < found->second.until ? found->second.user : nullptr;
}

void Gate::Remember(const std::string& key, const std::shared_ptr<const rpc::User>& user) {
  const absl::Duration now = clock_.Monotonic();
  const absl::Duration counts = std::min(options_.counts_for, user->expires_at - clock_.Now());
  const std::lock_guard lock(mutex_);
  if (now >= swept_ + options_.counts_for || known_.size() >= kMostKnown) {
    std::erase_if(known_, [&](const auto& entry) { return entry.second.until <= now; });
    if (known_.size() >= kMostKnown) known_.clear();
    swept_ = now;
  }
  known_[key] = {user, now + counts};
}

absl::StatusOr<rpc::User> Gate::AskKeystone(const std::string& token, absl::Time deadline,
                                            const std::string& request_id) {
  PROTECTOR_ASSIGN_OR_RETURN(const openstack::TokenInfo info,
                             openstack::AskAboutToken(http_, options_.auth_url, token, deadline, request_id));
  rpc::User user;
  user.id = info.user_id;
  user.name = info.user_name;
  user.domain = info.user_domain_name;
  user.project = {options_.site, info.project_id, info.project_name};
  user.project_domain = info.project_domain_name;
  user.roles = info.roles;
  user.expires_at = info.expires_at;
  return user;
}

absl::StatusOr<rpc::User> Gate::AskPeer(const rpc::Credentials& credentials, absl::Time deadline,
                                        const std::string& request_id) {
  const auto unknown = [&](const absl::Status& why) -> absl::Status {
    return Error(absl::StatusCode::kUnavailable, "KEYSTONE_UNREACHABLE",
                 fmt::format("{} cannot find out who makes the call: {} issued the token, and it cannot be asked: {}",
                             options_.site, credentials.site, MessageOf(why)))
        .Object(fmt::format("{} of {}", options_.program, credentials.site))
        .Remedy(fmt::format("Use credentials of {0} (its openrc file), or name a cloud of clouds.yaml for {0} in "
                            "protector.yaml.",
                            options_.site));
  };
  const absl::StatusOr<std::string> address = peer_(credentials);
  if (!address.ok()) return unknown(address.status());
  auto stub = pb::IdentityService::NewStub(connectors_.Get(*address, {credentials.site, options_.program}, security_));
  pb::IdentifyUserRequest request;
  request.set_token(credentials.token);
  rpc::CallOptions how(deadline - absl::Now(),
                       fmt::format("{} of {} at {}", options_.program, credentials.site, *address));
  how.request_id = request_id;
  how.repeat = rpc::Repeat::kIfIdempotent;
  const auto answer = rpc::Call(static_cast<pb::IdentityService::StubInterface&>(*stub),
                                &pb::IdentityService::StubInterface::IdentifyUser, request, how);
  if (!answer.ok()) return rpc::IsNoAnswer(answer.status()) ? unknown(answer.status()) : answer.status();
  rpc::User user;
  user.id = answer->id();
  user.name = answer->name();
  user.domain = answer->domain();
  user.project = {credentials.site, answer->project_id(), answer->project_name()};
  user.project_domain = answer->project_domain();
  user.roles.assign(answer->roles().begin(), answer->roles().end());
  user.expires_at =
      absl::FromUnixMillis(google::protobuf::util::TimeUtil::TimestampToMilliseconds(answer->expires_at()));
  return user;
}

absl::StatusOr<std::shared_ptr<const rpc::User>> Gate::Identify(const rpc::Credentials& credentials,
                                                                absl::Time deadline, const std::string& request_id) {
  const absl::Time until = std::min(deadline, absl::Now() + kPatience);
  const bool ours = credentials.site.empty() || credentials.site == options_.site;
  PROTECTOR_ASSIGN_OR_RETURN(rpc::User user, ours ? AskKeystone(credentials.token, until, request_id)
                                                  : AskPeer(credentials, until, request_id));
  if (user.project.project_id.empty()) {
    return Error(absl::StatusCode::kPermissionDenied, "TOKEN_WITHOUT_PROJECT",
                 fmt::format("the token of {} is for no project", user.name))
        .Object("user " + user.name)
        .Remedy("Set OS_PROJECT_NAME (or project_name in clouds.yaml): commands work in a project.");
  }
  auto known = std::make_shared<const rpc::User>(std::move(user));
  Remember(KeyOf(credentials), known);
  return known;
}

absl::Status Gate::Decide(const std::string& method, const rpc::User& user) {
  const auto target = options_.targets.find(method);
  return Require(target == options_.targets.end() ? method : target->second, user);
}

bool Gate::Allows(const std::string& rule, const rpc::CallContext& call) {
  return call.proven == nullptr || policy_.Current()->Allows(rule, *call.proven);
}

absl::Status Gate::Require(const std::string& rule, const rpc::User& user) {
  const std::shared_ptr<const Policy> policy = policy_.Current();
  if (policy->Allows(rule, user)) return absl::OkStatus();
  return Error(absl::StatusCode::kPermissionDenied, "NOT_ALLOWED",
               fmt::format("{} is not allowed to {} with the roles {} in project {}", rule, user.name, List(user.roles),
                           user.project.project_name))
      .Object("rule " + rule)
      .Remedy(fmt::format("The policy wants \"{}\": ask an administrator of the cloud for such a role, or of Protector "
                          "for another rule.",
                          policy->Text(rule)));
}

bool Gate::InAllProjects(const rpc::User& user) {
  return policy_.Current()->Allows("all_projects", user);
}

struct Users::Parts {
  Parts(std::unique_ptr<http::HttpClient> client, std::unique_ptr<PolicyFile> file, const rpc::Environment& environment,
        const GateOptions& options, PeerAddress peer)
      : http(std::move(client)),
        policy(std::move(file)),
        gate(options, *http, *policy, environment.clock, environment.security, std::move(peer)),
        identity(environment.host, gate) {}

  std::unique_ptr<http::HttpClient> http;
  std::unique_ptr<PolicyFile> policy;
  Gate gate;
  IdentityTransport identity;
};

Users::Users(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Users::~Users() = default;

::grpc::Service* Users::service() {
  return &parts_->identity;
}

Gate& Users::gate() {
  return parts_->gate;
}

absl::StatusOr<std::unique_ptr<Users>> Users::Make(const rpc::Environment& environment, const std::string& program,
                                                   const Targets& targets, PeerAddress peer) {
  const config::Config& config = environment.config;
  GateOptions options{.site = environment.site,
                      .program = program,
                      .auth_url = config.GetString("cloud.auth_url"),
                      .counts_for = config.GetDuration("users.token_cache"),
                      .targets = targets};
  PROTECTOR_ASSIGN_OR_RETURN(
      auto policy,
      PolicyFile::Open(config.GetString("users.policy_file"), [logger = environment.logger](const absl::Status& why) {
        logger.Error("the policy file has changed and is wrong; what it said before holds", why);
      }));
  http::CurlOptions curl;
  curl.ca_file = config.GetString("cloud.ca_file");
  curl.insecure = config.GetBoolean("cloud.insecure");
  std::unique_ptr<Users> users(new Users(std::make_unique<Parts>(
      http::NewCurlHttpClient(curl, environment.clock), std::move(policy), environment, options, std::move(peer))));
  if (!environment.security.insecure()) environment.host.SetUserGate(users->gate());
  return users;
}

}  // namespace protector::users
