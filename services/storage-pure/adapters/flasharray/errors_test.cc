#include "services/storage-pure/adapters/flasharray/errors.h"

#include <catch2/catch.hpp>

#include "libs/base/error.h"

namespace protector::storage::flasharray {
namespace {

http::Response Answer(int status, const std::string& body) {
  http::Response response;
  response.status = status;
  response.body = body;
  return response;
}

}  // namespace

TEST_CASE("texts that real arrays give fall into their classes") {
  CHECK(Classify(400, "v1: Volume does not exist.") == ErrorClass::kNotFound);
  CHECK(Classify(400, "No such volume or snapshot") == ErrorClass::kNotFound);
  CHECK(Classify(400, "Connection already exists.") == ErrorClass::kAlreadyExists);
  CHECK(Classify(400, "Volume already belongs to the protection group.") == ErrorClass::kAlreadyExists);
  CHECK(Classify(400, "Target is already allowed on the protection group.") == ErrorClass::kAlreadyExists);
  CHECK(Classify(400, "Volume has been destroyed.") == ErrorClass::kConflict);
  CHECK(Classify(400, "Volume cannot be deleted due to existing connections.") == ErrorClass::kConflict);
  CHECK(Classify(400, "Pod volume limit reached.") == ErrorClass::kLimit);
  CHECK(Classify(400, "Unable to list user for API token.") == ErrorClass::kAuth);
  CHECK(Classify(401, "") == ErrorClass::kAuth);
  CHECK(Classify(403, "Not permitted.") == ErrorClass::kAuth);
  CHECK(Classify(429, "") == ErrorClass::kTransient);
  CHECK(Classify(500, "Internal error.") == ErrorClass::kTransient);
  CHECK(Classify(400, "Something new.") == ErrorClass::kOther);
}

TEST_CASE("the array's own text and every context stay readable") {
  const absl::Status status = StatusOf(
      Answer(
          400,
          R"({"errors":[{"context":"a","message":"Volume does not exist."},{"context":null,"message":"And more."}]})"),
      "POST /volumes a");
  CHECK(MessageOf(status).find("a: Volume does not exist.; And more.") != std::string::npos);
  CHECK(ClassOf(status) == ErrorClass::kNotFound);
  CHECK_FALSE(http::OutcomeUnknown(status));
  CHECK(ErrorText("<html>bad gateway</html>") == "<html>bad gateway</html>");
  CHECK(ErrorText(R"({"message":"too many requests"})") == "too many requests");
}

TEST_CASE("an internal error leaves open whether the change was made, overload does not") {
  CHECK(http::OutcomeUnknown(StatusOf(Answer(500, "{}"), "POST /volumes v")));
  CHECK_FALSE(http::OutcomeUnknown(StatusOf(Answer(503, "{}"), "POST /volumes v")));
  CHECK_FALSE(http::OutcomeUnknown(StatusOf(Answer(429, "{}"), "POST /volumes v")));
}

}  // namespace protector::storage::flasharray
