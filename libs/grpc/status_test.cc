#include "libs/grpc/status.h"

#include <catch2/catch.hpp>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "libs/base/error.h"

namespace protector::rpc {
namespace {

TEST_CASE("code, message and every detail survive the wire") {
  const absl::Status status = Error(absl::StatusCode::kFailedPrecondition, "NOT_PRIMARY", "site-b is not the primary")
                                  .Object("protection group g")
                                  .Remedy("Ask site-a.")
                                  .Site("site-b");
  const absl::Status back = FromGrpc(ToGrpc(status, "site-a"));
  CHECK(back.code() == status.code());
  CHECK(MessageOf(back) == MessageOf(status));
  CHECK(DetailOf(back) == DetailOf(status));
}

TEST_CASE("the details are google.rpc messages that other tools know") {
  const ::grpc::Status status = ToGrpc(
      Error(absl::StatusCode::kNotFound, "SITE_NOT_FOUND", "no").Object("site x").Remedy("Create it."), "site-a");
  google::rpc::Status rich;
  REQUIRE(rich.ParseFromString(status.error_details()));
  CHECK(rich.code() == 5);
  REQUIRE(rich.details_size() == 2);
  google::rpc::ErrorInfo info;
  REQUIRE(rich.details(0).UnpackTo(&info));
  CHECK(info.domain() == "protector");
  CHECK(info.reason() == "SITE_NOT_FOUND");
  CHECK(info.metadata().at("object") == "site x");
  CHECK(info.metadata().at("site") == "site-a");
  google::rpc::Help help;
  REQUIRE(rich.details(1).UnpackTo(&help));
  CHECK(help.links(0).description() == "Create it.");
}

TEST_CASE("foreign, broken and undecodable statuses keep code and message") {
  CHECK(FromGrpc(::grpc::Status::OK).ok());
  CHECK(ToGrpc(absl::OkStatus()).ok());
  const absl::Status plain = FromGrpc({::grpc::StatusCode::ABORTED, "stale", "not a protobuf"});
  CHECK(plain.code() == absl::StatusCode::kAborted);
  CHECK(MessageOf(plain) == "stale");
  CHECK(DetailOf(plain) == ErrorDetail{});
  const absl::Status latin = FromGrpc(ToGrpc(Error(absl::StatusCode::kInternal, "X", "caf\xe9")));
  CHECK(latin.code() == absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace protector::rpc
