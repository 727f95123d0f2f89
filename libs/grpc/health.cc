#include "libs/grpc/health.h"

#include <fmt/format.h>

#include "grpc/health/v1/health.grpc.pb.h"
#include "libs/base/error.h"

namespace protector::rpc {

absl::Status CheckHealth(const std::shared_ptr<::grpc::Channel>& channel, const CallOptions& options) {
  using ::grpc::health::v1::Health;
  using ::grpc::health::v1::HealthCheckRequest;
  using ::grpc::health::v1::HealthCheckResponse;
  const auto stub = Health::NewStub(channel);
  PROTECTOR_ASSIGN_OR_RETURN(const HealthCheckResponse health,
                             Call(*stub, &Health::StubInterface::Check, HealthCheckRequest(), options));
  if (health.status() == HealthCheckResponse::SERVING) return absl::OkStatus();
  return Error(absl::StatusCode::kUnavailable, "NOT_SERVING",
               fmt::format("{} answers that it is not serving", options.target))
      .Object(options.target)
      .Remedy("It is starting or being shut down: wait a moment, then look at its log.")
      .Site(options.site);
}

}  // namespace protector::rpc
