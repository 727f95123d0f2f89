#include "services/storage-pure/app.h"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/service_type.h>

#include <algorithm>
#include <cctype>

#include "libs/base/error.h"
#include "libs/http/curl_client.h"
#include "libs/store/sqlite_store.h"
#include "services/storage-pure/adapters/flasharray/client.h"
#include "services/storage-pure/transport/access.h"
#include "services/storage-pure/transport/storage_service.h"

namespace protector::storage {
namespace {

using config::Type;

config::Schema OwnSchema() {
  config::Schema schema;
  schema.Add({.path = "array.url",
              .doc = "Management address of this site's FlashArray. Always https.",
              .default_value = "https://127.0.10.1:8443"});
  schema.Add({.path = "array.api_token",
              .doc = "API token of a user of the array with the role storage_admin or more.",
              .required = true,
              .secret = true,
              .example = "${FILE:array-a.token}"});
  schema.Add({.path = "array.ca_file",
              .doc =
                  "PEM file with the certificate of the array or of the authority that signed it. The certificate is "
                  "always checked: against this file, else against array.fingerprint, else against the system's "
                  "authorities."});
  schema.Add(
      {.path = "array.fingerprint",
       .doc = "SHA-256 of the array's certificate (64 hex digits, colons allowed): that certificate is accepted and "
              "no other. For arrays with a self-signed certificate."});
  schema.Add({.path = "array.insecure",
              .type = Type::kBoolean,
              .doc = "Accept any certificate. Whoever answers at the address then gets the API token: only for a lab.",
              .default_value = "false"});
  schema.Add({.path = "array.connect_timeout",
              .type = Type::kDuration,
              .doc = "How long to wait for a connection. Short, because a lost array may not even refuse.",
              .default_value = "5s"});
  schema.Add({.path = "array.request_timeout",
              .type = Type::kDuration,
              .doc = "How long one request may take.",
              .default_value = "30s"});
  schema.Add({.path = "array.parallelism",
              .type = Type::kInteger,
              .doc = "Requests to the array at the same time. Its management plane is slow and limits sessions.",
              .default_value = "16",
              .minimum = 1,
              .maximum = 256});
  return schema;
}

absl::Status Wrong(const config::Config& config, const std::string& key, const std::string& why,
                   const std::string& remedy) {
  return Error(absl::StatusCode::kInvalidArgument, "BAD_CONFIG", fmt::format("{}: {}: {}", config.Where(key), key, why))
      .Object("key " + key)
      .Remedy(remedy);
}

absl::Status Check(const config::Config& config) {
  const std::string url = config.GetString("array.url");
  if (!url.starts_with("https://") || http::HostOf(url).empty()) {
    return Wrong(config, "array.url", "is not https://host or https://host:port", "FlashArrays speak https only.");
  }
  if (config.GetString("array.api_token").empty()) {
    return Wrong(config, "array.api_token", "is empty", "Create a token on the array: pureadmin create --api-token.");
  }
  const std::string fingerprint = config.GetString("array.fingerprint");
  const auto digits =
      std::count_if(fingerprint.begin(), fingerprint.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
  if (!fingerprint.empty() && digits != 64) {
    return Wrong(config, "array.fingerprint", "does not have 64 hex digits",
                 "openssl x509 -in cert.pem -noout -fingerprint -sha256 prints it.");
  }
  if (config.GetBoolean("array.insecure") && (!fingerprint.empty() || !config.GetString("array.ca_file").empty())) {
    return Wrong(config, "array.insecure", "contradicts array.ca_file or array.fingerprint", "Remove one of the two.");
  }
  return absl::OkStatus();
}

// Every attempt of every call to the array, in log and metrics.
class CallLog final : public http::Observer {
 public:
  CallLog(log::Logger logger, metrics::Registry& metrics) : logger_(std::move(logger)), metrics_(metrics) {}

  void OnCall(const http::CallRecord& record) override {
    const bool failed = record.status == 0 || record.status >= 500 || record.status == 429;
    std::vector<log::Field> fields = {{"method", record.method},
                                      {"path", record.route},
                                      {"status", record.status},
                                      {"error", record.error},
                                      {"duration_ms", absl::ToDoubleMilliseconds(record.duration)},
                                      {"array_request_id", record.request_id},
                                      {"request_id", record.caller_request_id},
                                      {"attempt", record.attempt}};
    for (log::Field& field : log::Field::Of(record.purpose)) fields.push_back(std::move(field));
    if (failed) {
      logger_.Warning("array call", fields);
    } else {
      logger_.Debug("array call", fields);
    }
    metrics_
        .GetHistogram("protector_array_request_seconds", "Duration of requests to the array.",
                      {{"method", record.method}, {"path", record.route}, {"status", std::to_string(record.status)}})
        .Observe(absl::ToDoubleSeconds(record.duration));
  }

 private:
  log::Logger logger_;
  metrics::Registry& metrics_;
};

class StorageApp final : public rpc::App {
 public:
  StorageApp(const rpc::Environment& environment, std::unique_ptr<store::Store> store)
      : store_(std::move(store)), state_(*store_), call_log_(environment.logger, environment.metrics) {
    const config::Config& config = environment.config;
    const int parallelism = static_cast<int>(config.GetInteger("array.parallelism"));
    http::CurlOptions curl;
    curl.connect_timeout = config.GetDuration("array.connect_timeout");
    curl.max_duration = config.GetDuration("array.request_timeout");
    curl.ca_file = config.GetString("array.ca_file");
    curl.pinned_sha256 = config.GetString("array.fingerprint");
    curl.insecure = config.GetBoolean("array.insecure");
    curl.max_idle_connections = static_cast<size_t>(parallelism);
    http_ = http::NewCurlHttpClient(curl, environment.clock);
    std::string url = config.GetString("array.url");
    while (url.ends_with("/")) url.pop_back();
    flasharray::SessionOptions session;
    session.url = url;
    session.api_token = config.GetSecret("array.api_token");
    session.request_timeout = curl.max_duration;
    session.parallelism = parallelism;
    array_ = std::make_unique<flasharray::Client>(
        session, flasharray::SessionEnv{*http_, environment.clock, environment.ids, http::SystemRandom(), &call_log_});
    storage_ = std::make_unique<Storage>(Deps{*array_, state_, environment.clock, parallelism});
    service_ = NewStorageService(environment.host, *storage_);
  }

  std::vector<::grpc::Service*> Services() override { return {service_.get()}; }

 private:
  std::unique_ptr<store::Store> store_;
  State state_;
  CallLog call_log_;
  std::unique_ptr<http::HttpClient> http_;
  std::unique_ptr<flasharray::Client> array_;
  std::unique_ptr<Storage> storage_;
  std::unique_ptr<::grpc::Service> service_;
};

absl::StatusOr<std::unique_ptr<rpc::App>> Build(const rpc::Environment& environment) {
  store::SqliteOptions options;
  options.path = environment.config.GetString("store.path");
  PROTECTOR_ASSIGN_OR_RETURN(std::unique_ptr<store::Store> store, store::OpenSqlite(options, environment.clock));
  return std::make_unique<StorageApp>(environment, std::move(store));
}

}  // namespace

rpc::ServiceDefinition Definition() {
  return {.name = "storage-pure",
          .description = "The only program that talks to this site's FlashArray.",
          .default_port = 7104,
          .schema = OwnSchema(),
          .access = MethodCallers(),
          .build = Build,
          .check = Check};
}

}  // namespace protector::storage
