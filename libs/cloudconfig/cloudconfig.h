#pragma once
// Where a cloud is and how to log in to it, found and merged as openstacksdk 0.101 and python-openstackclient do:
// clouds.yaml and secure.yaml in the usual places, clouds-public.yaml, OS_* variables, and --os-* options over them
// all.
//
// Threads: pure functions over an Env. Ownership: values. Failure: INVALID_ARGUMENT (a file that is not YAML, an
// unknown region, an environment cloud with a file cloud's name), NOT_FOUND (no such cloud), FAILED_PRECONDITION
// (something needed to log in is missing). No message holds a secret.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace protector::cloudconfig {

// The process as the loader sees it.
class Env {
 public:
  virtual ~Env() = default;
  virtual std::map<std::string, std::string> Variables() const = 0;
  virtual std::string WorkingDirectory() const = 0;
  virtual std::string HomeDirectory() const = 0;
  // The whole file; nullopt when there is none or it cannot be opened by us (both mean: look further).
  virtual std::optional<std::string> ReadFile(const std::string& path) const = 0;
};

std::unique_ptr<Env> NewProcessEnv();

// An Env out of maps, for tests.
struct FakeEnv final : Env {
  std::map<std::string, std::string> variables;
  std::map<std::string, std::string> files;
  std::string working_directory = "/cwd";
  std::string home_directory = "/home/user";

  std::map<std::string, std::string> Variables() const override { return variables; }
  std::string WorkingDirectory() const override { return working_directory; }
  std::string HomeDirectory() const override { return home_directory; }
  std::optional<std::string> ReadFile(const std::string& path) const override;
};

// The --os-* options that were given, by name without "--os-", '-' as '_': {"auth_url", "http://..."}, {"project_name",
// "demo"},
// {"cloud", "site-a"}, {"region_name", ...}, {"cacert", ...}. "insecure" = "true" for --insecure.
using Options = std::map<std::string, std::string>;

struct Cloud {
  std::string name;                         // of the cloud in clouds.yaml, "envvars" or "defaults"
  std::string config_file;                  // where it was found; empty: environment or options only
  std::string auth_type;                    // password, v3password, v3applicationcredential, token, v3token, none, ...
  std::map<std::string, std::string> auth;  // auth_url, username, user_id, password, project_name, project_id,
                                            // user_domain_id/name, project_domain_id/name, application_credential_id/
                                            // _name/_secret, token, domain_id/name, system_scope. Holds secrets.
  std::string region_name;
  std::string interface = "public";  // public, internal, admin
  bool verify = true;
  std::string cacert;
  std::string cert;
  std::string key;
  std::optional<double> api_timeout;  // seconds
  bool force_ipv4 = false;
  std::map<std::string, std::string> extra;  // every other key with a scalar value: compute_api_version,
                                             // identity_endpoint_override, volume_default_microversion, ...

  std::string Auth(const std::string& key) const;   // empty when absent
  std::string Extra(const std::string& key) const;  // empty when absent
  std::string auth_url() const { return Auth("auth_url"); }
};

// The cloud that the options, the environment and the files name. Does not check that it suffices to log in.
absl::StatusOr<Cloud> Load(const Env& env, const Options& options = {});

// OK when `cloud` has what its auth_type needs; else FAILED_PRECONDITION naming the missing keys and where to put them.
absl::Status CheckComplete(const Cloud& cloud);

// The names of all clouds there are, in the order of the file; for messages and completion.
absl::StatusOr<std::vector<std::string>> CloudNames(const Env& env);

}  // namespace protector::cloudconfig
