#include "libs/servicecloud/service_cloud.h"

#include <functional>
#include <map>
#include <utility>

#include "libs/base/error.h"

namespace protector {
namespace {

class CallObserver final : public http::Observer {
 public:
  CallObserver(log::Logger logger, metrics::Registry& metrics) : logger_(std::move(logger)), metrics_(metrics) {}

  void OnCall(const http::CallRecord& record) override {
    const std::string status = record.status == 0 ? "none" : std::to_string(record.status);
    metrics_
        .GetHistogram("protector_cloud_call_seconds", "Calls to this site's cloud",
                      {{"service", record.service}, {"method", record.method}, {"status", status}})
        .Observe(absl::ToDoubleSeconds(record.duration));
    const bool failed = record.status == 0 || record.status >= 500;
    std::vector<log::Field> fields = {{"cloud_service", record.service},
                                      {"method", record.method},
                                      {"host", record.host},
                                      {"route", record.route},
                                      {"status", record.status},
                                      {"error", record.error},
                                      {"duration_ms", absl::ToInt64Milliseconds(record.duration)},
                                      {"openstack_request_id", record.request_id},
                                      {"request_id", record.caller_request_id},
                                      {"attempt", record.attempt}};
    for (log::Field& field : log::Field::Of(record.purpose)) fields.push_back(std::move(field));
    logger_.Write(failed ? log::Level::kWarning : log::Level::kInfo, "cloud call", fields);
  }

 private:
  log::Logger logger_;
  metrics::Registry& metrics_;
};

std::function<void(std::map<std::string, std::string>&)> SecretsOf(const config::Config& config) {
  return [password = config.GetSecret("cloud.password"),
          secret = config.GetSecret("cloud.application_credential_secret")](std::map<std::string, std::string>& auth) {
    if (auth.contains("password")) auth["password"] = password();
    if (auth.contains("application_credential_secret")) auth["application_credential_secret"] = secret();
  };
}

class Bundle final : public ServiceCloud {
 public:
  Bundle(std::unique_ptr<http::HttpClient> client, std::unique_ptr<CallObserver> observer)
      : client_(std::move(client)), observer_(std::move(observer)) {}

  absl::Status Connect(const cloudconfig::Cloud& cloud, const config::Config& config, Clock& clock, IdGenerator& ids) {
    openstack::Dependencies dependencies{*client_, clock, http::SystemRandom(), observer_.get(), &ids, {}};
    dependencies.renew_secrets = SecretsOf(config);
    PROTECTOR_ASSIGN_OR_RETURN(cloud_, openstack::Connect(cloud, dependencies));
    return absl::OkStatus();
  }

  std::shared_ptr<openstack::Cloud> cloud() override { return cloud_; }

 private:
  std::unique_ptr<http::HttpClient> client_;
  std::unique_ptr<CallObserver> observer_;
  std::shared_ptr<openstack::Cloud> cloud_;
};

}  // namespace

config::Schema CloudConfigKeys() {
  config::Schema schema;
  schema.Add({.path = "cloud.auth_url",
              .doc = "Keystone of this site.",
              .required = true,
              .example = "http://127.0.10.1:5000/v3"});
  schema.Add(
      {.path = "cloud.username",
       .doc =
           "Service user: needs the role admin on each protected project (default policies of Cinder let only an admin manage "
           "and unmanage volumes).",
       .default_value = "protector"});
  schema.Add(
      {.path = "cloud.password",
       .doc = "Its password. Keep it out of this file; one that comes from a file is read again before each login.",
       .default_value = "",
       .secret = true});
  schema.Add({.path = "cloud.user_domain", .doc = "Name or id of the user's domain.", .default_value = "Default"});
  schema.Add({.path = "cloud.project",
              .doc = "Project that the service user works in when no group's project is meant.",
              .default_value = "service"});
  schema.Add(
      {.path = "cloud.project_domain", .doc = "Name or id of that project's domain.", .default_value = "Default"});
  schema.Add({.path = "cloud.application_credential_id",
              .doc = "Instead of user and password; serves one project only, the one it was made for.",
              .default_value = ""});
  schema.Add(
      {.path = "cloud.application_credential_secret", .doc = "Its secret.", .default_value = "", .secret = true});
  schema.Add(
      {.path = "cloud.region", .doc = "Region of the catalog to use; empty: the only one.", .default_value = ""});
  schema.Add({.path = "cloud.interface",
              .doc = "Which endpoints of the catalog to use.",
              .default_value = "public",
              .choices = {"public", "internal", "admin"}});
  schema.Add({.path = "cloud.ca_file",
              .doc = "PEM file with the CA of the cloud's certificates; empty: the system's.",
              .default_value = ""});
  schema.Add({.path = "cloud.insecure",
              .type = config::Type::kBoolean,
              .doc = "Accept any certificate. For a lab only.",
              .default_value = "false"});
  return schema;
}

cloudconfig::Cloud CloudFromConfig(const config::Config& config) {
  cloudconfig::Cloud cloud;
  cloud.name = "this site";
  cloud.auth["auth_url"] = config.GetString("cloud.auth_url");
  if (!config.GetString("cloud.application_credential_id").empty()) {
    cloud.auth_type = "v3applicationcredential";
    cloud.auth["application_credential_id"] = config.GetString("cloud.application_credential_id");
    cloud.auth["application_credential_secret"] = config.GetString("cloud.application_credential_secret");
  } else {
    cloud.auth_type = "password";
    cloud.auth["username"] = config.GetString("cloud.username");
    cloud.auth["password"] = config.GetString("cloud.password");
    cloud.auth["project_name"] = config.GetString("cloud.project");
    cloud.auth["user_domain_name"] = config.GetString("cloud.user_domain");
    cloud.auth["project_domain_name"] = config.GetString("cloud.project_domain");
  }
  cloud.region_name = config.GetString("cloud.region");
  cloud.interface = config.GetString("cloud.interface");
  cloud.cacert = config.GetString("cloud.ca_file");
  cloud.verify = !config.GetBoolean("cloud.insecure");
  return cloud;
}

absl::StatusOr<std::unique_ptr<ServiceCloud>> MakeServiceCloud(const config::Config& config, const log::Logger& logger,
                                                               metrics::Registry& metrics, Clock& clock,
                                                               IdGenerator& ids) {
  const cloudconfig::Cloud cloud = CloudFromConfig(config);
  const absl::Status complete = cloudconfig::CheckComplete(cloud);
  if (!complete.ok()) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_CONFIGURATION", MessageOf(complete))
        .Object(config.Where("cloud.auth_url"))
        .Remedy("Complete the cloud.* keys of the configuration.");
  }
  auto bundle = std::make_unique<Bundle>(http::NewCurlHttpClient(openstack::CurlOptionsFor(cloud), clock),
                                         std::make_unique<CallObserver>(logger, metrics));
  PROTECTOR_RETURN_IF_ERROR(bundle->Connect(cloud, config, clock, ids));
  return bundle;
}

}  // namespace protector
