#include "libs/openstack/cloud.h"

#include <fmt/format.h>

#include <map>
#include <mutex>

#include "libs/base/error.h"
#include "libs/openstack/api_client.h"

namespace protector::openstack {
namespace {

// The clouds of one user in other projects. Owned by the first one, which Connect made; the others only point to it, so
// that no two of them keep each other alive.
struct Family {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Cloud>> by_project;
};

class RealCloud final : public Cloud {
 public:
  RealCloud(const cloudconfig::Cloud& config, const std::string& project_id, const Dependencies& dependencies,
            std::shared_ptr<VersionCache> versions, const std::weak_ptr<Family>& family)
      : session_(config, project_id, dependencies, std::move(versions)),
        family_(family),
        nova_(NewNova(session_)),
        cinder_(NewCinder(session_)),
        neutron_(NewNeutron(session_)),
        glance_(NewGlance(session_)),
        keystone_(NewKeystone(session_)) {}

  NovaApi& nova() override { return *nova_; }
  CinderApi& cinder() override { return *cinder_; }
  NeutronApi& neutron() override { return *neutron_; }
  GlanceApi& glance() override { return *glance_; }
  KeystoneApi& keystone() override { return *keystone_; }

  absl::StatusOr<std::shared_ptr<Cloud>> ForProject(const std::string& project_id) override {
    if (session_.config().auth_type == "v3applicationcredential") {
      return Error(absl::StatusCode::kFailedPrecondition, "CREDENTIALS_BOUND",
                   "an application credential is bound to its project and gives no access to another")
          .Object("project " + project_id)
          .Remedy("Configure the service user with its password.");
    }
    const std::shared_ptr<Family> family = family_.lock();
    if (family == nullptr) return Make(project_id);  // the first cloud is gone: nobody left to keep it
    const std::lock_guard<std::mutex> lock(family->mutex);
    std::shared_ptr<Cloud>& kept = family->by_project[project_id];
    if (kept == nullptr) kept = Make(project_id);
    return kept;
  }

  absl::StatusOr<ServiceProbe> Probe(const CallContext& call, const std::string& type) override {
    const std::optional<Service> service = ServiceOf(type);
    if (!service.has_value()) return absl::InvalidArgumentError("no such kind of service: " + type);
    ServiceProbe probe;
    PROTECTOR_ASSIGN_OR_RETURN(probe.endpoint, session_.EndpointOf(call, *service));
    Clock& clock = session_.dependencies().clock;
    const absl::Duration begin = clock.Monotonic();
    const std::string url =
        *service == Service::kImage ? probe.endpoint + "/images?limit=1" : VersionUrl(probe.endpoint);
    PROTECTOR_ASSIGN_OR_RETURN(const http::Response response,
                               session_.Read(call, *service, url, probe.endpoint, /*once=*/true));
    probe.latency = clock.Monotonic() - begin;
    absl::Time date;
    std::string error;
    if (absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", response.Header("Date"), &date, &error)) {
      const absl::Duration skew = date - clock.Now();
      // Date is cut to the second: anything less than one is no skew.
      probe.clock_skew = absl::AbsDuration(skew) <= absl::Seconds(1) ? absl::ZeroDuration() : skew;
    }
    PROTECTOR_ASSIGN_OR_RETURN(const std::optional<VersionRange> range, session_.VersionsOf(call, *service));
    if (range.has_value()) {
      probe.min_version = range->min.ToString();
      probe.max_version = range->max.ToString();
    }
    return probe;
  }

  absl::StatusOr<std::string> Token(const CallContext& call) override {
    PROTECTOR_ASSIGN_OR_RETURN(const std::shared_ptr<const openstack::Token> token, session_.GetToken(call));
    return token->value;
  }

 private:
  std::shared_ptr<Cloud> Make(const std::string& project_id) {
    return std::make_shared<RealCloud>(session_.config(), project_id, session_.dependencies(), session_.versions(),
                                       family_);
  }

  Session session_;
  const std::weak_ptr<Family> family_;
  const std::unique_ptr<NovaApi> nova_;
  const std::unique_ptr<CinderApi> cinder_;
  const std::unique_ptr<NeutronApi> neutron_;
  const std::unique_ptr<GlanceApi> glance_;
  const std::unique_ptr<KeystoneApi> keystone_;
};

}  // namespace

http::CurlOptions CurlOptionsFor(const cloudconfig::Cloud& cloud) {
  http::CurlOptions options;
  options.ca_file = cloud.cacert;
  options.client_cert_file = cloud.cert;
  options.client_key_file = cloud.key;
  options.insecure = !cloud.verify;
  options.force_ipv4 = cloud.force_ipv4;
  if (cloud.api_timeout.has_value()) options.max_duration = absl::Seconds(*cloud.api_timeout);
  return options;
}

absl::StatusOr<std::shared_ptr<Cloud>> Connect(const cloudconfig::Cloud& cloud, const Dependencies& dependencies) {
  PROTECTOR_RETURN_IF_ERROR(cloudconfig::CheckComplete(cloud));
  // The pointer that is given out owns the family as well.
  struct First {
    explicit First(std::shared_ptr<Family> own) : family(std::move(own)) {}
    std::shared_ptr<Family> family;
    std::shared_ptr<Cloud> cloud;
  };
  auto first = std::make_shared<First>(std::make_shared<Family>());
  first->cloud = std::make_shared<RealCloud>(cloud, "", dependencies, std::make_shared<VersionCache>(), first->family);
  return std::shared_ptr<Cloud>(first, first->cloud.get());
}

}  // namespace protector::openstack
