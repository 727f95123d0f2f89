#include "services/storage-pure/ports/array_error.h"

#include <fmt/format.h>

#include <array>

#include "libs/base/error.h"
#include "libs/http/client.h"

namespace protector::storage {
namespace {

struct Row {
  ErrorClass error_class;
  absl::StatusCode code;
  const char* reason;
  const char* remedy;
};

constexpr std::array<Row, 7> kRows = {{
    {ErrorClass::kNotFound, absl::StatusCode::kNotFound, "ARRAY_OBJECT_NOT_FOUND",
     "Check the name on the array; it may have been renamed or destroyed."},
    {ErrorClass::kAlreadyExists, absl::StatusCode::kAlreadyExists, "ARRAY_OBJECT_EXISTS",
     "An object of this name is on the array already; rename it or choose another name."},
    {ErrorClass::kConflict, absl::StatusCode::kFailedPrecondition, "ARRAY_CONFLICT",
     "Bring the object into a state in which the array permits this, then repeat."},
    {ErrorClass::kLimit, absl::StatusCode::kResourceExhausted, "ARRAY_LIMIT",
     "A limit of the array is reached; remove what is not needed or ask the array's administrator."},
    {ErrorClass::kAuth, absl::StatusCode::kUnauthenticated, "ARRAY_AUTH",
     "Check array.api_token of storage-pure and the role of its user (storage_admin or more)."},
    {ErrorClass::kTransient, absl::StatusCode::kUnavailable, "ARRAY_UNREACHABLE",
     "Check the array, its management address in storage-pure's configuration and the network to it."},
    {ErrorClass::kOther, absl::StatusCode::kFailedPrecondition, "ARRAY_REFUSED",
     "The array's own words say what it objects to."},
}};

}  // namespace

absl::Status ArrayError(ErrorClass error_class, const std::string& object, const std::string& text) {
  for (const Row& row : kRows) {
    if (row.error_class != error_class) continue;
    return Error(row.code, row.reason, fmt::format("{}: the array says: {}", object, text))
        .Object(object)
        .Remedy(row.remedy);
  }
  return absl::InternalError("unknown class of array error");
}

ErrorClass ClassOf(const absl::Status& status) {
  const std::string reason = DetailOf(status).reason;
  for (const Row& row : kRows) {
    if (reason == row.reason) return row.error_class;
  }
  return ErrorClass::kOther;
}

bool IsOutcomeUnknown(const absl::Status& status) {
  return http::OutcomeUnknown(status);
}

}  // namespace protector::storage
