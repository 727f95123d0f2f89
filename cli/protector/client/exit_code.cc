#include "cli/protector/client/exit_code.h"

#include "libs/base/error.h"

namespace protector::cli {

int ExitCode(const absl::Status& status) {
  const std::string reason = DetailOf(status).reason;
  if (reason == "INTERRUPTED") return kExitInterrupted;
  // Broken half way is not "unreachable": something may have been done.
  if (reason == "PARTLY_DONE") return kExitFailed;
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return 0;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return kExitUsage;
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kAlreadyExists:
      return kExitRefused;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return kExitUnreachable;
    default:
      return kExitFailed;
  }
}

}  // namespace protector::cli
