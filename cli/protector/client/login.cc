#include "cli/protector/client/login.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "libs/base/error.h"
#include "libs/base/sha256.h"
#include "libs/json/json.h"

namespace protector::cli {
namespace {

// A kept token that ends within this time is not used any more: a command may take a while.
constexpr absl::Duration kLeast = absl::Minutes(2);
constexpr absl::Duration kNotAgainFor = absl::Seconds(2);

json::Value InputOf(const cloudconfig::Cloud& cloud, absl::Duration timeout) {
  return json::Value::Object({{"auth_type", cloud.auth_type},
                              {"auth", json::Value(cloud.auth)},
                              {"region_name", cloud.region_name},
                              {"interface", cloud.interface},
                              {"verify", cloud.verify},
                              {"cacert", cloud.cacert},
                              {"cert", cloud.cert},
                              {"key", cloud.key},
                              {"timeout_s", absl::ToInt64Seconds(timeout)}});
}

// Where tokens are kept; "": nowhere. Only a directory that nobody else can look into will do.
std::string RuntimeDirectory(const cloudconfig::Env& env) {
  const auto variables = env.Variables();
  const auto found = variables.find("XDG_RUNTIME_DIR");
  if (found == variables.end() || found->second.empty()) return "";
  struct stat about = {};
  const bool ours = stat(found->second.c_str(), &about) == 0 && S_ISDIR(about.st_mode) && about.st_uid == geteuid() &&
                    (about.st_mode & (S_IRWXG | S_IRWXO)) == 0;
  return ours ? found->second + "/protector" : "";
}

// The whole file at once, or none: others read it meanwhile. What cannot be kept is got anew next time.
void Keep(const std::string& directory, const std::string& name, const std::string& text) {
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return;
  const std::string path = directory + "/" + name;
  const std::string part = fmt::format("{}.{}", path, getpid());
  const int file = open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return;
  const bool whole = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(file);
  if (!whole || rename(part.c_str(), path.c_str()) != 0) unlink(part.c_str());
}

absl::Status FailureIn(const json::Value& answer, const cloudconfig::Cloud& cloud) {
  auto code = static_cast<absl::StatusCode>(answer.GetIntOr("code", static_cast<int>(absl::StatusCode::kInternal)));
  if (code == absl::StatusCode::kOk) code = absl::StatusCode::kInternal;
  const std::string remedy = answer.GetStringOr("remedy", "");
  std::string message = answer.GetStringOr("message", "no answer");
  const std::string what = "login at " + cloud.auth_url();
  if (message.find(what) == std::string::npos) message = fmt::format("{}: {}", what, message);
  return Error(code, answer.GetStringOr("reason", ""), message)
      .Object(answer.GetStringOr("object", ""))
      .Remedy(remedy.empty() ? "Check the credentials with `openstack token issue`." : remedy);
}

}  // namespace

absl::StatusOr<Login::Token> Login::LogIn(const cloudconfig::Cloud& cloud) {
  PROTECTOR_RETURN_IF_ERROR(cloudconfig::CheckComplete(cloud));
  PROTECTOR_ASSIGN_OR_RETURN(const std::string said, helper_(InputOf(cloud, timeout_).Dump()));
  // What is no JSON is an answer without a token: the program was replaced, or ended in the middle.
  const json::Value answer = json::Parse(said).value_or(json::Value());
  const std::string token = answer.GetStringOr("token", "");
  if (token.empty()) return FailureIn(answer, cloud);
  return Token{token, absl::FromUnixSeconds(answer.GetIntOr("expires_at", 0))};
}

absl::StatusOr<std::string> Login::TokenOf(const cloudconfig::Cloud& cloud, bool renew) {
  const std::string key = Sha256Hex(InputOf(cloud, absl::ZeroDuration()).DumpCanonical());
  const std::string directory = RuntimeDirectory(env_), name = "token-" + key.substr(0, 32);
  const std::lock_guard lock(mutex_);
  if (const auto known = tokens_.find(key); known != tokens_.end() && !renew) return known->second.value;
  if (!directory.empty() && !renew) {
    const auto text = env_.ReadFile(directory + "/" + name);
    const auto kept = json::Parse(text.value_or(""));
    if (kept.ok() && clock_.Now() + kLeast < absl::FromUnixSeconds(kept->GetIntOr("expires_at", 0))) {
      const std::string token = kept->GetStringOr("token", "");
      if (!token.empty()) return (tokens_[key] = {token, absl::InfiniteFuture()}).value;
    }
  }
  if (const auto failed = failures_.find(key); failed != failures_.end() && clock_.Now() < failed->second.until) {
    return failed->second.status;
  }
  const absl::StatusOr<Token> token = LogIn(cloud);
  if (!token.ok()) {
    failures_[key] = {token.status(), clock_.Now() + kNotAgainFor};
    return token.status();
  }
  tokens_[key] = *token;
  if (!directory.empty()) {
    Keep(directory, name,
         json::Value::Object({{"token", token->value}, {"expires_at", absl::ToUnixSeconds(token->expires_at)}}).Dump());
  }
  return token->value;
}

absl::StatusOr<rpc::Credentials> Login::For(const SiteAddress& site, const SiteAddress& home, bool renew) {
  const auto same = [](const std::string& a, const std::string& b) {
    return !a.empty() && HostAndPortOfUrl(a) == HostAndPortOfUrl(b);
  };
  const bool at_home = home_.ok() && same(site.auth_url, home_->auth_url());
  absl::Status without;
  if (!at_home && !site.cloud.empty()) {
    const auto own = cloudconfig::Load(env_, {{"cloud", site.cloud}});
    const absl::StatusOr<std::string> token = own.ok() ? TokenOf(*own, renew) : own.status();
    if (token.ok()) return rpc::Credentials{*token, "", ""};
    without = token.status();
  }
  if (!home_.ok()) return without.ok() ? home_.status() : without;
  PROTECTOR_ASSIGN_OR_RETURN(const std::string token, TokenOf(*home_, renew));
  if (at_home) return rpc::Credentials{token, "", ""};
  if (home.name.empty()) {
    return Error(absl::StatusCode::kFailedPrecondition, "SITE_NOT_REGISTERED",
                 fmt::format("{} cannot be told which site's credentials these are: the site at {} is not registered "
                             "with its own registry",
                             Label(site), Label(home)))
        .Remedy("Register that site first with `protector site create NAME --auth-url URL`, or name a cloud for " +
                Label(site) + " in protector.yaml.");
  }
  return rpc::Credentials{token, home.name, home.site_registry};
}

}  // namespace protector::cli
