// MaterializeVolumes: each volume is made once, whatever dies in between.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "services/storage-pure/domain/naming.h"
#include "services/storage-pure/testing/fixture.h"

namespace protector::storage {
namespace {

constexpr char kSerial[] = "6C1B16CE1C034D1C0001391";

struct Target : Fixture {
  Target() : Fixture("array-b", "array-a") {
    array.AddArrived("array-a:pg", "p1", {"v0", "v1", "v2"}, 1.0, clock.Now());
    array.AddArrived("array-a:pg", "p2", {"v0", "v1", "v2"}, 1.0, clock.Now());
    array.AddArrived("array-a:pg", "half", {"v0"}, 0.5, clock.Now());
  }
  v1::MaterializeVolumesRequest Request(int disks, const std::string& point = "array-a:pg.p1") {
    auto request = For<v1::MaterializeVolumesRequest>("pg", protector::group::v1::ASYNC, Auth(2));
    request.set_source_array("array-a");
    request.set_recovery_point(point);
    for (int i = 0; i < disks; ++i) {
      auto* disk = request.add_disks();
      disk->set_member_id("member");
      disk->set_index(i);
      disk->set_source_volume("v" + std::to_string(i));
      disk->set_source_serial(kSerial + std::to_string(i));
    }
    return request;
  }
  int Clones() const {
    return static_cast<int>(std::count_if(array.volumes.begin(), array.volumes.end(),
                                          [](const auto& v) { return !v.second.source.empty(); }));
  }
};

}  // namespace

TEST_CASE("volumes are made from the point, marked, paired, and returned again by a repeat") {
  Target f;
  const auto made = f.storage->MaterializeVolumes(f.scope, f.Request(3));
  REQUIRE(made.ok());
  REQUIRE(made->disks_size() == 3);
  for (int i = 0; i < 3; ++i) {
    const auto& disk = made->disks(i);
    CHECK(disk.index() == i);
    CHECK(disk.error().empty());
    CHECK(disk.volume().name() == CloneName("op-1", "group-1", "member", i));
    CHECK(f.array.volumes[disk.volume().name()].source == "array-a:pg.p1.v" + std::to_string(i));
    const auto& tags = f.array.tags[disk.volume().id()];
    CHECK(tags.at("group") == "group-1");
    CHECK(tags.at("operation") == "op-1");
    CHECK(tags.at("member") == "member");
    CHECK(tags.at("index") == std::to_string(i));
    const auto pair = f.state->Pair({"group-1", "member", i});
    CHECK(pair->at("array-a") == kSerial + std::to_string(i));
    CHECK(pair->at("array-b") == disk.volume().serial());
  }
  f.Restart();
  const auto again = f.storage->MaterializeVolumes(f.scope, f.Request(3));
  CHECK(again->disks(1).volume().id() == made->disks(1).volume().id());
  CHECK(f.array.calls["CloneVolume"] == 3);
  CHECK(f.array.calls["TagVolume"] == 3);
}

TEST_CASE("after Cinder has renamed a volume, a repeat returns that volume and makes no second one") {
  Target f;
  const auto made = f.storage->MaterializeVolumes(f.scope, f.Request(1));
  Volume volume = f.array.volumes[made->disks(0).volume().name()];
  f.array.volumes.erase(volume.name);
  volume.name = "volume-7f3a2b1c-0d1e-4f2a-8b3c-4d5e6f708192-cinder";
  f.array.volumes[volume.name] = volume;
  f.Restart();
  const auto again = f.storage->MaterializeVolumes(f.scope, f.Request(1));
  REQUIRE(again.ok());
  CHECK(again->disks(0).volume().id() == volume.id);
  CHECK(again->disks(0).volume().cinder_volume_id() == "7f3a2b1c-0d1e-4f2a-8b3c-4d5e6f708192");
  CHECK(f.Clones() == 1);
  v1::DescribeVolumesRequest describe;
  describe.add_array_volume_ids(volume.id);
  CHECK(f.storage->DescribeVolumes(f.scope, describe)->volumes(0).name() == volume.name);
}

TEST_CASE("an answer that was lost is looked for by name: made means adopted, not made means made now") {
  Target f;
  f.array.FailNext("CloneVolume", FakeArray::Lost(), true);
  REQUIRE(f.storage->MaterializeVolumes(f.scope, f.Request(1)).ok());
  CHECK(f.array.calls["CloneVolume"] == 1);
  CHECK(f.Clones() == 1);

  Target g;
  g.array.FailNext("CloneVolume", FakeArray::Lost(), false);
  REQUIRE(g.storage->MaterializeVolumes(g.scope, g.Request(1)).ok());
  CHECK(g.array.calls["CloneVolume"] == 2);
  CHECK(g.Clones() == 1);
}

TEST_CASE("when the look fails too the outcome is said to be unknown, and the next call finds the volume") {
  Target f;
  f.array.FailNext("CloneVolume", FakeArray::Lost(), true);
  f.array.FailNext("ListVolumes", FakeArray::Down(), false);
  const auto unknown = f.storage->MaterializeVolumes(f.scope, f.Request(1));
  CHECK(ReasonOf(unknown.status()) == "OUTCOME_UNKNOWN");
  f.Restart();
  REQUIRE(f.storage->MaterializeVolumes(f.scope, f.Request(1)).ok());
  CHECK(f.Clones() == 1);
}

TEST_CASE("P2: a request that timed out may be carried out yet: no second one is made until as long again has passed") {
  Target f;
  f.array.OnCall("CloneVolume", [&] {
    if (f.array.calls["CloneVolume"] == 1) f.clock.Advance(absl::Seconds(2));  // the first is not answered in time
  });
  f.array.FailNext("CloneVolume", FakeArray::Lost(), false);
  const auto waiting = f.storage->MaterializeVolumes(f.scope, f.Request(1));
  CHECK(ReasonOf(waiting.status()) == "OUTCOME_UNKNOWN");
  f.clock.Advance(absl::Milliseconds(1900));
  CHECK(ReasonOf(f.storage->MaterializeVolumes(f.scope, f.Request(1)).status()) == "OUTCOME_UNKNOWN");
  CHECK(f.array.calls["CloneVolume"] == 1);

  SECTION("it came through: that one is adopted") {
    REQUIRE(f.array.CloneVolume(f.scope, CloneName("op-1", "group-1", "member", 0), "array-a:pg.p1.v0").ok());
    REQUIRE(f.storage->MaterializeVolumes(f.scope, f.Request(1)).ok());
    CHECK(f.array.calls["CloneVolume"] == 2);  // the late one itself
  }
  SECTION("it did not: it is asked for again") {
    f.clock.Advance(absl::Milliseconds(200));
    REQUIRE(f.storage->MaterializeVolumes(f.scope, f.Request(1)).ok());
    CHECK(f.array.calls["CloneVolume"] == 2);
  }
  CHECK(f.Clones() == 1);
}

TEST_CASE("P2: a clone that came later than anybody waited is destroyed when its operation protects what it made") {
  Target f;
  const auto made = f.storage->MaterializeVolumes(f.scope, f.Request(1));
  REQUIRE(made.ok());
  const std::string name = made->disks(0).volume().name();
  const std::string id = made->disks(0).volume().id();
  Volume volume = f.array.volumes[name];
  auto protect = For<v1::EnsureProtectionRequest>("pg", protector::group::v1::ASYNC, Auth(2));
  protect.set_target_array("array-a");
  auto* disk = protect.add_disks();
  disk->set_member_id("member");
  disk->set_serial(volume.serial);

  SECTION("the one that is on record stays, whatever it is called") {
    REQUIRE(f.storage->EnsureProtection(f.scope, protect).ok());
    CHECK_FALSE(f.array.FindById(id)->destroyed);
  }
  SECTION("Cinder has renamed the one on record, and the late one has its name") {
    f.array.volumes.erase(name);
    volume.name = "volume-7f3a2b1c-0d1e-4f2a-8b3c-4d5e6f708192-cinder";
    f.array.volumes[volume.name] = volume;
    SECTION("from the same recovery point") {
      REQUIRE(f.array.CloneVolume(f.scope, name, "array-a:pg.p1.v0").ok());
      REQUIRE(f.storage->EnsureProtection(f.scope, protect).ok());
      CHECK(f.array.volumes[name].destroyed);
      CHECK_FALSE(f.array.FindById(id)->destroyed);
    }
    SECTION("somebody's volume of another origin is not touched") {
      f.array.AddVolume(name).source = "something-else";
      REQUIRE(f.storage->EnsureProtection(f.scope, protect).ok());
      CHECK_FALSE(f.array.volumes[name].destroyed);
    }
    SECTION("nor one that a host uses") {
      REQUIRE(f.array.CloneVolume(f.scope, name, "array-a:pg.p1.v0").ok());
      f.array.Connect(name, "somebody");
      REQUIRE(f.storage->EnsureProtection(f.scope, protect).ok());
      CHECK_FALSE(f.array.volumes[name].destroyed);
    }
  }
}

TEST_CASE("P1: nothing is asked of the array before the intent is on disk") {
  Target f;
  f.store.BeforeWrite([](const store::Batch& batch) {
    for (const auto& write : batch.writes()) {
      if (write.bucket == "clones") return absl::UnavailableError("disk full");
    }
    return absl::OkStatus();
  });
  CHECK_FALSE(f.storage->MaterializeVolumes(f.scope, f.Request(2)).ok());
  CHECK(f.array.calls["CloneVolume"] == 0);
}

TEST_CASE("dying after the volumes were made but before that is on record, the next process adopts them") {
  Target f;
  int writes = 0;
  f.store.BeforeWrite([&](const store::Batch& batch) {
    const bool clones = batch.writes().front().bucket == "clones";
    return clones && ++writes == 2 ? absl::UnavailableError("killed") : absl::OkStatus();
  });
  CHECK_FALSE(f.storage->MaterializeVolumes(f.scope, f.Request(2)).ok());
  CHECK(f.Clones() == 2);
  f.Restart();
  const auto again = f.storage->MaterializeVolumes(f.scope, f.Request(2));
  REQUIRE(again.ok());
  CHECK(f.Clones() == 2);
}

TEST_CASE("a volume of that name with another origin is not ours") {
  Target f;
  f.array.AddVolume(CloneName("op-1", "group-1", "member", 0)).source = "something-else";
  const auto refused = f.storage->MaterializeVolumes(f.scope, f.Request(1));
  CHECK(ReasonOf(refused.status()) == "FOREIGN_OBJECT");
  const auto partly = f.storage->MaterializeVolumes(f.scope, f.Request(2));
  REQUIRE(partly.ok());
  CHECK(partly->disks(0).error().starts_with("FOREIGN_OBJECT"));
  CHECK_FALSE(partly->disks(0).may_pass());
  CHECK(partly->disks(1).error().empty());
}

TEST_CASE("of a disk that the array was too busy for it is said that repeating may help, and it does") {
  Target f;
  f.storage =
      std::make_unique<Storage>(Deps{f.array, *f.state, f.clock, 1});  // one after the other: the last is refused
  int clones = 0;
  f.array.OnCall("CloneVolume", [&] {
    if (++clones == 2) f.array.FailNext("CloneVolume", FakeArray::Down(), false);
  });
  const auto partly = f.storage->MaterializeVolumes(f.scope, f.Request(2));
  REQUIRE(partly.ok());
  CHECK(partly->disks(0).error().empty());
  CHECK_FALSE(partly->disks(1).error().empty());
  CHECK(partly->disks(1).may_pass());
  const auto whole = f.storage->MaterializeVolumes(f.scope, f.Request(2));
  REQUIRE(whole.ok());
  CHECK(whole->disks(1).error().empty());
  CHECK(f.Clones() == 2);
}

TEST_CASE("an operation cannot mix two recovery points") {
  Target f;
  REQUIRE(f.storage->MaterializeVolumes(f.scope, f.Request(1)).ok());
  CHECK(ReasonOf(f.storage->MaterializeVolumes(f.scope, f.Request(1, "array-a:pg.p2")).status()) == "FOREIGN_OBJECT");
  CHECK(f.Clones() == 1);
}

TEST_CASE("incomplete, absent and foreign recovery points are refused before anything is made") {
  Target f;
  for (const char* point : {"array-a:pg.half", "array-a:pg.absent", "array-c:pg.p1", "array-a:pgx.p1"}) {
    CHECK(ReasonOf(f.storage->MaterializeVolumes(f.scope, f.Request(1, point)).status()) == "NO_RECOVERY_POINT");
  }
  CHECK(f.array.calls["CloneVolume"] == 0);
}

TEST_CASE("an array that goes away is not asked for every disk; the rest is made by the next call") {
  Target f;
  for (int i = 0; i < 200; ++i)
    f.array.snapshots["array-a:pg.p1"].volumes.push_back("array-a:pg.p1.v" + std::to_string(i));
  v1::MaterializeVolumesRequest request = f.Request(0);
  for (int i = 0; i < 200; ++i) {
    auto* disk = request.add_disks();
    disk->set_member_id("m" + std::to_string(i));
    disk->set_source_volume("v" + std::to_string(i));
    disk->set_source_serial(fmt::format("{:024X}", i));
  }
  f.array.FailNext("CloneVolume", FakeArray::Down(), false);
  f.storage->MaterializeVolumes(f.scope, request).IgnoreError();
  CHECK(f.array.calls["CloneVolume"] < 20);
  const auto made = f.storage->MaterializeVolumes(f.scope, request);
  REQUIRE(made.ok());
  CHECK(f.Clones() == 200);
}

TEST_CASE("a repeat of a call that still runs waits for it, and makes nothing twice however quick Cinder is") {
  Target f;
  std::thread second;
  absl::StatusOr<v1::MaterializeVolumesResponse> later = absl::UnknownError("not run");
  std::mutex mutex;
  std::condition_variable changed;
  int clones = 0;
  bool renamed = false;
  f.array.OnCall("CloneVolume", [&] {
    std::unique_lock lock(mutex);
    ++clones;
    changed.notify_all();
    if (clones == 1) {
      second = std::thread([&] { later = f.storage->MaterializeVolumes(f.scope, f.Request(1)); });
      // If the repeat does not wait for us, it asks the array now.
      changed.wait_for(lock, std::chrono::milliseconds(300), [&] { return clones == 2; });
    } else {
      changed.wait_for(lock, std::chrono::seconds(5), [&] { return renamed; });
    }
  });
  const auto first = f.storage->MaterializeVolumes(f.scope, f.Request(1));
  {
    const std::lock_guard lock(mutex);
    Volume volume = f.array.volumes[first->disks(0).volume().name()];
    f.array.volumes.erase(volume.name);
    volume.name = "volume-x-cinder";
    f.array.volumes[volume.name] = volume;
    renamed = true;
    changed.notify_all();
  }
  second.join();
  REQUIRE(later.ok());
  CHECK(later->disks(0).volume().id() == first->disks(0).volume().id());
  CHECK(f.Clones() == 1);
}

TEST_CASE("what carries our marks is listed, by group, also after a rename and when destroyed") {
  Target f;
  const auto made = f.storage->MaterializeVolumes(f.scope, f.Request(1));
  auto refuse = For<v1::RefuseReplicationRequest>("pg", protector::group::v1::ASYNC, Auth(2));
  refuse.set_source_array("array-a");
  REQUIRE(f.storage->RefuseReplication(f.scope, refuse).ok());
  f.array.AddArrived("array-a:pg", PointSuffix("op-1", "final"), {"v0"}, 1.0, f.clock.Now());
  f.array.volumes[made->disks(0).volume().name()].destroyed = true;
  v1::ListOwnedObjectsRequest request;
  request.set_group_id("group-1");
  const auto owned = f.storage->ListOwnedObjects(f.scope, request);
  REQUIRE(owned.ok());
  std::set<std::string> seen;
  for (const auto& object : owned->objects()) seen.insert(object.kind() + " " + object.operation_id());
  CHECK(seen == std::set<std::string>{"volume op-1", "protection-group ", "snapshot op-1"});
  CHECK(owned->objects(0).destroyed());
  request.set_group_id("group-2");
  CHECK(f.storage->ListOwnedObjects(f.scope, request)->objects_size() == 0);
}

}  // namespace protector::storage
