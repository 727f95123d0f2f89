#include "libs/openstack/errors.h"

#include <catch2/catch.hpp>

#include "libs/base/error.h"
#include "libs/http/fake_client.h"
#include "libs/openstack/call.h"

namespace protector::openstack {
namespace {

using absl::StatusCode;

absl::Status Of(const std::string& service, int status, const std::string& body, bool change = true,
                const http::Headers& headers = {}) {
  return StatusFrom(http::JsonResponse(status, body, headers), {service, "thing x", change, {"token-secret"}},
                    absl::FromUnixSeconds(1000));
}

struct Case {
  const char* service;
  int status;
  const char* body;
  StatusCode code;
  const char* reason;
};

TEST_CASE("what services answer, and what it means") {
  const std::vector<Case> cases = {
      {"nova", 404, R"({"itemNotFound":{"code":404,"message":"Instance x could not be found."}})",
       StatusCode::kNotFound, "NOT_FOUND"},
      {"nova", 403,
       R"({"forbidden":{"code":403,"message":"Quota exceeded for cores: Requested 2, but already used 9 of 10 cores"}})",
       StatusCode::kResourceExhausted, "QUOTA_EXCEEDED"},
      {"nova", 403,
       R"({"forbidden":{"code":403,"message":"Policy doesn't allow os_compute_api:servers:index to be performed."}})",
       StatusCode::kPermissionDenied, "FORBIDDEN"},
      {"nova", 409,
       R"({"conflictingRequest":{"code":409,"message":"Cannot 'stop' instance x while it is in vm_state stopped"}})",
       StatusCode::kFailedPrecondition, "WRONG_STATE"},
      {"nova", 409,
       R"({"conflictingRequest":{"code":409,"message":"Cannot 'stop' instance x while it is in task_state powering-off"}})",
       StatusCode::kAborted, "OBJECT_BUSY"},
      {"nova", 409, R"({"conflictingRequest":{"code":409,"message":"Instance x is locked"}})",
       StatusCode::kFailedPrecondition, "LOCKED"},
      {"nova", 409, R"({"conflictingRequest":{"code":409,"message":"Key pair 'k' already exists."}})",
       StatusCode::kAlreadyExists, "ALREADY_EXISTS"},
      {"nova", 400, R"({"badRequest":{"code":400,"message":"Invalid input for field/attribute name."}})",
       StatusCode::kInvalidArgument, "BAD_REQUEST"},
      {"cinder", 413,
       R"({"overLimit":{"code":413,"message":"VolumeLimitExceeded: Maximum number of volumes allowed (10) exceeded","retryAfter":"0"}})",
       StatusCode::kResourceExhausted, "QUOTA_EXCEEDED"},
      {"cinder", 400,
       R"({"badRequest":{"code":400,"message":"Invalid volume: Volume status must be available or error, but current status is: in-use."}})",
       StatusCode::kFailedPrecondition, "WRONG_STATE"},
      {"cinder", 400, R"({"badRequest":{"code":400,"message":"Host 'x' not found"}})", StatusCode::kInvalidArgument,
       "BAD_REQUEST"},
      {"neutron", 409,
       R"({"NeutronError":{"type":"OverQuota","message":"Quota exceeded for resources: ['port'].","detail":""}})",
       StatusCode::kResourceExhausted, "QUOTA_EXCEEDED"},
      {"neutron", 409,
       R"({"NeutronError":{"type":"IpAddressAlreadyAllocated","message":"IP address 10.10.1.5 already allocated in subnet s","detail":""}})",
       StatusCode::kAlreadyExists, "ADDRESS_IN_USE"},
      {"neutron", 409,
       R"({"NeutronError":{"type":"MacAddressInUse","message":"Unable to complete operation for network n. The mac address m is in use.","detail":""}})",
       StatusCode::kAlreadyExists, "ADDRESS_IN_USE"},
      {"neutron", 409,
       R"({"NeutronError":{"type":"IpAddressGenerationFailure","message":"No more IP addresses available on network n.","detail":""}})",
       StatusCode::kResourceExhausted, "ADDRESSES_EXHAUSTED"},
      {"neutron", 412,
       R"({"NeutronError":{"type":"RevisionNumberConstraintFailed","message":"Constrained to 3","detail":""}})",
       StatusCode::kAborted, "CHANGED_MEANWHILE"},
      {"keystone", 401,
       R"({"error":{"code":401,"message":"The request you have made requires authentication.","title":"Unauthorized"}})",
       StatusCode::kUnauthenticated, "NOT_AUTHENTICATED"},
      {"nova", 429, R"({"overLimit":{"code":429,"message":"slow down"}})", StatusCode::kUnavailable, "RATE_LIMITED"},
      {"nova", 503, "<html><body><h1>503 Service Unavailable</h1>\nNo server is available</body></html>",
       StatusCode::kUnavailable, "SERVICE_UNAVAILABLE"},
      {"nova", 500, R"({"computeFault":{"code":500,"message":"Unexpected API Error."}})", StatusCode::kInternal,
       "SERVICE_ERROR"},
      {"cinder", 406, R"({"computeFault":{"message":"Version 3.99 is not supported by the API."}})",
       StatusCode::kUnimplemented, "NOT_SUPPORTED"}};
  for (const Case& c : cases) {
    const absl::Status status = Of(c.service, c.status, c.body);
    INFO(c.body);
    CHECK(status.code() == c.code);
    CHECK(DetailOf(status).reason == c.reason);
    CHECK(DetailOf(status).object == "thing x");
    CHECK_FALSE(DetailOf(status).remedy.empty());
    CHECK(HttpStatusOf(status) == c.status);
  }
}

TEST_CASE("the service's words and request id are kept") {
  const absl::Status status = Of("nova", 404, R"({"itemNotFound":{"message":"Instance x\n could not be found."}})",
                                 true, {{"X-Openstack-Request-Id", "req-9"}});
  CHECK(MessageOf(status) == "nova: thing x: Instance x could not be found. (HTTP 404, req-9)");
  CHECK(ServiceRequestIdOf(status) == "req-9");
  CHECK(MessageOf(Of("nova", 503, "<h1>Service &nbsp; gone</h1>")) == "nova: thing x: Service &nbsp; gone (HTTP 503)");
  CHECK(MessageOf(Of("nova", 502, "")) == "nova: thing x: no explanation (HTTP 502)");
}

TEST_CASE("a change that a broken server may have carried out is unknown; a refusal is not") {
  for (const int status : {500, 502, 503, 504}) {
    CHECK(http::OutcomeUnknown(Of("nova", status, "")));
    CHECK_FALSE(http::OutcomeUnknown(Of("nova", status, "", /*change=*/false)));
  }
  for (const int status : {400, 401, 403, 404, 409, 413, 429, 501})
    CHECK_FALSE(http::OutcomeUnknown(Of("nova", status, "")));
  const absl::Status later = Of("nova", 503, "", true, {{"Retry-After", "7"}});
  CHECK_FALSE(http::OutcomeUnknown(later));
  CHECK(http::RetryDelayOf(later) == absl::Seconds(7));
}

TEST_CASE("a secret that a service repeats is taken out") {
  const absl::Status status =
      Of("keystone", 404, R"({"error":{"message":"Could not find token: token-secret, token-secret."}})");
  CHECK_THAT(MessageOf(status), Catch::Contains("***") && !Catch::Contains("token-secret"));
}

}  // namespace
}  // namespace protector::openstack
