#include "libs/base/error.h"

#include "absl/strings/cord.h"
#include "absl/types/optional.h"

namespace protector {
namespace {

constexpr char kReasonUrl[] = "protector/reason";
constexpr char kObjectUrl[] = "protector/object";
constexpr char kRemedyUrl[] = "protector/remedy";
constexpr char kSiteUrl[] = "protector/site";

void SetPayload(absl::Status& status, const char* url, const std::string& value) {
  if (value.empty()) {
    status.ErasePayload(url);
  } else {
    status.SetPayload(url, absl::Cord(value));
  }
}

std::string Payload(const absl::Status& status, const char* url) {
  const absl::optional<absl::Cord> cord = status.GetPayload(url);
  return cord.has_value() ? std::string(*cord) : std::string();
}

}  // namespace

Error::Error(absl::StatusCode code, const std::string& reason, const std::string& message)
    : code_(code), message_(message) {
  detail_.reason = reason;
}

Error& Error::Object(const std::string& object) {
  detail_.object = object;
  return *this;
}

Error& Error::Remedy(const std::string& remedy) {
  detail_.remedy = remedy;
  return *this;
}

Error& Error::Site(const std::string& site) {
  detail_.site = site;
  return *this;
}

Error::operator absl::Status() const {
  return WithDetail(absl::Status(code_, message_), detail_);
}

ErrorDetail DetailOf(const absl::Status& status) {
  return {Payload(status, kReasonUrl), Payload(status, kObjectUrl), Payload(status, kRemedyUrl),
          Payload(status, kSiteUrl)};
}

absl::Status WithDetail(const absl::Status& status, const ErrorDetail& detail) {
  absl::Status result = status;
  SetPayload(result, kReasonUrl, detail.reason);
  SetPayload(result, kObjectUrl, detail.object);
  SetPayload(result, kRemedyUrl, detail.remedy);
  SetPayload(result, kSiteUrl, detail.site);
  return result;
}

absl::Status Annotate(const absl::Status& status, const std::string& context) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), context + ": " + MessageOf(status));
  status.ForEachPayload(
      [&annotated](absl::string_view url, const absl::Cord& payload) { annotated.SetPayload(url, payload); });
  return annotated;
}

std::string MessageOf(const absl::Status& status) {
  return std::string(status.message());
}

}  // namespace protector
