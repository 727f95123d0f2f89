#pragma once
// Errors as this product gives them: a canonical code, a stable machine-readable reason, a sentence that says what
// happened to which object, and a remedy. They travel inside absl::Status as payloads and over gRPC as
// google.rpc.ErrorInfo (see libs/grpc/status.h), so that the operator sees the same cause, object and remedy wherever
// the failure was met.
//
// Threads: values. Failure: reading a detail that is not there gives an empty string.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace protector {

struct ErrorDetail {
  std::string reason;  // UPPER_SNAKE, stable: scripts match on it, e.g. "REMOTE_SITE_UNREACHABLE"
  std::string object;  // kind and name of what it happened to, e.g. "network net-secondary-web"
  std::string remedy;  // what the operator does about it, one or two sentences
  std::string site;    // the site that said so; empty: this one

  bool operator==(const ErrorDetail&) const = default;
};

// Builds a status. `return Error(absl::StatusCode::kNotFound, "GROUP_NOT_FOUND", "...").Object("...").Remedy("...");`
class Error {
 public:
  Error(absl::StatusCode code, const std::string& reason, const std::string& message);
  Error& Object(const std::string& object);
  Error& Remedy(const std::string& remedy);
  Error& Site(const std::string& site);

  operator absl::Status() const;  // NOLINT(google-explicit-constructor): it is a builder
  template <typename T>
  operator absl::StatusOr<T>() const {  // NOLINT(google-explicit-constructor)
    return absl::StatusOr<T>(static_cast<absl::Status>(*this));
  }

 private:
  absl::StatusCode code_;
  std::string message_;
  ErrorDetail detail_;
};

// The detail that a status carries; all empty when it has none.
ErrorDetail DetailOf(const absl::Status& status);

// The same status with this detail in place of the one it had. An OK status is returned as it is.
absl::Status WithDetail(const absl::Status& status, const ErrorDetail& detail);

// The same status with "context: " before its message; code, detail and every other payload stay. For adding where it
// happened on the way up.
absl::Status Annotate(const absl::Status& status, const std::string& context);

// The message as std::string (absl's string_view does not convert).
std::string MessageOf(const absl::Status& status);

}  // namespace protector

// Returns from the function with the status of `expr` unless it is OK.
#define PROTECTOR_RETURN_IF_ERROR(expr)                                                             \
  do {                                                                                              \
    if (absl::Status protector_status_ = (expr); !protector_status_.ok()) return protector_status_; \
  } while (false)

#define PROTECTOR_CONCAT_INNER(a, b) a##b
#define PROTECTOR_CONCAT(a, b) PROTECTOR_CONCAT_INNER(a, b)

// PROTECTOR_ASSIGN_OR_RETURN(auto value, Call()): the value, or a return with the status.
#define PROTECTOR_ASSIGN_OR_RETURN(lhs, expr) \
  PROTECTOR_ASSIGN_OR_RETURN_IMPL(PROTECTOR_CONCAT(protector_or_, __LINE__), lhs, expr)
#define PROTECTOR_ASSIGN_OR_RETURN_IMPL(tmp, lhs, expr) \
  auto tmp = (expr);                                    \
  if (!tmp.ok()) return tmp.status();                   \
  lhs = std::move(tmp).value()
