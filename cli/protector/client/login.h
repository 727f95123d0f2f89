#pragma once
// The tokens that prove to the services which Keystone user gives a command.
//
// Each site is shown a token of its own Keystone where there are credentials for it: those of the environment or
// clouds.yaml for their site, and the cloud that the configuration file names for another (`cloud:`). A site without is
// shown the first one's token, with the name of that site; it asks there.
//
// A token is kept in $XDG_RUNTIME_DIR/protector (the user's own directory in memory), if there is such a directory,
// until shortly before it expires: a login takes longer than most commands. A login that failed is not tried again at
// once: one command makes many calls.
//
// Threads: safe for all. Ownership: env and clock outlive it. Failure: what Keystone said; KEYSTONE_UNREACHABLE;
// LOGIN_HELPER when protector-login cannot be run.

#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "cli/protector/client/site_address.h"
#include "libs/base/clock.h"
#include "libs/cloudconfig/cloudconfig.h"
#include "libs/grpc/user.h"

namespace protector::cli {

// Runs protector-login: its stdin, and what it says on stdout.
using LoginHelper = std::function<absl::StatusOr<std::string>(const std::string& input)>;
// The program beside this one, or in /usr/lib/protector. It is ended when it takes longer than `limit`.
LoginHelper ProcessLoginHelper(absl::Duration limit);

class Login {
 public:
  // `home`: the credentials that the command was given, or why there are none.
  Login(absl::StatusOr<cloudconfig::Cloud> home, const cloudconfig::Env& env, Clock& clock, absl::Duration timeout,
        LoginHelper helper)
      : home_(std::move(home)), env_(env), clock_(clock), timeout_(timeout), helper_(std::move(helper)) {}

  // What to show to a service of `site`. `home`: the site of the credentials, as far as it is known. `renew`: what was
  // shown before was refused.
  absl::StatusOr<rpc::Credentials> For(const SiteAddress& site, const SiteAddress& home, bool renew);

 private:
  struct Token {
    std::string value;
    absl::Time expires_at;
  };
  absl::StatusOr<std::string> TokenOf(const cloudconfig::Cloud& cloud, bool renew);
  absl::StatusOr<Token> LogIn(const cloudconfig::Cloud& cloud);

  const absl::StatusOr<cloudconfig::Cloud> home_;
  const cloudconfig::Env& env_;
  Clock& clock_;
  const absl::Duration timeout_;
  const LoginHelper helper_;
  std::mutex mutex_;
  struct Failure {
    absl::Status status;
    absl::Time until;
  };
  std::map<std::string, Token> tokens_;      // by the credentials' key
  std::map<std::string, Failure> failures_;  // the same
};

}  // namespace protector::cli
