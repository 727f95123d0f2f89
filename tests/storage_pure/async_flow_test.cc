// Planned, unplanned and back, with protection groups, and every byte looked at.
#include <fmt/format.h>

#include "tests/storage_pure/two_sites.h"

namespace protector::storage {
namespace {

std::string CinderName(int n) {
  return fmt::format("volume-7d6c5b4a-0000-4000-8000-{:012d}-cinder", n);
}

// Volumes on a side, connected, each with its own text in it.
std::vector<NamedDisk> MakeDisks(Side& side, int count) {
  std::vector<NamedDisk> disks;
  for (int i = 0; i < count; ++i) {
    const std::string name = CinderName(i);
    disks.push_back({fmt::format("member-{}", i / 2), i % 2, side.CreateVolume(name), name});
    side.Connect(name);
    REQUIRE(side.Write(disks.back().serial, 4096, fmt::format("first text of {}", i)));
  }
  return disks;
}

// The disks after a move, as Cinder has them: managed under new names.
std::vector<NamedDisk> Managed(Side& side, const v1::MaterializeVolumesResponse& made, int first) {
  std::vector<NamedDisk> disks;
  for (const v1::MaterializedDisk& disk : made.disks()) {
    const std::string name = CinderName(first + static_cast<int>(disks.size()));
    side.Rename(disk.volume().name(), name);
    disks.push_back({disk.member_id(), disk.index(), disk.volume().serial(), name});
  }
  return disks;
}

}  // namespace

TEST_CASE("P7: planned failover, reverse replication and failback keep every byte") {
  TwoSites sites;
  GroupCalls group;
  const std::vector<NamedDisk> on_a = MakeDisks(*sites.a, 4);
  group.Protect(*sites.a, *sites.b, on_a);
  REQUIRE(sites.Wait([&] { return group.Get(*sites.a, "")->health() == v1::Protection::HEALTHY; }));
  CHECK(group.Get(*sites.b, "array-a")->health() == v1::Protection::HEALTHY);
  CHECK(group.Get(*sites.a, "")->volumes_size() == 4);

  // The move. What is written until the fence is in the final recovery point.
  group.epoch = 2;
  group.operation = "op-failover";
  for (int i = 0; i < 4; ++i)
    REQUIRE(sites.a->Write(on_a[static_cast<size_t>(i)].serial, 8192, fmt::format("last text of {}", i)));
  const auto fenced = sites.a->Call(&Stub::FenceVolumes, group.Fence(on_a, true));
  REQUIRE(fenced.ok());
  CHECK(fenced->fenced());
  CHECK(fenced->removed_connections_size() == 4);
  CHECK_FALSE(sites.a->Write(on_a[0].serial, 0, "after the fence"));
  const std::string point = group.FinalPoint(sites, *sites.a, *sites.b, 4);
  CHECK(point == "array-a:pg-web.protector-op-failover-final");
  REQUIRE(sites.a->Call(&Stub::SuspendProtection, group.Make<v1::SuspendProtectionRequest>()).ok());
  const auto made = sites.b->Call(&Stub::MaterializeVolumes, group.Materialize(*sites.a, point, on_a));
  INFO(made.status());
  REQUIRE(made.ok());
  REQUIRE(made->disks_size() == 4);
  for (int i = 0; i < 4; ++i) {
    INFO(made->disks(i).error());
    const std::string& name = made->disks(i).volume().name();
    const std::string last = fmt::format("last text of {}", i);
    CHECK(sites.b->Read(name, 8192, static_cast<int64_t>(last.size())) == last);
    CHECK(made->disks(i).volume().serial() != on_a[static_cast<size_t>(i)].serial);
  }
  // Cinder manages them; a repeat finds the same volumes under their new names.
  std::vector<NamedDisk> on_b = Managed(*sites.b, *made, 100);
  const auto again = sites.b->Call(&Stub::MaterializeVolumes, group.Materialize(*sites.a, point, on_a));
  REQUIRE(again.ok());
  for (int i = 0; i < 4; ++i) {
    CHECK(again->disks(i).volume().id() == made->disks(i).volume().id());
    CHECK(again->disks(i).volume().name() == CinderName(100 + i));
  }
  CHECK(sites.b->Count("name='protector-*'") == 0);
  CHECK(sites.b->Count("name='volume-*'") == 4);

  // The superseded side is refused.
  GroupCalls stale = group;
  stale.epoch = 1;
  CHECK(ReasonOf(sites.b->Call(&Stub::MaterializeVolumes, stale.Materialize(*sites.a, point, on_a)).status()) ==
        "STALE_EPOCH");

  // The other direction, under the same name.
  group.Protect(*sites.b, *sites.a, on_b);
  REQUIRE(sites.Wait([&] { return group.Get(*sites.b, "")->health() == v1::Protection::HEALTHY; }));
  v1::RetireVolumesRequest retire;
  *retire.mutable_authority() = group.Make<v1::SuspendProtectionRequest>().authority();
  for (const NamedDisk& disk : on_a) retire.add_serials(disk.serial);
  const auto retired = sites.a->Call(&Stub::RetireVolumes, retire);
  INFO(retired.status());
  REQUIRE(retired.ok());
  CHECK(sites.a->VolumeBy("serial", on_a[0].serial).GetBoolOr("destroyed", false));

  // And back.
  sites.b->Connect(on_b[0].volume);
  REQUIRE(sites.b->Write(on_b[0].serial, 12288, "written on the other site"));
  group.epoch = 3;
  group.operation = "op-failback";
  REQUIRE(sites.b->Call(&Stub::FenceVolumes, group.Fence(on_b, true))->fenced());
  const std::string back = group.FinalPoint(sites, *sites.b, *sites.a, 4);
  REQUIRE(sites.b->Call(&Stub::SuspendProtection, group.Make<v1::SuspendProtectionRequest>()).ok());
  const auto home = sites.a->Call(&Stub::MaterializeVolumes, group.Materialize(*sites.b, back, on_b));
  INFO(home.status());
  REQUIRE(home.ok());
  CHECK(sites.a->Read(home->disks(0).volume().name(), 12288, 25) == "written on the other site");
  CHECK(sites.a->Read(home->disks(3).volume().name(), 4096, 15) == "first text of 3");
  // The old local group is used again, with the new volumes.
  const std::vector<NamedDisk> home_disks = Managed(*sites.a, *home, 200);
  group.Protect(*sites.a, *sites.b, home_disks);
  const auto protection = group.Get(*sites.a, "");
  REQUIRE(protection->volumes_size() == 4);
  for (const auto& volume : protection->volumes())
    CHECK(volume.name().starts_with("volume-7d6c5b4a-0000-4000-8000-0000000002"));
  REQUIRE(sites.Wait([&] { return group.Get(*sites.a, "")->health() == v1::Protection::HEALTHY; }));
  // With a recovery point of these volumes, not with one of the first round.
  const std::string newest = group.Get(*sites.b, "array-a")->newest().name();
  const json::Value snapshots =
      sites.b->Rest("GET", "/volume-snapshots?filter=" + http::UrlEncode("name='" + newest + ".*'"));
  REQUIRE(snapshots.GetItems("items").size() == 4);
  for (const json::Value& snapshot : snapshots.GetItems("items")) {
    CHECK(snapshot.GetStringOr("name", "").find("-0000000002") != std::string::npos);
  }
}

TEST_CASE("unplanned: only a complete recovery point is used, and the lost site can push nothing more") {
  TwoSites sites;
  GroupCalls group;
  const std::vector<NamedDisk> on_a = MakeDisks(*sites.a, 2);
  group.Protect(*sites.a, *sites.b, on_a);
  REQUIRE(sites.Wait([&] { return group.Get(*sites.b, "array-a")->has_newest(); }));
  const std::string good = group.Get(*sites.b, "array-a")->newest().name();

  // A transfer is under way when the array is lost.
  sites.a->Control("POST", "/sim/settings", R"({"bandwidth_mbps":0.1})");
  REQUIRE(sites.a->Write(on_a[0].serial, 0, std::string(1 << 20, 'x')));
  group.operation = "op-running";
  auto create = group.Make<v1::CreateRecoveryPointRequest>();
  create.set_purpose("presync");
  REQUIRE(sites.a->Call(&Stub::CreateRecoveryPoint, create).ok());
  v1::ListRecoveryPointsRequest list;
  list.set_name(group.name);
  list.set_replication_type(ASYNC);
  list.set_source_array("array-a");
  const auto points_of_b = [&] { return sites.b->Call(&Stub::ListRecoveryPoints, list); };
  REQUIRE(sites.Wait([&] {
    const auto points = points_of_b();
    return points.ok() && points->recovery_points_size() >= 2;
  }));
  sites.a->Control("POST", "/sim/power", R"({"state":"off","mode":"refuse"})");

  const auto points = points_of_b();
  REQUIRE(points.ok());
  CHECK_FALSE(points->recovery_points(0).complete());
  const std::string partial = points->recovery_points(0).name();
  group.epoch = 2;
  group.operation = "op-unplanned";
  CHECK(ReasonOf(sites.b->Call(&Stub::MaterializeVolumes, group.Materialize(*sites.a, partial, on_a)).status()) ==
        "NO_RECOVERY_POINT");
  auto refuse = group.Make<v1::RefuseReplicationRequest>();
  refuse.set_source_array("array-a");
  const auto refused = sites.b->Call(&Stub::RefuseReplication, refuse);
  INFO(refused.status());
  REQUIRE(refused.ok());
  CHECK_FALSE(refused->allowed());
  const auto made = sites.b->Call(&Stub::MaterializeVolumes, group.Materialize(*sites.a, good, on_a));
  INFO(made.status());
  REQUIRE(made.ok());
  CHECK(sites.b->Read(made->disks(0).volume().name(), 4096, 15) == "first text of 0");

  // The site's own array: unreachable is said at once, and which one.
  const auto down = sites.a->Call(&Stub::GetArray, v1::GetArrayRequest());
  CHECK(ReasonOf(down.status()) == "ARRAY_UNREACHABLE");
  sites.a->Control("POST", "/sim/power", R"({"state":"on"})");
  REQUIRE(sites.Wait([&] { return sites.a->Call(&Stub::GetArray, v1::GetArrayRequest()).ok(); }));
  // It comes back into a world that has moved on.
  GroupCalls old = group;
  REQUIRE(sites.a->Call(&Stub::FenceVolumes, group.Fence(on_a, false))->fenced());
  old.epoch = 1;
  CHECK(ReasonOf(sites.a->Call(&Stub::SuspendProtection, old.Make<v1::SuspendProtectionRequest>()).status()) ==
        "STALE_EPOCH");
}

TEST_CASE("two thousand volumes are found and described quickly") {
  TwoSites sites;
  std::vector<std::string> serials;
  for (int i = 0; i < 2000; i += 100) {
    std::string names;
    for (int n = i; n < i + 100; ++n) names += (names.empty() ? "" : ",") + CinderName(n);
    const json::Value made =
        sites.a->Rest("POST", "/volumes?names=" + http::UrlEncode(names), R"({"provisioned":1048576})");
    for (const json::Value& item : made.GetItems("items")) serials.push_back(item.GetStringOr("serial", ""));
  }
  REQUIRE(serials.size() == 2000);
  v1::DescribeVolumesRequest describe;
  for (const std::string& serial : serials) describe.add_serials(serial);
  const absl::Duration started = sites.clock.Monotonic();
  const auto found = sites.a->Call(&Stub::DescribeVolumes, describe);
  REQUIRE(found.ok());
  CHECK(found->volumes_size() == 2000);
  CHECK(sites.clock.Monotonic() - started < absl::Seconds(5));
}

}  // namespace protector::storage
