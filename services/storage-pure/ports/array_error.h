#pragma once
// How an answer of the array that is no success is to be taken. The array has no machine codes: its client decides by
// HTTP status and a piece of text, once, and everybody else asks ClassOf.
//
// Threads: pure functions. Failure: ClassOf of a status that was not made here is kOther.

#include <string>

#include "absl/status/status.h"

namespace protector::storage {

enum class ErrorClass {
  kNotFound,       // the object is not there
  kAlreadyExists,  // it is there already (or is a member already, or is allowed already)
  kConflict,       // its state does not permit this now
  kLimit,          // a limit of the array
  kAuth,           // session, token or role
  kTransient,      // overload or no connection: the same may work later
  kOther,          // anything else; the array's text says what
};

// `object`: kind and name. `text`: what the array said, kept word for word.
absl::Status ArrayError(ErrorClass error_class, const std::string& object, const std::string& text);
ErrorClass ClassOf(const absl::Status& status);

// The array may or may not have carried the change out: look before doing it again.
bool IsOutcomeUnknown(const absl::Status& status);

inline bool NotThere(const absl::Status& status) {
  return ClassOf(status) == ErrorClass::kNotFound;
}
inline bool ExistsAlready(const absl::Status& status) {
  return ClassOf(status) == ErrorClass::kAlreadyExists;
}

}  // namespace protector::storage
