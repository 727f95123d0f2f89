// Pods: setting up, demoting, promoting, lifting out, and moving back with pods of later epochs.
#include <fmt/format.h>

#include "services/storage-pure/domain/naming.h"
#include "services/storage-pure/testing/fixture.h"

namespace protector::storage {
namespace {

using protector::group::v1::SYNC;

v1::EnsureProtectionRequest Ensure(Fixture& f, const std::vector<std::string>& volumes, int64_t epoch = 1,
                                   const std::string& target = "array-b") {
  auto request = For<v1::EnsureProtectionRequest>("pod", SYNC, Auth(epoch));
  request.set_target_array(target);
  for (const std::string& volume : volumes) {
    AddDisk(request.mutable_disks(), "m-" + BaseName(volume), 0, f.array.volumes[volume].serial);
  }
  return request;
}

v1::AcceptProtectionRequest Accept(int64_t epoch, const std::string& source) {
  auto request = For<v1::AcceptProtectionRequest>("pod", SYNC, Auth(epoch));
  request.set_source_array(source);
  return request;
}

// array-b with a demoted pod that replicates from array-a.
struct Target : Fixture {
  Target() : Fixture("array-b", "array-a") {
    REQUIRE(storage->AcceptProtection(scope, Accept(1, "array-a")).ok());
    array.AddVolume("pod::v1");
    array.AddVolume("pod::v2");
    array.links.push_back({.local_pod = "pod",
                           .remote_pod = "pod",
                           .remote_array = "array-a",
                           .direction = "inbound",
                           .status = "replicating",
                           .lag_ms = 5,
                           .recovery_point = clock.Now()});
  }
  v1::MaterializeVolumesRequest Request(const std::vector<std::string>& names) {
    auto request = For<v1::MaterializeVolumesRequest>("pod", SYNC, Auth(2));
    request.set_source_array("array-a");
    request.set_recovery_point("pod@1");
    for (const std::string& name : names) {
      auto* disk = request.add_disks();
      disk->set_member_id("m-" + name);
      disk->set_source_volume("pod::" + name);
      disk->set_source_serial(fmt::format("{:024X}", std::hash<std::string>()(name)).substr(0, 24));
    }
    return request;
  }
};

}  // namespace

TEST_CASE("a source pod is made and filled; the link waits until the target has its demoted pod") {
  Fixture f;
  f.array.AddVolume("v1");
  f.array.FailNext("CreateLink", ArrayError(ErrorClass::kNotFound, "pod", "Remote pod does not exist."), false);
  f.array.FailNext("CreateLink", ArrayError(ErrorClass::kNotFound, "pod", "Remote pod does not exist."), false);
  f.array.FailNext("CreateLink", ArrayError(ErrorClass::kNotFound, "pod", "Remote pod does not exist."), false);
  f.array.FailNext("CreateLink", ArrayError(ErrorClass::kNotFound, "pod", "Remote pod does not exist."), false);
  const auto first = f.storage->EnsureProtection(f.scope, Ensure(f, {"v1"}));
  REQUIRE(first.ok());
  CHECK(first->health() == v1::Protection::BASELINING);
  CHECK(first->detail().find("accept") != std::string::npos);
  CHECK(f.array.volumes.contains("pod::v1"));
  const auto second = f.storage->EnsureProtection(f.scope, Ensure(f, {"pod::v1"}));
  REQUIRE(second.ok());
  CHECK(f.array.links.size() == 1);
  CHECK(second->link_status() == "baselining");
  REQUIRE(f.storage->EnsureProtection(f.scope, Ensure(f, {"pod::v1"})).ok());
  CHECK(f.array.links.size() == 1);
  CHECK(f.array.calls["CreatePod"] == 1);
  CHECK(f.array.calls["MoveVolumeToPod"] == 1);
}

TEST_CASE("members that leave are moved out of the pod, strangers stop the call") {
  Fixture f;
  f.array.AddVolume("v1");
  f.array.AddVolume("v2");
  REQUIRE(f.storage->EnsureProtection(f.scope, Ensure(f, {"v1", "v2"})).ok());
  REQUIRE(f.storage->EnsureProtection(f.scope, Ensure(f, {"pod::v1"})).ok());
  CHECK(f.array.volumes.contains("v2"));
  f.array.AddVolume("pod::stranger");
  CHECK(ReasonOf(f.storage->EnsureProtection(f.scope, Ensure(f, {"pod::v1"})).status()) == "FOREIGN_OBJECT");
}

TEST_CASE("a connected volume that the array does not move is named with what to do") {
  Fixture f;
  f.array.AddVolume("v1");
  f.array.Connect("v1", "host");
  f.array.FailNext("MoveVolumeToPod", ArrayError(ErrorClass::kConflict, "v1", "Volume is connected."), false);
  const auto refused = f.storage->EnsureProtection(f.scope, Ensure(f, {"v1"}));
  CHECK(ReasonOf(refused.status()) == "ARRAY_CONFLICT");
  CHECK(DetailOf(refused.status()).object == "volume v1");
  CHECK(DetailOf(refused.status()).remedy.find("Stop its server") != std::string::npos);
}

TEST_CASE("the target's pod is demoted; dying before the demotion, the next call demotes it") {
  Fixture f("array-b", "array-a");
  f.array.FailNext("UpdatePod", FakeArray::Down(), false);
  CHECK_FALSE(f.storage->AcceptProtection(f.scope, Accept(1, "array-a")).ok());
  CHECK(f.array.pods["pod"].promotion_status == "promoted");
  f.Restart();
  REQUIRE(f.storage->AcceptProtection(f.scope, Accept(1, "array-a")).ok());
  CHECK(f.array.pods["pod"].promotion_status == "demoted");
  CHECK(f.array.calls["CreatePod"] == 1);
}

TEST_CASE("planned: quiesced demotion takes its time, then connections go too; a rollback promotes again") {
  Fixture f;
  f.array.AddVolume("v1");
  REQUIRE(f.storage->EnsureProtection(f.scope, Ensure(f, {"v1"})).ok());
  f.array.Connect("pod::v1", "host");
  f.array.async_promotion = true;
  auto fence = For<v1::FenceVolumesRequest>("pod", SYNC);
  fence.set_quiesce(true);
  AddDisk(fence.mutable_disks(), "m-v1", 0, f.array.volumes["pod::v1"].serial);
  const auto waiting = f.storage->FenceVolumes(f.scope, fence);
  REQUIRE(waiting.ok());
  CHECK(waiting->in_progress());
  CHECK_FALSE(waiting->fenced());
  CHECK(f.array.connections.size() == 1);
  const int updates = f.array.calls["UpdatePod"];
  f.array.FinishPromotions();
  const auto fenced = f.storage->FenceVolumes(f.scope, fence);
  CHECK(fenced->fenced());
  CHECK(f.array.connections.empty());
  CHECK(f.array.calls["UpdatePod"] == updates);

  f.array.async_promotion = false;
  auto unfence = For<v1::UnfenceVolumesRequest>("pod", SYNC);
  *unfence.mutable_disks() = fence.disks();
  REQUIRE(f.storage->UnfenceVolumes(f.scope, unfence).ok());
  CHECK(f.array.pods["pod"].promotion_status == "promoted");
  CHECK(f.state->Fence("group-1", fence.disks(0).serial())->empty());
}

TEST_CASE("the target is promoted, unlinked, and its volumes returned in place, again after a rename") {
  Target f;
  f.array.async_promotion = true;
  const auto waiting = f.storage->MaterializeVolumes(f.scope, f.Request({"v1", "v2"}));
  REQUIRE(waiting.ok());
  CHECK(waiting->in_progress());
  CHECK(waiting->disks_size() == 0);
  CHECK(f.array.links.size() == 1);
  f.array.FinishPromotions();
  const auto made = f.storage->MaterializeVolumes(f.scope, f.Request({"v1", "v2"}));
  REQUIRE(made.ok());
  CHECK_FALSE(made->in_progress());
  CHECK(made->disks(0).volume().name() == "pod::v1");
  CHECK(made->disks(1).volume().name() == "pod::v2");
  CHECK(f.array.links.empty());
  CHECK(f.array.tags[made->disks(0).volume().id()]["operation"] == "op-1");

  Volume volume = f.array.volumes["pod::v1"];
  f.array.volumes.erase("pod::v1");
  volume.name = "pod::volume-x-cinder";
  f.array.volumes[volume.name] = volume;
  const auto again = f.storage->MaterializeVolumes(f.scope, f.Request({"v1"}));
  REQUIRE(again.ok());
  CHECK(again->disks(0).volume().id() == volume.id);
}

TEST_CASE("a pod without a complete first transfer, or one the array does not promote, is POD_DEGRADED with a remedy") {
  Target f;
  f.array.links[0].status = "baselining";
  const auto refused = f.storage->MaterializeVolumes(f.scope, f.Request({"v1"}));
  CHECK(ReasonOf(refused.status()) == "POD_DEGRADED");
  CHECK_FALSE(DetailOf(refused.status()).remedy.empty());
  CHECK(f.array.pods["pod"].promotion_status == "demoted");
  f.array.links[0].status = "replicating";
  f.array.FailNext("UpdatePod", ArrayError(ErrorClass::kOther, "pod", "Pod is offline."), false);
  const auto offline = f.storage->MaterializeVolumes(f.scope, f.Request({"v1"}));
  CHECK(ReasonOf(offline.status()) == "POD_DEGRADED");
  CHECK(MessageOf(offline.status()).find("Pod is offline.") != std::string::npos);
}

TEST_CASE("a pod that is not online on its array is not healthy, however well its link is, and is not promoted") {
  Target f;
  v1::GetProtectionRequest get;
  get.set_name("pod");
  get.set_replication_type(SYNC);
  get.set_source_array("array-a");
  CHECK(f.storage->GetProtection(f.scope, get)->health() == v1::Protection::HEALTHY);
  f.array.pods["pod"].arrays[0].status = "resyncing";
  CHECK(f.storage->GetProtection(f.scope, get)->health() == v1::Protection::DEGRADED);
  f.array.pods["pod"].arrays[0].status = "offline";
  const auto offline = f.storage->GetProtection(f.scope, get);
  CHECK(offline->health() == v1::Protection::BROKEN);
  CHECK(offline->detail().find("offline") != std::string::npos);
  CHECK(ReasonOf(f.storage->MaterializeVolumes(f.scope, f.Request({"v1"})).status()) == "POD_DEGRADED");
  CHECK(f.array.pods["pod"].promotion_status == "demoted");
}

TEST_CASE("when the array keeps the link, the volumes are cloned out of the pod") {
  Target f;
  f.array.FailNext("DeleteLink", ArrayError(ErrorClass::kOther, "pod", "Peer is not reachable."), false);
  const auto made = f.storage->MaterializeVolumes(f.scope, f.Request({"v1"}));
  REQUIRE(made.ok());
  CHECK(made->disks(0).volume().pod().empty());
  CHECK(f.array.volumes[made->disks(0).volume().name()].source == "pod::v1");
}

TEST_CASE("a stretched pod serves by clones while it is online here, and never when it is not") {
  Fixture f("array-b", "array-a");
  f.array.pods["pod"] = {.name = "pod",
                         .promotion_status = "promoted",
                         .requested_state = "promoted",
                         .arrays = {{.name = "array-a", .status = "unknown"}, {.name = "array-b", .status = "online"}}};
  Volume& volume = f.array.AddVolume("pod::v1");
  v1::GetProtectionRequest get;
  get.set_name("pod");
  get.set_replication_type(SYNC);
  get.set_source_array("array-a");
  const auto degraded = f.storage->GetProtection(f.scope, get);
  CHECK(degraded->stretched());
  CHECK(degraded->health() == v1::Protection::DEGRADED);
  CHECK(degraded->detail().find("array-a: unknown") != std::string::npos);

  auto request = For<v1::MaterializeVolumesRequest>("pod", SYNC, Auth(2));
  request.set_source_array("array-a");
  request.set_recovery_point("pod@1");
  auto* disk = request.add_disks();
  disk->set_member_id("m");
  disk->set_source_serial(volume.serial);  // one serial on both arrays
  const auto made = f.storage->MaterializeVolumes(f.scope, request);
  REQUIRE(made.ok());
  CHECK(made->disks(0).volume().pod().empty());
  CHECK(f.array.pods["pod"].arrays.size() == 2);

  f.array.pods["pod"].arrays[1].status = "offline";
  *request.mutable_authority() = Auth(2, "op-2");
  CHECK(ReasonOf(f.storage->MaterializeVolumes(f.scope, request).status()) == "POD_DEGRADED");
  CHECK(f.storage->GetProtection(f.scope, get)->health() == v1::Protection::BROKEN);
}

TEST_CASE("recovery points of a pod: one mark for an operation, reached when the link is past it") {
  Target f;
  v1::GetRecoveryPointRequest get;
  get.set_name("pod");
  get.set_replication_type(SYNC);
  get.set_source_array("array-a");
  get.set_expected_volumes(2);
  get.set_recovery_point(PodPointName("pod", absl::ToUnixMillis(f.clock.Now()) + 1));
  CHECK_FALSE(f.storage->GetRecoveryPoint(f.scope, get)->complete());
  f.array.links[0].recovery_point += absl::Milliseconds(1);
  CHECK(f.storage->GetRecoveryPoint(f.scope, get)->complete());
  get.set_expected_volumes(3);
  CHECK_FALSE(f.storage->GetRecoveryPoint(f.scope, get)->complete());

  Fixture s;
  s.array.AddVolume("v1");
  REQUIRE(s.storage->EnsureProtection(s.scope, Ensure(s, {"v1"})).ok());
  auto create = For<v1::CreateRecoveryPointRequest>("pod", SYNC);
  create.set_purpose("final");
  const auto first = s.storage->CreateRecoveryPoint(s.scope, create);
  REQUIRE(first.ok());
  s.array.now += absl::Seconds(9);
  s.Restart();
  CHECK(s.storage->CreateRecoveryPoint(s.scope, create)->name() == first->name());
}

TEST_CASE(
    "moving back: the old pod is released for Cinder, a pod of the epoch takes its place, callers keep the old name") {
  Fixture a;
  a.array.AddVolume("v1");
  REQUIRE(a.storage->EnsureProtection(a.scope, Ensure(a, {"v1"})).ok());
  const std::string old_serial = a.array.volumes["pod::v1"].serial;
  // Failed over to array-b, which removed the link.
  auto fence = For<v1::FenceVolumesRequest>("pod", SYNC, Auth(2));
  AddDisk(fence.mutable_disks(), "m-v1", 0, old_serial);
  REQUIRE(a.storage->FenceVolumes(a.scope, fence)->fenced());
  a.array.links.clear();

  const auto accepted = a.storage->AcceptProtection(a.scope, Accept(2, "array-b"));
  REQUIRE(accepted.ok());
  CHECK(accepted->name() == "pod-e2");
  CHECK(a.array.pods["pod-e2"].promotion_status == "demoted");
  CHECK(a.array.pods["pod"].promotion_status == "promoted");  // Cinder can let go of its volumes now
  CHECK(a.storage->AcceptProtection(a.scope, Accept(2, "array-b"))->name() == "pod-e2");
  CHECK(a.array.calls["CreatePod"] == 2);

  // The source looks for the pod of the epoch first.
  Fixture b("array-b", "array-a");
  b.array.AddVolume("v1");
  REQUIRE(b.storage->EnsureProtection(b.scope, Ensure(b, {"v1"}, 2, "array-a")).ok());
  CHECK(b.array.links[0].remote_pod == "pod-e2");

  // The old volume and with it the old pod go.
  v1::RetireVolumesRequest retire;
  *retire.mutable_authority() = Auth(2);
  retire.add_serials(old_serial);
  REQUIRE(a.storage->RetireVolumes(a.scope, retire).ok());
  CHECK(a.array.pods["pod"].destroyed);

  // Back on array-a: the group's name leads to the pod that serves.
  Volume& replica = a.array.AddVolume("pod-e2::v1");
  const std::string serial = replica.serial;
  a.array.links.push_back({.local_pod = "pod-e2",
                           .remote_pod = "pod",
                           .remote_array = "array-b",
                           .direction = "inbound",
                           .status = "replicating",
                           .recovery_point = a.clock.Now()});
  auto up = For<v1::MaterializeVolumesRequest>("pod", SYNC, Auth(3, "op-3"));
  up.set_source_array("array-b");
  up.set_recovery_point("pod@1");
  auto* disk = up.add_disks();
  disk->set_member_id("m-v1");
  disk->set_source_volume("pod::v1");
  disk->set_source_serial("BBBBBBBBBBBBBBBBBBBBBBBB");
  const auto made = a.storage->MaterializeVolumes(a.scope, up);
  REQUIRE(made.ok());
  CHECK(made->disks(0).volume().name() == "pod-e2::v1");
  REQUIRE(a.storage->EnsureProtection(a.scope, Ensure(a, {"pod-e2::v1"}, 3)).ok());
  v1::GetProtectionRequest get;
  get.set_name("pod");
  get.set_replication_type(SYNC);
  const auto now = a.storage->GetProtection(a.scope, get);
  REQUIRE(now.ok());
  CHECK(now->volumes(0).serial() == serial);
  CHECK(a.array.links.back().local_pod == "pod-e2");
}

TEST_CASE("a pod is taken apart: volumes out, link gone, pod destroyed") {
  Fixture f;
  f.array.AddVolume("v1");
  REQUIRE(f.storage->EnsureProtection(f.scope, Ensure(f, {"v1"})).ok());
  REQUIRE(f.storage->RemoveProtection(f.scope, For<v1::RemoveProtectionRequest>("pod", SYNC)).ok());
  CHECK(f.array.volumes.contains("v1"));
  CHECK_FALSE(f.array.volumes["v1"].destroyed);
  CHECK(f.array.links.empty());
  CHECK(f.array.pods["pod"].destroyed);
  CHECK(f.storage->RemoveProtection(f.scope, For<v1::RemoveProtectionRequest>("pod", SYNC)).ok());

  Target t;
  auto remove = For<v1::RemoveProtectionRequest>("pod", SYNC);
  remove.set_source_array("array-a");
  REQUIRE(t.storage->RemoveProtection(t.scope, remove).ok());
  CHECK(t.array.pods["pod"].destroyed);
}

}  // namespace protector::storage
