#include "services/site-registry/domain/cloud_probes.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "libs/base/error.h"

namespace protector::site_registry {
namespace {

constexpr char kCheckCloud[] =
    "Check that the service runs and that its endpoint in the catalog can be reached from this host.";
constexpr char kGrantRights[] =
    "Give the service user the role admin on its project and on every mapped project, or open "
    "volume_extension:volume_manage and "
    "volume_extension:volume_unmanage to one of its roles in Cinder's policy.";

bool Has(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

std::pair<int, int> Numbers(const std::string& version) {
  const size_t dot = version.find('.');
  int major = 0;
  int minor = 0;
  if (!absl::SimpleAtoi(version.substr(0, dot), &major)) major = 0;
  if (dot == std::string::npos || !absl::SimpleAtoi(version.substr(dot + 1), &minor)) minor = 0;
  return {major, minor};
}

}  // namespace

bool AtLeast(const std::string& version, const std::string& minimum) {
  return Numbers(version) >= Numbers(minimum);
}

Row ProbeKeystone(CloudPort& cloud, absl::Time deadline, CloudUser& user) {
  const absl::StatusOr<CloudUser> logged_in = cloud.LogIn(deadline);
  if (!logged_in.ok()) {
    const bool refused = logged_in.status().code() == absl::StatusCode::kUnauthenticated;
    return Bad(
        logged_in.status(),
        refused ? "Correct cloud.username and cloud.password in the services' configuration, or the user in Keystone."
                : "Check that Keystone runs and that cloud.auth_url can be reached from this host.");
  }
  user = *logged_in;
  return Good(fmt::format("user {} on project {}, roles {}", user.name, user.project, fmt::join(user.roles, ", ")));
}

Row ProbeCatalog(const CloudProbeInput& input) {
  std::vector<std::string> missing;
  for (const auto& [name, types] : {std::pair<std::string, std::vector<std::string>>{"compute", {"compute"}},
                                    {"block storage", {"volumev3", "block-storage", "volume"}},
                                    {"network", {"network"}},
                                    {"image", {"image"}}}) {
    const bool present = std::any_of(types.begin(), types.end(),
                                     [&](const std::string& type) { return Has(input.user.services, type); });
    if (!present) missing.push_back(name);
  }
  const std::string region = input.region.empty() ? "" : " in region " + input.region;
  if (missing.empty()) return Good(fmt::format("all needed services have endpoints{}", region));
  return Bad(fmt::format("no endpoint{} for {}", region, fmt::join(missing, ", ")),
             "Add the endpoints to Keystone's catalog, or correct cloud.region and cloud.interface in the services' "
             "configuration.");
}

Row ProbeCloudService(const CloudProbeInput& input, const std::string& service, const std::string& type,
                      const std::string& minimum, const std::string& needed_for) {
  const absl::StatusOr<CloudService> answer = input.cloud.Probe(type, input.deadline);
  if (!answer.ok()) return Bad(answer.status(), kCheckCloud);
  Row row;
  const std::string versions = answer->max_version.empty()
                                   ? "answers"
                                   : fmt::format("microversions {} to {}", answer->min_version, answer->max_version);
  if (!minimum.empty() && !AtLeast(answer->max_version, minimum)) {
    row = Bad(fmt::format("{}, but {} needs {}", versions, needed_for, minimum), fmt::format("Upgrade {}.", service));
  } else {
    row = Good(versions);
  }
  row.set_target(answer->endpoint);
  return row;
}

Row ProbeVolumeTypes(const CloudProbeInput& input) {
  const auto types = input.cloud.VolumeTypes(input.deadline);
  if (!types.ok()) return Bad(types.status(), kCheckCloud);
  std::vector<std::string> replicated;
  for (const auto& type : *types) {
    if (!type.replicated()) continue;
    const std::string kind = type.replication_type().empty() ? "async" : type.replication_type();
    replicated.push_back(fmt::format("{} ({})", type.name(), kind));
  }
  if (!replicated.empty()) return Good(fmt::format("replicated: {}", fmt::join(replicated, ", ")));
  return Bad(types->empty() ? "there is no volume type" : "no volume type is replicated",
             "Set the extra specs replication_enabled='<is> True' and replication_type='<in> async' (or sync) on the "
             "volume type of "
             "protected volumes; the service user needs the right to see extra specs.");
}

Row ProbeManageRights(const CloudProbeInput& input) {
  const bool admin = Has(input.user.roles, "admin");
  if (!input.cinder_host.empty()) {
    const absl::Status tried = input.cloud.TryManageable(input.cinder_host, input.deadline);
    if (tried.ok())
      return Good(admin ? "role admin; Cinder lets it see what can be managed"
                        : "Cinder lets it see what can be managed");
    if (tried.code() == absl::StatusCode::kPermissionDenied) return Bad(tried, kGrantRights);
    if (admin) return Warn(fmt::format("role admin, but Cinder could not be asked: {}", MessageOf(tried)), kCheckCloud);
    return Bad(tried, kGrantRights);
  }
  if (admin) return Good("role admin");
  return Warn(fmt::format("roles {}: whether Cinder's policy lets them manage and unmanage volumes cannot be tried "
                          "without a cinder_host",
                          fmt::join(input.user.roles, ", ")),
              kGrantRights);
}

Row ProbeCinderHost(const CloudProbeInput& input) {
  if (input.cinder_host.empty()) {
    return Bad("the site has no cinder_host: replicated volumes cannot be brought into Cinder",
               "Set it with `protector site set <site> --cinder-host host@backend#pool`; an administrator finds it "
               "with `cinder get-pools`.");
  }
  const auto pools = input.cloud.Pools(input.deadline);
  if (!pools.ok()) {
    return pools.status().code() == absl::StatusCode::kPermissionDenied
               ? Warn("Cinder does not let the service user list its pools, so the host cannot be checked",
                      kGrantRights)
               : Bad(pools.status(), kCheckCloud);
  }
  if (Has(*pools, input.cinder_host)) return Good("is one of Cinder's pools");
  return Bad(fmt::format("is not one of Cinder's pools ({})",
                         pools->empty() ? "there are none" : fmt::format("{}", fmt::join(*pools, ", "))),
             "Correct it with `protector site set <site> --cinder-host host@backend#pool`.");
}

Row ProbeTenant(const CloudProbeInput& input, const std::string& project_id) {
  const auto roles = input.cloud.RolesOn(project_id, input.deadline);
  const std::string grant = fmt::format("Run `openstack role add --user {} --project {} admin` as an administrator.",
                                        input.user.name, project_id);
  if (!roles.ok()) {
    return Bad(fmt::format("the service user cannot work in the project: {}", MessageOf(roles.status())), grant);
  }
  const std::string list = fmt::format("roles {}", fmt::join(*roles, ", "));
  if (Has(*roles, "admin")) return Good(list);
  return Warn(list + ": without admin, Cinder's default policy lets it neither manage nor unmanage volumes", grant);
}

}  // namespace protector::site_registry
