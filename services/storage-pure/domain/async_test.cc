// Protection groups, recovery points, fences and what is left behind, against an array in memory.
#include <utility>

#include "services/storage-pure/domain/naming.h"
#include "services/storage-pure/testing/fixture.h"

namespace protector::storage {
namespace {

v1::EnsureProtectionRequest Ensure(Fixture& f, const std::vector<std::string>& volumes,
                                   const v1::Authority& authority = Auth()) {
  auto request = For<v1::EnsureProtectionRequest>("pg", protector::group::v1::ASYNC, authority);
  request.set_target_array("array-b");
  request.mutable_policy()->set_replication_interval(600);
  request.mutable_policy()->set_target_retention(3600);
  for (const std::string& volume : volumes)
    AddDisk(request.mutable_disks(), "member-" + volume, 0, f.array.volumes[volume].serial);
  return request;
}

std::vector<std::string> Members(const Fixture& f) {
  std::vector<std::string> names;
  for (const auto& member : f.array.members) names.push_back(member.volume);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

TEST_CASE("a group is made, filled, aimed and scheduled, and the same call again changes nothing") {
  Fixture f;
  f.array.AddVolume("v1");
  f.array.AddVolume("v2");
  const auto first = f.storage->EnsureProtection(f.scope, Ensure(f, {"v1", "v2"}));
  REQUIRE(first.ok());
  CHECK(first->health() == v1::Protection::SUSPENDED);  // not allowed on the target yet
  CHECK(first->volumes_size() == 2);
  const Group& group = f.array.groups["pg"];
  CHECK(group.replication_enabled);
  CHECK(group.frequency == absl::Minutes(10));
  CHECK(group.target_retention == absl::Hours(1));
  CHECK(group.source_retention == absl::Hours(24));
  CHECK(Members(f) == std::vector<std::string>{"v1", "v2"});
  const int updates = f.array.calls["UpdateGroup"];
  f.Restart();
  REQUIRE(f.storage->EnsureProtection(f.scope, Ensure(f, {"v1", "v2"})).ok());
  CHECK(f.array.calls["UpdateGroup"] == updates);
  CHECK(f.array.calls["CreateGroup"] == 1);
  CHECK(f.array.calls["AddTarget"] == 1);
}

TEST_CASE("a volume that Cinder renames while a group is filled is found again by its serial") {
  Fixture f;
  f.array.AddVolume("protector-clone");
  const auto request = Ensure(f, {"protector-clone"});
  bool renamed = false;
  f.array.OnCall("AddGroupVolumes", [&] {
    if (std::exchange(renamed, true)) return;
    auto node = f.array.volumes.extract("protector-clone");
    node.key() = node.mapped().name = "volume-1-cinder";
    f.array.volumes.insert(std::move(node));
  });
  const auto ensured = f.storage->EnsureProtection(f.scope, request);
  INFO(ensured.status());
  REQUIRE(ensured.ok());
  CHECK(renamed);
  CHECK(Members(f) == std::vector<std::string>{"volume-1-cinder"});
}

TEST_CASE("members are replaced when a group is used again, but never somebody else's volumes") {
  Fixture f;
  f.array.AddVolume("old");
  f.array.AddVolume("new");
  REQUIRE(f.storage->EnsureProtection(f.scope, Ensure(f, {"old"})).ok());
  f.array.groups["pg"].replication_enabled = false;
  REQUIRE(f.storage->EnsureProtection(f.scope, Ensure(f, {"new"}, Auth(3))).ok());
  CHECK(Members(f) == std::vector<std::string>{"new"});
  CHECK(f.array.groups["pg"].replication_enabled);

  f.array.AddVolume("stranger");
  f.array.members.push_back({"pg", "stranger", f.array.volumes["stranger"].id});
  const auto refused = f.storage->EnsureProtection(f.scope, Ensure(f, {"new"}, Auth(3)));
  CHECK(ReasonOf(refused.status()) == "FOREIGN_OBJECT");
  CHECK(Members(f) == std::vector<std::string>{"new", "stranger"});
}

TEST_CASE("a group or a volume of another protection group is refused") {
  Fixture f;
  f.array.AddVolume("v1");
  f.array.AddVolume("v2");
  REQUIRE(f.storage->EnsureProtection(f.scope, Ensure(f, {"v1"})).ok());
  CHECK(ReasonOf(f.storage->EnsureProtection(f.scope, Ensure(f, {"v2"}, Auth(1, "op", "group-2"))).status()) ==
        "FOREIGN_OBJECT");
  auto other = Ensure(f, {"v1"}, Auth(1, "op", "group-2"));
  other.set_name("pg-2");
  CHECK(ReasonOf(f.storage->EnsureProtection(f.scope, other).status()) == "FOREIGN_OBJECT");
}

TEST_CASE("what is missing is named: volumes, the connection, the group") {
  Fixture f;
  auto request = For<v1::EnsureProtectionRequest>("pg");
  request.set_target_array("array-b");
  AddDisk(request.mutable_disks(), "m", 0, "AAAAAAAAAAAAAAAAAAAAAAAA");
  CHECK(ReasonOf(f.storage->EnsureProtection(f.scope, request).status()) == "VOLUME_NOT_FOUND");
  f.array.AddVolume("v1");
  f.array.peers[0].status = "connecting";
  // A connection that is there comes back by itself, so the caller may try again; one that was never made does not.
  const absl::Status connecting = f.storage->EnsureProtection(f.scope, Ensure(f, {"v1"})).status();
  CHECK(ReasonOf(connecting) == "LINK_DOWN");
  CHECK(absl::IsUnavailable(connecting));
  f.array.peers.clear();
  const absl::Status missing = f.storage->EnsureProtection(f.scope, Ensure(f, {"v1"})).status();
  CHECK(ReasonOf(missing) == "LINK_DOWN");
  CHECK(absl::IsFailedPrecondition(missing));
  v1::GetProtectionRequest get;
  get.set_name("no-such");
  get.set_replication_type(protector::group::v1::ASYNC);
  CHECK(ReasonOf(f.storage->GetProtection(f.scope, get).status()) == "PROTECTION_NOT_FOUND");
  CHECK(f.array.groups.empty());
}

TEST_CASE("answers that were lost in the middle of setting up are found to have happened") {
  Fixture f;
  f.array.AddVolume("v1");
  f.array.FailNext("CreateGroup", FakeArray::Lost(), true);
  f.array.FailNext("AddGroupVolumes", FakeArray::Lost(), true);
  f.array.FailNext("AddTarget", FakeArray::Lost(), true);
  REQUIRE(f.storage->EnsureProtection(f.scope, Ensure(f, {"v1"})).ok());
  CHECK(f.array.members.size() == 1);
  CHECK(f.array.targets.size() == 1);
  CHECK(f.array.calls["AddTarget"] == 1);
}

TEST_CASE("a lower epoch is refused, also after a restart, and changes nothing") {
  Fixture f;
  f.array.AddVolume("v1");
  REQUIRE(f.storage->EnsureProtection(f.scope, Ensure(f, {"v1"}, Auth(5))).ok());
  f.Restart();
  auto suspend = For<v1::SuspendProtectionRequest>("pg", protector::group::v1::ASYNC, Auth(4));
  const auto refused = f.storage->SuspendProtection(f.scope, suspend);
  CHECK(refused.status().code() == absl::StatusCode::kAborted);
  CHECK(ReasonOf(refused.status()) == "STALE_EPOCH");
  CHECK(f.array.groups["pg"].replication_enabled);
  *suspend.mutable_authority() = Auth(5);
  CHECK(f.storage->SuspendProtection(f.scope, suspend).ok());
  CHECK_FALSE(f.array.groups["pg"].replication_enabled);
}

TEST_CASE("the target waits for the face to appear, allows it once, and can refuse it") {
  Fixture f("array-b", "array-a");
  auto accept = For<v1::AcceptProtectionRequest>("pg");
  accept.set_source_array("array-a");
  int looks = 0;
  f.array.OnCall("ListGroups", [&] {
    if (++looks == 3) f.array.groups["array-a:pg"] = {.name = "array-a:pg", .is_local = false};
  });
  const auto accepted = f.storage->AcceptProtection(f.scope, accept);
  REQUIRE(accepted.ok());
  CHECK(accepted->allowed());
  CHECK(accepted->health() == v1::Protection::BASELINING);
  CHECK(f.clock.Now() > absl::FromUnixSeconds(1'700'000'000));
  REQUIRE(f.storage->AcceptProtection(f.scope, accept).ok());
  CHECK(f.array.calls["SetAllowed"] == 1);

  auto refuse = For<v1::RefuseReplicationRequest>("pg");
  refuse.set_source_array("array-a");
  const auto refused = f.storage->RefuseReplication(f.scope, refuse);
  REQUIRE(refused.ok());
  CHECK_FALSE(refused->allowed());
  CHECK(refused->health() == v1::Protection::SUSPENDED);
}

TEST_CASE("a face that never appears ends the wait at the deadline") {
  Fixture f("array-b", "array-a");
  auto accept = For<v1::AcceptProtectionRequest>("pg");
  accept.set_source_array("array-a");
  f.scope.deadline = f.clock.Now() + absl::Seconds(5);
  CHECK(ReasonOf(f.storage->AcceptProtection(f.scope, accept).status()) == "PROTECTION_NOT_FOUND");
  CHECK(f.clock.Now() < f.scope.deadline);
}

TEST_CASE("a recovery point is made once for an operation and purpose, whatever happens to the answers") {
  Fixture f;
  f.array.AddVolume("v1");
  REQUIRE(f.storage->EnsureProtection(f.scope, Ensure(f, {"v1"})).ok());
  f.array.targets.at(0).allowed = true;
  auto request = For<v1::CreateRecoveryPointRequest>("pg");
  request.set_purpose("final");
  f.array.FailNext("CreateGroupSnapshot", FakeArray::Lost(), true);
  const auto first = f.storage->CreateRecoveryPoint(f.scope, request);
  REQUIRE(first.ok());
  CHECK(first->name() == "array-a:pg.protector-op-1-final");
  CHECK_FALSE(first->complete());
  CHECK(f.storage->CreateRecoveryPoint(f.scope, request)->name() == first->name());
  CHECK(f.array.snapshots.size() == 1);

  request.set_purpose("presync");
  f.array.FailNext("CreateGroupSnapshot", FakeArray::Lost(), false);
  REQUIRE(f.storage->CreateRecoveryPoint(f.scope, request).ok());
  CHECK(f.array.snapshots.size() == 2);

  *request.mutable_authority() = Auth(1, "op-2");
  f.array.FailNext("CreateGroupSnapshot", FakeArray::Lost(), true);
  f.array.FailNext("ListGroupSnapshots", FakeArray::Down(), false);
  CHECK(ReasonOf(f.storage->CreateRecoveryPoint(f.scope, request).status()) == "OUTCOME_UNKNOWN");
  CHECK(f.storage->CreateRecoveryPoint(f.scope, request).ok());
  CHECK(f.array.snapshots.size() == 3);
}

TEST_CASE("no recovery point is made before the source knows that its target takes it: it would be sent to nobody") {
  Fixture f;
  f.array.AddVolume("v1");
  REQUIRE(f.storage->EnsureProtection(f.scope, Ensure(f, {"v1"})).ok());
  auto request = For<v1::CreateRecoveryPointRequest>("pg");
  request.set_purpose("final");
  const auto refused = f.storage->CreateRecoveryPoint(f.scope, request);
  CHECK(ReasonOf(refused.status()) == "REPLICATION_NOT_ALLOWED");
  CHECK(MessageOf(refused.status()).find("array-b does not allow protection group pg") != std::string::npos);
  CHECK(f.array.snapshots.empty());

  // The word of the target is on its way.
  int asked = 0;
  f.array.OnCall("ListTargets", [&] { f.array.targets.at(0).allowed = ++asked == 3; });
  CHECK(f.storage->CreateRecoveryPoint(f.scope, request).ok());
  CHECK(asked == 3);
  CHECK(f.array.snapshots.size() == 1);

  f.array.targets.clear();
  f.array.OnCall("ListTargets", [] {});
  request.set_purpose("presync");
  CHECK(ReasonOf(f.storage->CreateRecoveryPoint(f.scope, request).status()) == "REPLICATION_NOT_ALLOWED");
  CHECK(f.array.snapshots.size() == 1);
}

TEST_CASE("recovery points are listed newest first and only whole ones are complete") {
  Fixture f("array-b", "array-a");
  const absl::Time t = f.clock.Now();
  f.array.AddArrived("array-a:pg", "1", {"v1", "v2"}, 1.0, t);
  f.array.AddArrived("array-a:pg", "2", {"v1", "v2"}, 1.0, t + absl::Minutes(5));
  f.array.AddArrived("array-a:pg", "3", {"v1", "v2"}, 0.4, t + absl::Minutes(10));
  v1::ListRecoveryPointsRequest list;
  list.set_name("pg");
  list.set_replication_type(protector::group::v1::ASYNC);
  list.set_source_array("array-a");
  const auto points = f.storage->ListRecoveryPoints(f.scope, list);
  REQUIRE(points.ok());
  REQUIRE(points->recovery_points_size() == 3);
  CHECK(points->recovery_points(0).name() == "array-a:pg.3");
  CHECK_FALSE(points->recovery_points(0).complete());
  CHECK(points->recovery_points(0).data_total() == 2500);
  CHECK(points->recovery_points(1).complete());
  CHECK(points->recovery_points(1).volume_snapshots_size() == 2);

  v1::GetRecoveryPointRequest get;
  get.set_name("pg");
  get.set_replication_type(protector::group::v1::ASYNC);
  get.set_source_array("array-a");
  get.set_recovery_point("2");
  get.set_expected_volumes(2);
  CHECK(f.storage->GetRecoveryPoint(f.scope, get)->complete());
  get.set_expected_volumes(3);
  CHECK_FALSE(f.storage->GetRecoveryPoint(f.scope, get)->complete());
  get.set_recovery_point("array-a:pg.9");
  CHECK_FALSE(f.storage->GetRecoveryPoint(f.scope, get)->complete());
  get.set_recovery_point("array-a:other.1");
  CHECK(ReasonOf(f.storage->GetRecoveryPoint(f.scope, get).status()) == "NO_RECOVERY_POINT");
}

TEST_CASE("recovery points of an earlier round are not offered when a group is used again, on either side") {
  Fixture a;
  a.array.AddVolume("old");
  a.array.AddVolume("new");
  REQUIRE(a.storage->EnsureProtection(a.scope, Ensure(a, {"old"}, Auth(1))).ok());
  a.array.targets[0].allowed = true;
  const auto arrive = [](Fixture& f, const std::string& group, const std::string& suffix) {
    const Group kept = f.array.groups[group];
    f.array.AddArrived(group, suffix, {"v"}, 1.0, f.clock.Now());
    f.array.groups[group] = kept;
  };
  v1::GetProtectionRequest get;
  get.set_name("pg");
  get.set_replication_type(protector::group::v1::ASYNC);
  arrive(a, "pg", "1");
  CHECK(a.storage->GetProtection(a.scope, get)->health() == v1::Protection::HEALTHY);
  REQUIRE(a.storage->EnsureProtection(a.scope, Ensure(a, {"old"}, Auth(1))).ok());
  CHECK(a.storage->GetProtection(a.scope, get)->health() == v1::Protection::HEALTHY);
  // Epoch 3: the group is home again.
  REQUIRE(a.storage->EnsureProtection(a.scope, Ensure(a, {"new"}, Auth(3))).ok());
  CHECK(a.storage->GetProtection(a.scope, get)->health() == v1::Protection::BASELINING);
  arrive(a, "pg", "2");
  a.Restart();
  CHECK(a.storage->GetProtection(a.scope, get)->newest().name() == "array-a:pg.2");

  Fixture b("array-b", "array-a");
  auto accept = For<v1::AcceptProtectionRequest>("pg");
  accept.set_source_array("array-a");
  b.array.groups["array-a:pg"] = {.name = "array-a:pg", .is_local = false};
  REQUIRE(b.storage->AcceptProtection(b.scope, accept).ok());
  arrive(b, "array-a:pg", "1");
  b.array.AddVolume("vb");
  auto reverse = Ensure(b, {"vb"}, Auth(2));
  reverse.set_target_array("array-a");
  REQUIRE(b.storage->EnsureProtection(b.scope, reverse).ok());
  arrive(b, "array-a:pg", "2");  // the source is quick: sent before it was accepted
  *accept.mutable_authority() = Auth(3);
  REQUIRE(b.storage->AcceptProtection(b.scope, accept).ok());
  v1::ListRecoveryPointsRequest list;
  list.set_name("pg");
  list.set_replication_type(protector::group::v1::ASYNC);
  list.set_source_array("array-a");
  const auto points = b.storage->ListRecoveryPoints(b.scope, list);
  REQUIRE(points->recovery_points_size() == 1);
  CHECK(points->recovery_points(0).name() == "array-a:pg.2");
  // A round that this side took no part in: everything there is old.
  *accept.mutable_authority() = Auth(5);
  REQUIRE(b.storage->AcceptProtection(b.scope, accept).ok());
  CHECK(b.storage->ListRecoveryPoints(b.scope, list)->recovery_points_size() == 0);
}

TEST_CASE("a fence removes every connection, host groups once, and remembers them first") {
  Fixture f;
  f.array.AddVolume("v1");
  f.array.AddVolume("v2");
  f.array.AddVolume("other");
  f.array.Connect("v1", "h1");
  f.array.Connect("v2", "h1", "hg");
  f.array.Connect("v2", "h2", "hg");
  f.array.Connect("other", "h1");
  auto request = For<v1::FenceVolumesRequest>("pg");
  AddDisk(request.mutable_disks(), "m", 0, f.array.volumes["v1"].serial);
  AddDisk(request.mutable_disks(), "m", 1, f.array.volumes["v2"].serial);
  AddDisk(request.mutable_disks(), "m", 2, "AAAAAAAAAAAAAAAAAAAAAAAA");  // not there: no writer
  std::vector<std::string> remembered;
  f.array.OnCall("DeleteConnection", [&] { remembered = *f.state->Fence("group-1", f.array.volumes["v1"].serial); });
  const auto fenced = f.storage->FenceVolumes(f.scope, request);
  REQUIRE(fenced.ok());
  CHECK(fenced->fenced());
  CHECK(fenced->removed_connections_size() == 2);
  CHECK(remembered == std::vector<std::string>{"v1 -> h1"});
  REQUIRE(f.array.connections.size() == 1);
  CHECK(f.array.connections[0].volume == "other");
}

TEST_CASE("a host that is connected again while the fence is put up is disconnected again, or the fence says so") {
  Fixture f;
  f.array.AddVolume("v1");
  f.array.Connect("v1", "h1");
  auto request = For<v1::FenceVolumesRequest>("pg");
  AddDisk(request.mutable_disks(), "m", 0, f.array.volumes["v1"].serial);
  int again = 1;
  f.array.OnCall("ListVolumes", [&] {
    if (f.array.connections.empty() && again-- > 0) f.array.Connect("v1", "h2");
  });
  CHECK(f.storage->FenceVolumes(f.scope, request)->fenced());
  again = 100;
  f.array.Connect("v1", "h3");
  CHECK_FALSE(f.storage->FenceVolumes(f.scope, request)->fenced());
}

TEST_CASE("only this group's unconnected volumes are destroyed, all or none, and never eradicated") {
  Fixture f;
  for (const char* name : {"v1", "v2", "stranger"}) f.array.AddVolume(name);
  REQUIRE(f.storage->EnsureProtection(f.scope, Ensure(f, {"v1", "v2"})).ok());
  v1::RetireVolumesRequest request;
  *request.mutable_authority() = Auth();
  request.add_serials(f.array.volumes["v1"].serial);
  request.add_serials(f.array.volumes["stranger"].serial);
  CHECK(ReasonOf(f.storage->RetireVolumes(f.scope, request).status()) == "FOREIGN_OBJECT");
  CHECK_FALSE(f.array.volumes["v1"].destroyed);

  request.clear_serials();
  request.add_serials(f.array.volumes["v1"].serial);
  request.add_serials(f.array.volumes["v2"].serial);
  f.array.Connect("v2", "h");
  CHECK(ReasonOf(f.storage->RetireVolumes(f.scope, request).status()) == "ARRAY_CONFLICT");
  CHECK_FALSE(f.array.volumes["v1"].destroyed);

  f.array.connections.clear();
  f.array.volumes["v2"].connection_count = 0;
  f.array.FailNext("DestroyVolume", FakeArray::Lost(), true);
  const auto retired = f.storage->RetireVolumes(f.scope, request);
  REQUIRE(retired.ok());
  CHECK(retired->retired_size() == 2);
  CHECK(f.array.volumes["v1"].destroyed);
  CHECK(f.array.volumes["v2"].destroyed);
  CHECK(f.array.members.empty());
  CHECK(f.storage->RetireVolumes(f.scope, request).ok());
}

// Found by ./dev chaos fault-matrix: a removal that never arrived was taken for done.
TEST_CASE("volumes are destroyed once they are certainly out of their group") {
  Fixture f;
  f.array.AddVolume("v1");
  REQUIRE(f.storage->EnsureProtection(f.scope, Ensure(f, {"v1"})).ok());
  v1::RetireVolumesRequest request;
  *request.mutable_authority() = Auth();
  request.add_serials(f.array.volumes["v1"].serial);
  for (const bool executed : {false, true}) {
    f.array.FailNext("RemoveGroupVolumes", FakeArray::Lost(), executed);
    CHECK(IsOutcomeUnknown(f.storage->RetireVolumes(f.scope, request).status()));
    CHECK_FALSE(f.array.volumes["v1"].destroyed);
  }
  REQUIRE(f.storage->RetireVolumes(f.scope, request).ok());
  CHECK(f.array.members.empty());
  CHECK(f.array.volumes["v1"].destroyed);
}

TEST_CASE("replication is taken apart on both sides, again without harm") {
  Fixture f;
  f.array.AddVolume("v1");
  REQUIRE(f.storage->EnsureProtection(f.scope, Ensure(f, {"v1"})).ok());
  auto remove = For<v1::RemoveProtectionRequest>("pg");
  f.array.FailNext("UpdateGroup", FakeArray::Down(), false);
  CHECK_FALSE(f.storage->RemoveProtection(f.scope, remove).ok());
  REQUIRE(f.storage->RemoveProtection(f.scope, remove).ok());
  CHECK(f.array.groups["pg"].destroyed);
  CHECK(f.array.targets.empty());
  CHECK_FALSE(f.array.volumes["v1"].destroyed);
  CHECK(f.storage->RemoveProtection(f.scope, remove).ok());
  // The name is free for another group, and the destroyed group is recovered for it.
  CHECK(f.storage
            ->RemoveProtection(
                f.scope, For<v1::RemoveProtectionRequest>("pg", protector::group::v1::ASYNC, Auth(1, "op", "group-2")))
            .ok());

  Fixture t("array-b", "array-a");
  t.array.AddArrived("array-a:pg", "1", {"v1"}, 1.0, t.clock.Now());
  remove.set_source_array("array-a");
  REQUIRE(t.storage->RemoveProtection(t.scope, remove).ok());
  CHECK(t.array.snapshots["array-a:pg.1"].snapshot.destroyed);
  CHECK_FALSE(t.array.targets.at(0).allowed);
}

TEST_CASE("volumes are resolved by Cinder id in any container and by name") {
  Fixture f;
  const std::string id = "7f3a2b1c-0d1e-4f2a-8b3c-4d5e6f708192";
  const std::string in_pod = "8f3a2b1c-0d1e-4f2a-8b3c-4d5e6f708192";
  f.array.AddVolume("volume-" + id + "-cinder");
  f.array.AddVolume("pod::volume-" + in_pod + "-cinder");
  f.array.AddVolume("plain");
  v1::ResolveVolumesRequest request;
  request.add_cinder_volume_ids(in_pod);
  request.add_cinder_volume_ids(id);
  request.add_array_volumes("plain");
  const auto found = f.storage->ResolveVolumes(f.scope, request);
  REQUIRE(found.ok());
  REQUIRE(found->volumes_size() == 3);
  CHECK(found->volumes(0).cinder_volume_id() == in_pod);
  CHECK(found->volumes(0).pod() == "pod");
  CHECK(found->volumes(1).cinder_volume_id() == id);
  CHECK(found->volumes(2).name() == "plain");
  request.add_array_volumes("absent");
  const auto missing = f.storage->ResolveVolumes(f.scope, request);
  CHECK(ReasonOf(missing.status()) == "VOLUME_NOT_FOUND");
  CHECK(MessageOf(missing.status()).find("absent") != std::string::npos);
}

}  // namespace protector::storage
