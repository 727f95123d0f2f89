// Lost answers, expired sessions, overload, and a service that is killed: everything happens once.
#include <fmt/format.h>

#include <thread>

#include "tests/storage_pure/two_sites.h"

namespace protector::storage {
namespace {

struct Ready : TwoSites {
  explicit Ready(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string name = fmt::format("vol-{}", i);
      disks.push_back({fmt::format("member-{}", i), 0, a->CreateVolume(name), name});
    }
    group.Protect(*a, *b, disks);
    group.epoch = 2;
    point = group.FinalPoint(*this, *a, *b, count);
  }
  absl::StatusOr<v1::MaterializeVolumesResponse> Materialize(absl::Duration timeout = absl::Seconds(60)) {
    return b->Call(&Stub::MaterializeVolumes, group.Materialize(*a, point, disks), timeout);
  }
  // Everything that was made on b for the group, by name.
  size_t Clones() { return b->Count("name='protector-*'"); }

  GroupCalls group;
  std::vector<NamedDisk> disks;
  std::string point;
};

int Up(const absl::StatusOr<v1::MaterializeVolumesResponse>& made) {
  int up = 0;
  if (!made.ok()) return 0;
  for (const auto& disk : made->disks()) up += disk.error().empty() ? 1 : 0;
  return up;
}

}  // namespace

TEST_CASE("P2 P4: volumes that were made although the answer was lost are adopted, none is made twice") {
  Ready f(8);
  f.b->Fault(R"({"match":{"method":"POST","path":"/volumes","probability":0.5},"action":"execute_then_cut"})");
  absl::StatusOr<v1::MaterializeVolumesResponse> made = absl::UnknownError("");
  REQUIRE(f.Wait([&] { return Up(made = f.Materialize()) == 8; }));
  f.b->ClearFaults();
  CHECK(f.Clones() == 8);
  CHECK(Up(f.Materialize()) == 8);
  CHECK(f.Clones() == 8);
}

TEST_CASE("a recovery point whose answer was lost is the same recovery point") {
  Ready f(1);
  f.group.operation = "op-2";
  f.a->Fault(R"({"match":{"method":"POST","path":"/protection-group-snapshots","nth":1},"action":"execute_then_cut"})");
  f.group.FinalPoint(f, *f.a, *f.b, 1);
  const json::Value made = f.a->Rest("GET", "/protection-group-snapshots?filter=" + http::UrlEncode("name='*op-2*'"));
  CHECK(made.GetItems("items").size() == 1);
}

TEST_CASE("sessions that end in the middle and answers of 429 are not noticed by the caller") {
  Ready f(6);
  f.b->Fault(
      R"({"match":{"path":"/volumes","probability":0.3},"action":"error","status":401,"message":"Invalid session."})");
  f.b->Fault(
      R"({"match":{"path":"/volumes","probability":0.3},"action":"error","status":429,"message":"Too many requests."})");
  absl::StatusOr<v1::MaterializeVolumesResponse> made = absl::UnknownError("");
  REQUIRE(f.Wait([&] { return Up(made = f.Materialize()) == 6; }));
  f.b->ClearFaults();
  CHECK(f.Clones() == 6);
}

TEST_CASE("one expired session is renewed without a failure") {
  Ready f(1);
  f.b->Fault(
      R"({"match":{"method":"POST","path":"/volumes","nth":1},"action":"error","status":401,"message":"Invalid session."})");
  CHECK(Up(f.Materialize()) == 1);
}

TEST_CASE("P1 P3: killed while it makes volumes, and again, it ends with each made once and remembered") {
  Ready f(12);
  f.b->Fault(R"({"match":{"method":"POST","path":"/volumes"},"action":"delay","delay_ms":150})");
  for (int round = 0; round < 2; ++round) {
    std::thread call([&] { f.Materialize(absl::Seconds(5)).IgnoreError(); });
    const size_t before = f.Clones();
    f.Wait([&] { return f.Clones() > before || f.Clones() == 12; });
    f.b->KillService();
    call.join();
    f.b->StartService();
  }
  f.b->ClearFaults();
  absl::StatusOr<v1::MaterializeVolumesResponse> made = absl::UnknownError("");
  REQUIRE(f.Wait([&] { return Up(made = f.Materialize()) == 12; }));
  CHECK(f.Clones() == 12);
  v1::ListOwnedObjectsRequest owned;
  owned.set_group_id(f.group.group_id);
  const auto objects = f.b->Call(&Stub::ListOwnedObjects, owned);
  REQUIRE(objects.ok());
  int volumes = 0;
  for (const auto& object : objects->objects())
    volumes += object.kind() == "volume" && object.operation_id() == "op-1" ? 1 : 0;
  CHECK(volumes == 12);
}

TEST_CASE("P5: the epoch outlives a kill") {
  Ready f(1);
  f.group.epoch = 7;
  REQUIRE(Up(f.Materialize()) == 1);
  f.b->KillService();
  f.b->StartService();
  f.group.epoch = 6;
  absl::StatusOr<v1::MaterializeVolumesResponse> refused = absl::UnknownError("");
  REQUIRE(f.Wait([&] { return ReasonOf((refused = f.Materialize()).status()) == "STALE_EPOCH"; }));
  CHECK(refused.status().code() == absl::StatusCode::kAborted);
}

}  // namespace protector::storage
