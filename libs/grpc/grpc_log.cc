#include "libs/grpc/grpc_log.h"

#include <grpc/support/log.h>

#include <mutex>
#include <string>

#include "absl/strings/match.h"
#include "absl/time/clock.h"

namespace protector::rpc {
namespace {

constexpr int kLinesASecond = 20;

class GrpcLog {
 public:
  explicit GrpcLog(const log::Logger& logger) : logger_(logger) {}

  void Write(const gpr_log_func_args& line) {
    const std::lock_guard lock(mutex_);
    const int64_t now = absl::ToUnixSeconds(absl::Now());
    if (now != second_) {
      if (left_out_ > 0) logger_.Warning("gRPC", {{"detail", "lines left out"}, {"count", left_out_}});
      second_ = now;
      lines_ = left_out_ = 0;
    }
    if (++lines_ > kLinesASecond) {
      ++left_out_;
      return;
    }
    logger_.Warning("gRPC", {{"detail", std::string(line.message)}});
  }

 private:
  const log::Logger logger_;
  std::mutex mutex_;
  int64_t second_ = 0;
  int lines_ = 0;
  int left_out_ = 0;
};

GrpcLog* target = nullptr;  // gRPC takes a plain function

// Said of every connection whose client names another host than the certificate does: identities are compared here,
// not names.
constexpr char kNamesDiffer[] = "No match found for server name";

void Forward(gpr_log_func_args* line) {
  if (line->severity != GPR_LOG_SEVERITY_ERROR || absl::StartsWith(line->message, kNamesDiffer)) return;
  target->Write(*line);
}

}  // namespace

void RouteGrpcLog(const log::Logger& logger) {
  target = new GrpcLog(logger);  // until the process ends: gRPC's threads may outlive everything else
  gpr_set_log_function(&Forward);
}

}  // namespace protector::rpc
