#include "services/storage-pure/transport/validate.h"

#include <catch2/catch.hpp>

#include "libs/base/error.h"

namespace protector::storage {
namespace {

v1::MaterializeVolumesRequest Good() {
  v1::MaterializeVolumesRequest request;
  request.mutable_authority()->set_group_id("g");
  request.mutable_authority()->set_operation_id("o");
  request.mutable_authority()->set_epoch(1);
  request.set_name("pg");
  request.set_replication_type(protector::group::v1::ASYNC);
  request.set_source_array("array-a");
  request.set_recovery_point("array-a:pg.x");
  auto* disk = request.add_disks();
  disk->set_member_id("m");
  disk->set_source_volume("vol");
  disk->set_source_serial("6C1B16CE1C034D1C00013918");
  return request;
}

bool Refused(const absl::Status& status, const std::string& field) {
  return status.code() == absl::StatusCode::kInvalidArgument && DetailOf(status).object == "field " + field;
}

}  // namespace

TEST_CASE("a good request passes and each missing part is named") {
  CHECK(Validate(Good()).ok());
  auto request = Good();
  request.mutable_authority()->set_epoch(0);
  CHECK(Refused(Validate(request), "authority.epoch"));
  request = Good();
  request.mutable_authority()->clear_group_id();
  CHECK(Refused(Validate(request), "authority.group_id"));
  request = Good();
  request.clear_replication_type();
  CHECK(Refused(Validate(request), "replication_type"));
  request = Good();
  request.mutable_disks(0)->set_source_serial("12");
  CHECK(Refused(Validate(request), "disks.source_serial"));
  request = Good();
  *request.add_disks() = request.disks(0);
  CHECK(Refused(Validate(request), "disks"));
  request = Good();
  request.mutable_disks(0)->clear_source_volume();
  CHECK(Refused(Validate(request), "disks.source_volume"));
  request.set_replication_type(protector::group::v1::SYNC);
  CHECK(Validate(request).ok());
}

TEST_CASE("nothing that could change the meaning of a filter or a path gets to the array") {
  for (const char* bad : {"it's", "a b", "a,b", "x'or'1", "a\nb", "a&b", "*"}) {
    auto request = Good();
    request.set_name(bad);
    CHECK(Refused(Validate(request), "name"));
  }
  auto request = Good();
  request.set_name("pg.1");
  CHECK(Refused(Validate(request), "name"));
  v1::ResolveVolumesRequest resolve;
  resolve.add_cinder_volume_ids("1' or name='x");
  CHECK(Refused(Validate(resolve), "cinder_volume_ids"));
}

}  // namespace protector::storage
