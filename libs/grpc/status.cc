#include "libs/grpc/status.h"

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "libs/base/error.h"

namespace protector::rpc {
namespace {

constexpr char kDomain[] = "protector";
constexpr char kObjectKey[] = "object";
constexpr char kSiteKey[] = "site";

std::string Value(const google::rpc::ErrorInfo& info, const char* key) {
  const auto found = info.metadata().find(key);
  return found == info.metadata().end() ? std::string() : found->second;
}

std::string Utf8Only(const std::string& text) {
  std::string result = text;  // protobuf refuses anything else in a string field
  for (char& c : result) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return result;
}

}  // namespace

::grpc::Status ToGrpc(const absl::Status& status, const std::string& site) {
  if (status.ok()) return ::grpc::Status::OK;
  const ErrorDetail detail = DetailOf(status);
  google::rpc::Status rich;
  rich.set_code(static_cast<int>(status.code()));
  rich.set_message(MessageOf(status));
  google::rpc::ErrorInfo info;
  info.set_domain(kDomain);
  info.set_reason(detail.reason.empty() ? absl::StatusCodeToString(status.code()) : detail.reason);
  if (!detail.object.empty()) (*info.mutable_metadata())[kObjectKey] = detail.object;
  const std::string& from = detail.site.empty() ? site : detail.site;
  if (!from.empty()) (*info.mutable_metadata())[kSiteKey] = from;
  rich.add_details()->PackFrom(info);
  if (!detail.remedy.empty()) {
    google::rpc::Help help;
    help.add_links()->set_description(detail.remedy);
    rich.add_details()->PackFrom(help);
  }
  std::string bytes;
  if (!rich.SerializeToString(&bytes)) {
    rich.set_message(Utf8Only(rich.message()));
    bytes.clear();
    rich.clear_details();
    rich.SerializeToString(&bytes);
  }
  return {static_cast<::grpc::StatusCode>(status.code()), MessageOf(status), bytes};
}

absl::Status FromGrpc(const ::grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const absl::Status plain(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  google::rpc::Status rich;
  if (status.error_details().empty() || !rich.ParseFromString(status.error_details())) return plain;
  ErrorDetail detail;
  for (const auto& any : rich.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::Help help;
    if (any.UnpackTo(&info)) {
      detail.reason = info.reason();
      detail.object = Value(info, kObjectKey);
      detail.site = Value(info, kSiteKey);
    } else if (any.UnpackTo(&help) && help.links_size() > 0) {
      detail.remedy = help.links(0).description();
    }
  }
  return WithDetail(plain, detail);
}

}  // namespace protector::rpc
