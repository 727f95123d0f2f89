#include "libs/openstack/call.h"

#include "absl/strings/cord.h"
#include "absl/types/optional.h"
#include "libs/openstack/errors.h"

namespace protector::openstack {
namespace {

constexpr char kHttpStatusUrl[] = "protector/http-status";
constexpr char kRequestIdUrl[] = "protector/service-request-id";

std::string Payload(const absl::Status& status, const char* url) {
  const absl::optional<absl::Cord> cord = status.GetPayload(url);
  return cord.has_value() ? std::string(*cord) : std::string();
}

}  // namespace

int HttpStatusOf(const absl::Status& status) {
  return std::atoi(Payload(status, kHttpStatusUrl).c_str());
}

std::string ServiceRequestIdOf(const absl::Status& status) {
  return Payload(status, kRequestIdUrl);
}

absl::Status WithAnswer(const absl::Status& status, int http_status, const std::string& request_id) {
  absl::Status result = status;
  result.SetPayload(kHttpStatusUrl, absl::Cord(std::to_string(http_status)));
  if (!request_id.empty()) result.SetPayload(kRequestIdUrl, absl::Cord(request_id));
  return result;
}

}  // namespace protector::openstack
