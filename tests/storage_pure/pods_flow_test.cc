// Pods (ActiveDR): planned, back, unplanned, with every byte looked at; stretched pods as far as they are served.
#include <fmt/format.h>

#include "tests/storage_pure/two_sites.h"

namespace protector::storage {
namespace {

std::string CinderName(int n) {
  return fmt::format("volume-7d6c5b4a-0000-4000-8000-{:012d}-cinder", n);
}

struct PodSites : TwoSites {
  explicit PodSites(int count) {
    group.name = "pod-web";
    group.type = SYNC;
    for (int i = 0; i < count; ++i) {
      on_a.push_back({fmt::format("member-{}", i), 0, a->CreateVolume(CinderName(i)), CinderName(i)});
    }
    group.Protect(*a, *b, on_a);
    for (NamedDisk& disk : on_a) {
      disk.volume = "pod-web::" + disk.volume;
      a->Connect(disk.volume);
    }
    REQUIRE(Wait([&] { return group.Get(*a, "")->health() == v1::Protection::HEALTHY; }));
  }
  // Asks until the answer is not in progress any more.
  v1::MaterializeVolumesResponse Materialize(Side& target, const v1::MaterializeVolumesRequest& request) {
    absl::StatusOr<v1::MaterializeVolumesResponse> made = absl::UnknownError("not asked");
    REQUIRE(Wait([&] {
      made = target.Call(&Stub::MaterializeVolumes, request);
      return !made.ok() || !made->in_progress();
    }));
    INFO(made.status());
    REQUIRE(made.ok());
    return *made;
  }
  void FenceAll(Side& source, const std::vector<NamedDisk>& disks, bool quiesce) {
    absl::StatusOr<v1::FenceVolumesResponse> fenced = absl::UnknownError("not asked");
    REQUIRE(Wait([&] {
      fenced = source.Call(&Stub::FenceVolumes, group.Fence(disks, quiesce));
      return !fenced.ok() || !fenced->in_progress();
    }));
    INFO(fenced.status());
    REQUIRE(fenced.ok());
    CHECK(fenced->fenced());
  }
  GroupCalls group;
  std::vector<NamedDisk> on_a;
};

std::vector<NamedDisk> Managed(Side& side, const std::string& pod, const v1::MaterializeVolumesResponse& made,
                               int first) {
  std::vector<NamedDisk> disks;
  for (const v1::MaterializedDisk& disk : made.disks()) {
    INFO(disk.error());
    REQUIRE(disk.error().empty());
    const std::string name = pod + "::" + CinderName(first + static_cast<int>(disks.size()));
    side.Rename(disk.volume().name(), name);
    disks.push_back({disk.member_id(), disk.index(), disk.volume().serial(), name});
  }
  return disks;
}

}  // namespace

TEST_CASE("P7: a pod moves, is protected in the other direction, and comes back with every byte") {
  PodSites sites(2);
  REQUIRE(sites.a->Write(sites.on_a[0].serial, 4096, "first text"));
  sites.group.epoch = 2;
  sites.group.operation = "op-failover";
  REQUIRE(sites.a->Write(sites.on_a[1].serial, 8192, "last text"));
  const std::string point = sites.group.FinalPoint(sites, *sites.a, *sites.b, 2);
  sites.FenceAll(*sites.a, sites.on_a, true);
  CHECK_FALSE(sites.a->Write(sites.on_a[0].serial, 0, "after the fence"));
  const auto request = sites.group.Materialize(*sites.a, point, sites.on_a);
  const auto made = sites.Materialize(*sites.b, request);
  const std::vector<NamedDisk> on_b = Managed(*sites.b, "pod-web", made, 100);
  CHECK(sites.b->Read(on_b[0].volume, 4096, 10) == "first text");
  CHECK(sites.b->Read(on_b[1].volume, 8192, 9) == "last text");
  CHECK(sites.b->Rest("GET", "/pod-replica-links").GetItems("items").empty());  // Cinder may manage them
  const auto again = sites.Materialize(*sites.b, request);
  CHECK(again.disks(0).volume().name() == on_b[0].volume);

  // The other direction: a pod of the epoch on array-a, the old one free for Cinder to let go.
  sites.group.Protect(*sites.b, *sites.a, on_b);
  REQUIRE(sites.Wait([&] { return sites.group.Get(*sites.b, "")->health() == v1::Protection::HEALTHY; }));
  sites.a->Rename(sites.on_a[0].volume, sites.on_a[0].volume + "-unmanaged");
  v1::RetireVolumesRequest retire;
  *retire.mutable_authority() = request.authority();
  for (const NamedDisk& disk : sites.on_a) retire.add_serials(disk.serial);
  const auto retired = sites.a->Call(&Stub::RetireVolumes, retire);
  INFO(retired.status());
  REQUIRE(retired.ok());

  // Back.
  sites.b->Connect(on_b[0].volume);
  REQUIRE(sites.b->Write(on_b[0].serial, 12288, "from the other site"));
  sites.group.epoch = 3;
  sites.group.operation = "op-failback";
  const std::string back = sites.group.FinalPoint(sites, *sites.b, *sites.a, 2);
  sites.FenceAll(*sites.b, on_b, true);
  const auto home = sites.Materialize(*sites.a, sites.group.Materialize(*sites.b, back, on_b));
  const std::vector<NamedDisk> home_disks = Managed(*sites.a, "pod-web-e2", home, 200);
  CHECK(sites.a->Read(home_disks[0].volume, 12288, 19) == "from the other site");
  CHECK(sites.a->Read(home_disks[1].volume, 8192, 9) == "last text");
  sites.group.Protect(*sites.a, *sites.b, home_disks);
  REQUIRE(sites.Wait([&] { return sites.group.Get(*sites.a, "")->health() == v1::Protection::HEALTHY; }));
}

TEST_CASE("a move that is called off before the promotion leaves the pod serving where it was") {
  PodSites sites(1);
  sites.FenceAll(*sites.a, sites.on_a, true);
  auto unfence = sites.group.Make<v1::UnfenceVolumesRequest>();
  *unfence.mutable_disks() = sites.group.Fence(sites.on_a, true).disks();
  const auto lifted = sites.a->Call(&Stub::UnfenceVolumes, unfence);
  INFO(lifted.status());
  REQUIRE(lifted.ok());
  sites.a->Connect(sites.on_a[0].volume);
  CHECK(sites.a->Write(sites.on_a[0].serial, 0, "still here"));
  REQUIRE(sites.Wait([&] { return sites.group.Get(*sites.a, "")->health() == v1::Protection::HEALTHY; }));
}

TEST_CASE("unplanned: the surviving pod is promoted without its source, and the returning one is fenced") {
  PodSites sites(1);
  REQUIRE(sites.a->Write(sites.on_a[0].serial, 4096, "replicated"));
  const std::string point = sites.group.FinalPoint(sites, *sites.a, *sites.b, 1);
  sites.a->Control("POST", "/sim/power", R"({"state":"off","mode":"refuse"})");
  sites.group.epoch = 2;
  sites.group.operation = "op-unplanned";
  const auto made = sites.Materialize(*sites.b, sites.group.Materialize(*sites.a, point, sites.on_a));
  REQUIRE(made.disks(0).error().empty());
  CHECK(sites.b->Read(made.disks(0).volume().name(), 4096, 10) == "replicated");
  sites.a->Control("POST", "/sim/power", R"({"state":"on"})");
  REQUIRE(sites.Wait([&] { return sites.a->Call(&Stub::GetArray, v1::GetArrayRequest()).ok(); }));
  sites.FenceAll(*sites.a, sites.on_a, false);
  CHECK_FALSE(sites.a->Write(sites.on_a[0].serial, 0, "too late"));
  // And protected again, towards the site that came back, as soon as the survivor has noticed that it did.
  REQUIRE(sites.Wait([&] {
    const auto array = sites.b->Call(&Stub::GetArray, v1::GetArrayRequest());
    return array.ok() && array->connections_size() > 0 && array->connections(0).status() == "connected";
  }));
  const NamedDisk on_b{"member-0", 0, made.disks(0).volume().serial(), made.disks(0).volume().name()};
  sites.group.Protect(*sites.b, *sites.a, {on_b});
  REQUIRE(sites.Wait([&] { return sites.group.Get(*sites.b, "")->health() == v1::Protection::HEALTHY; }));
}

TEST_CASE("a stretched pod shows both sides and serves by clones where it is online") {
  TwoSites sites;
  GroupCalls group;
  group.name = "pod-ac";
  group.type = SYNC;
  sites.a->Rest("POST", "/pods?names=pod-ac", "{}");
  const std::string serial = sites.a->CreateVolume("pod-ac::" + CinderName(1));
  const std::vector<NamedDisk> disks = {{"member-1", 0, serial, "pod-ac::" + CinderName(1)}};
  sites.a->Rest("POST", "/pods/arrays?group_names=pod-ac&member_names=array-b");
  group.Protect(*sites.a, *sites.b, disks);
  REQUIRE(sites.Wait([&] { return group.Get(*sites.b, "array-a")->health() == v1::Protection::HEALTHY; }));
  CHECK(group.Get(*sites.a, "")->stretched());
  sites.b->Control("POST", "/sim/pods/pod-ac/degrade", R"({"status":"offline","array":"array-b"})");
  group.epoch = 2;
  group.operation = "op-ac";
  const auto request = group.Materialize(*sites.a, "pod-ac@1", disks);
  const auto refused = sites.b->Call(&Stub::MaterializeVolumes, request);
  CHECK(ReasonOf(refused.status()) == "POD_DEGRADED");
  CHECK_FALSE(DetailOf(refused.status()).remedy.empty());
  sites.b->Control("POST", "/sim/pods/pod-ac/degrade", "{}");
  const auto made = sites.b->Call(&Stub::MaterializeVolumes, request);
  INFO(made.status());
  REQUIRE(made.ok());
  CHECK(made->disks(0).volume().pod().empty());
  CHECK(sites.b->Rest("GET", "/pods?names=pod-ac").GetIntOr("items.0.array_count", 0) == 2);
}

}  // namespace protector::storage
