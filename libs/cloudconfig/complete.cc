#include <fmt/format.h>

#include "libs/base/error.h"
#include "libs/cloudconfig/cloudconfig.h"

namespace protector::cloudconfig {
namespace {

std::string Read(const std::map<std::string, std::string>& map, const std::string& key) {
  const auto found = map.find(key);
  return found == map.end() ? std::string() : found->second;
}

std::string Where(const Cloud& cloud) {
  if (cloud.name.empty()) return "several clouds are defined and none is chosen";
  return cloud.config_file.empty() ? "the environment and the options"
                                   : fmt::format("cloud {} of {}", cloud.name, cloud.config_file);
}

}  // namespace

std::string Cloud::Auth(const std::string& setting) const {
  return Read(auth, setting);
}
std::string Cloud::Extra(const std::string& setting) const {
  return Read(extra, setting);
}

absl::Status CheckComplete(const Cloud& cloud) {
  const bool password = cloud.auth_type == "password" || cloud.auth_type == "v3password";
  const bool token = cloud.auth_type == "token" || cloud.auth_type == "v3token";
  const bool application = cloud.auth_type == "v3applicationcredential";
  if (!password && !token && !application) {
    return Error(absl::StatusCode::kFailedPrecondition, "UNSUPPORTED_AUTH_TYPE",
                 fmt::format("auth_type {} is not supported", cloud.auth_type))
        .Object("cloud " + cloud.name)
        .Remedy("Use password, v3applicationcredential or token.");
  }
  std::string missing;
  const auto need = [&missing, &cloud](std::initializer_list<const char*> any_of) {
    std::string names;
    for (const char* key : any_of) {
      if (!cloud.Auth(key).empty()) return;
      names += (names.empty() ? "" : " or ") + std::string(key);
    }
    missing += (missing.empty() ? "" : ", ") + names;
  };
  need({"auth_url"});
  if (password) need({"username", "user_id"});
  if (password) need({"password"});
  if (token) need({"token"});
  if (application) need({"application_credential_id", "application_credential_name"});
  if (application) need({"application_credential_secret"});
  if (missing.empty()) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, "CREDENTIALS_INCOMPLETE",
               fmt::format("cannot log in: {} missing in {}", missing, Where(cloud)))
      .Object("cloud " + cloud.name)
      .Remedy(
          "Choose a cloud of clouds.yaml with --os-cloud or OS_CLOUD, or set the OS_* variables (source the site's "
          "openrc file).");
}

}  // namespace protector::cloudconfig
