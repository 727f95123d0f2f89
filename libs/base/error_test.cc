#include "libs/base/error.h"

#include <catch2/catch.hpp>

#include "absl/strings/cord.h"
#include "absl/types/optional.h"

namespace protector {
namespace {

absl::StatusOr<int> Fails() {
  return Error(absl::StatusCode::kNotFound, "GROUP_NOT_FOUND", "no protection group web")
      .Object("protection group web");
}

absl::StatusOr<int> PassesOn() {
  PROTECTOR_ASSIGN_OR_RETURN(const int value, Fails());
  return value + 1;
}

}  // namespace

TEST_CASE("an error keeps cause, object, remedy and site on its way up") {
  const absl::Status status = Annotate(
      Error(absl::StatusCode::kUnavailable, "REMOTE_SITE_UNREACHABLE", "no answer").Remedy("mend it").Site("b"),
      "sync");
  CHECK(status.code() == absl::StatusCode::kUnavailable);
  CHECK(MessageOf(status) == "sync: no answer");
  CHECK(DetailOf(status) == ErrorDetail{"REMOTE_SITE_UNREACHABLE", "", "mend it", "b"});
}

TEST_CASE("annotating keeps what other libraries hung on a status") {
  absl::Status status = absl::UnavailableError("no answer");
  status.SetPayload("somebody/else", absl::Cord("kept"));
  CHECK(Annotate(status, "sync").GetPayload("somebody/else") == absl::Cord("kept"));
}

TEST_CASE("the macros pass the status on whole") {
  const auto result = PassesOn();
  CHECK(result.status().code() == absl::StatusCode::kNotFound);
  CHECK(DetailOf(result.status()).object == "protection group web");
}

TEST_CASE("an OK status stays OK and bare") {
  CHECK(Annotate(absl::OkStatus(), "x").ok());
  CHECK(DetailOf(absl::OkStatus()) == ErrorDetail{});
}

}  // namespace protector
