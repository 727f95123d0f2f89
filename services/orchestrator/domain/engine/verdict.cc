#include "services/orchestrator/domain/engine/verdict.h"

#include "libs/base/error.h"

namespace protector::orchestrator {

Verdict Verdict::Done(std::map<std::string, std::string> outputs) {
  Verdict verdict;
  verdict.outputs = std::move(outputs);
  verdict.progress = 1;
  return verdict;
}

Verdict Verdict::Accepted(std::map<std::string, std::string> outputs) {
  Verdict verdict;
  verdict.kind = Kind::kAccepted;
  verdict.outputs = std::move(outputs);
  return verdict;
}

Verdict Verdict::Waiting(double progress, const std::string& detail) {
  Verdict verdict;
  verdict.kind = Kind::kWaiting;
  verdict.progress = progress;
  verdict.detail = detail;
  return verdict;
}

Verdict Verdict::Again(const std::string& variant, std::map<std::string, std::string> outputs) {
  Verdict verdict;
  verdict.kind = Kind::kAgain;
  verdict.variant = variant;
  verdict.outputs = std::move(outputs);
  return verdict;
}

Verdict Verdict::NotDone(absl::Status status) {
  Verdict verdict;
  verdict.kind = Kind::kNotDone;
  verdict.status = std::move(status);
  return verdict;
}

Verdict Verdict::Failed(absl::Status status) {
  Verdict verdict;
  verdict.kind = Kind::kFailed;
  verdict.status = std::move(status);
  return verdict;
}

Verdict Verdict::Contradiction(const std::string& what, const std::string& object, const std::string& remedy) {
  Verdict verdict;
  verdict.kind = Kind::kContradiction;
  verdict.status =
      Error(absl::StatusCode::kFailedPrecondition, "JOURNAL_CONTRADICTED", what).Object(object).Remedy(remedy);
  return verdict;
}

Verdict Verdict::Superseded(const std::string& why) {
  Verdict verdict;
  verdict.kind = Kind::kSuperseded;
  verdict.status = Error(absl::StatusCode::kAborted, "SUPERSEDED", why);
  return verdict;
}

Verdict Verdict::OfQuestion(const absl::Status& status) {
  return IsTransient(status) ? NotDone(status) : Failed(status);
}

Verdict Verdict::OfChange(const absl::Status& status) {
  const std::string reason = DetailOf(status).reason;
  if (reason == "STALE_EPOCH") {
    return Contradiction(MessageOf(status), DetailOf(status).object,
                         "Another operation has moved the group since. Look at its history before resuming this one.");
  }
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      // metadata-sync says so only when the peer certainly did not get the version.
      if (reason == "REMOTE_SITE_UNREACHABLE") return NotDone(status);
      [[fallthrough]];
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kInternal: {
      Verdict verdict;
      verdict.kind = Kind::kUnknown;
      verdict.status = status;
      return verdict;
    }
    default:
      return IsTransient(status) ? NotDone(status) : Failed(status);
  }
}

bool IsThrottled(const absl::Status& status) {
  return status.code() == absl::StatusCode::kResourceExhausted;
}

bool IsTransient(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kResourceExhausted:
      return true;
    case absl::StatusCode::kAborted:
      return DetailOf(status).reason != "STALE_EPOCH";
    default:
      return false;
  }
}

}  // namespace protector::orchestrator
