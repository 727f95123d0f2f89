#include <fmt/format.h>

#include "libs/base/error.h"
#include "services/orchestrator/domain/operations/fake_ports.h"
#include "services/orchestrator/domain/times.h"

namespace protector::orchestrator::fake {
namespace {

storage::ArrayVolume Shown(const Volume& volume) {
  storage::ArrayVolume shown;
  shown.set_name(volume.name);
  shown.set_id(volume.id);
  shown.set_serial(volume.serial);
  shown.set_connection_count(volume.connected ? 1 : 0);
  return shown;
}

}  // namespace

absl::StatusOr<sites::Site> FakeSites::GetSite(const Call&, const std::string& name) {
  sites::Site site;
  site.set_name(name);
  site.set_array_name(name == "site-a" ? "array-a" : "array-b");
  site.set_cinder_host("cinder@pure#array");
  return site;
}
absl::StatusOr<std::vector<sites::Site>> FakeSites::ListSites(const Call& call) {
  return std::vector<sites::Site>{*GetSite(call, "site-a"), *GetSite(call, "site-b")};
}
absl::StatusOr<sites::Project> FakeSites::ResolveProject(const Call&, const std::string& name, const std::string&) {
  sites::Project project;
  project.set_id(name);
  return project;
}

absl::Status FakeArray::Change(const std::string& call, const std::string& object, const storage::Authority& authority,
                               const std::function<absl::Status()>& effect) {
  return world_.Change(from_, here_, call, object, [&]() -> absl::Status {
    const absl::Status epoch = world_.CheckEpoch(here(), authority, &Site::epoch_seen);
    return epoch.ok() ? effect() : epoch;
  });
}

absl::StatusOr<storage::Array> FakeArray::GetArray(const Call&, const storage::GetArrayRequest&) {
  return storage::Array();
}
absl::StatusOr<storage::ResolveVolumesResponse> FakeArray::ResolveVolumes(const Call&,
                                                                          const storage::ResolveVolumesRequest&) {
  return storage::ResolveVolumesResponse();
}
absl::StatusOr<storage::ListOwnedObjectsResponse> FakeArray::ListOwnedObjects(const Call&,
                                                                              const storage::ListOwnedObjectsRequest&) {
  return storage::ListOwnedObjectsResponse();
}
absl::StatusOr<storage::RemoveProtectionResponse> FakeArray::RemoveProtection(const Call&,
                                                                              const storage::RemoveProtectionRequest&) {
  return storage::RemoveProtectionResponse();
}
absl::StatusOr<storage::UnfenceVolumesResponse> FakeArray::UnfenceVolumes(const Call&,
                                                                          const storage::UnfenceVolumesRequest&) {
  return storage::UnfenceVolumesResponse();
}

absl::StatusOr<storage::Protection> FakeArray::GetProtection(const Call&,
                                                             const storage::GetProtectionRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(world_.Begin(from_, here_));
  storage::Protection protection;
  protection.set_name(request.name());
  const bool works = here().enabled && world_.other(here_).accepts;
  protection.set_health(!works                                    ? storage::Protection::SUSPENDED
                        : world_.clock().Now() >= here().baseline ? storage::Protection::HEALTHY
                                                                  : storage::Protection::BASELINING);
  if (!works) protection.set_detail("the schedule is off");
  if (works && world_.cut_looks > 0) {
    --world_.cut_looks;
    protection.set_health(storage::Protection::DEGRADED);
    protection.set_detail("array array-b: the connection is \"connecting\"");
  }
  return protection;
}

storage::RecoveryPoint FakeArray::Shown(const Point& point) {
  storage::RecoveryPoint shown;
  shown.set_name(point.name);
  *shown.mutable_data_time() = ToProto(point.data_time);
  shown.set_complete(world_.clock().Now() >= point.ready);
  for (const auto& [serial, writes] : point.writes) shown.add_volume_snapshots(serial);
  return shown;
}

absl::StatusOr<storage::ListRecoveryPointsResponse> FakeArray::ListRecoveryPoints(
    const Call&, const storage::ListRecoveryPointsRequest&) {
  PROTECTOR_RETURN_IF_ERROR(world_.Begin(from_, here_));
  std::vector<Point> points;
  for (const auto& [name, point] : here().points) points.push_back(point);
  std::sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.data_time > b.data_time; });
  storage::ListRecoveryPointsResponse response;
  for (const Point& point : points) *response.add_recovery_points() = Shown(point);
  return response;
}

absl::StatusOr<storage::RecoveryPoint> FakeArray::GetRecoveryPoint(const Call&,
                                                                   const storage::GetRecoveryPointRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(world_.Begin(from_, here_));
  const auto found = here().points.find(request.recovery_point());
  if (found == here().points.end()) return absl::NotFoundError("no such recovery point");
  return Shown(found->second);
}

absl::StatusOr<storage::DescribeVolumesResponse> FakeArray::DescribeVolumes(
    const Call&, const storage::DescribeVolumesRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(world_.Begin(from_, here_));
  if (world_.mute_arrays) return absl::UnavailableError("the array does not answer");
  storage::DescribeVolumesResponse response;
  for (const std::string& id : request.array_volume_ids()) {
    for (const auto& [serial, volume] : here().array) {
      if (volume.id == id) *response.add_volumes() = fake::Shown(volume);
    }
  }
  return response;
}

absl::StatusOr<storage::Protection> FakeArray::EnsureProtection(const Call&,
                                                                const storage::EnsureProtectionRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(Change("ensure-protection", request.name(), request.authority(), [&] {
    std::set<std::string> serials;
    for (const storage::Disk& disk : request.disks()) serials.insert(disk.serial());
    if (!here().enabled || here().protected_serials != serials) {
      here().enabled = true;
      here().protected_serials = serials;
      here().baseline = world_.clock().Now() + absl::Seconds(30);
      world_.Effect(here_ + ".ensure-protection");
    }
    return absl::OkStatus();
  }));
  return storage::Protection();
}

absl::StatusOr<storage::Protection> FakeArray::AcceptProtection(const Call&,
                                                                const storage::AcceptProtectionRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(Change("accept-protection", request.name(), request.authority(), [&] {
    here().accepts = true;
    return absl::OkStatus();
  }));
  return storage::Protection();
}

absl::StatusOr<storage::Protection> FakeArray::SuspendProtection(const Call&,
                                                                 const storage::SuspendProtectionRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(Change("suspend-protection", request.name(), request.authority(), [&] {
    here().enabled = false;
    return absl::OkStatus();
  }));
  return storage::Protection();
}

absl::StatusOr<storage::RecoveryPoint> FakeArray::CreateRecoveryPoint(
    const Call&, const storage::CreateRecoveryPointRequest& request) {
  const std::string name = fmt::format("{}:{}.{}-{}", here_, request.name(),
                                       request.authority().operation_id().substr(3, 8), request.purpose());
  Site& target = world_.other(here_);
  PROTECTOR_RETURN_IF_ERROR(Change("create-recovery-point", request.purpose(), request.authority(), [&] {
    if (target.points.count(name) == 0) {
      Point point{name, world_.clock().Now(), world_.clock().Now() + absl::Seconds(3), {}};
      for (const std::string& serial : here().protected_serials) point.writes[serial] = here().array[serial].writes;
      target.points[name] = point;
      world_.Effect(fmt::format("{}.create-recovery-point {}", here_, request.purpose()));
    }
    return absl::OkStatus();
  }));
  return Shown(target.points[name]);
}

absl::StatusOr<storage::FenceVolumesResponse> FakeArray::FenceVolumes(const Call&,
                                                                      const storage::FenceVolumesRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(Change("fence", "", request.authority(), [&] {
    for (const storage::Disk& disk : request.disks()) here().array[disk.serial()].fenced = true;
    return absl::OkStatus();
  }));
  storage::FenceVolumesResponse response;
  response.set_fenced(true);
  return response;
}

absl::StatusOr<storage::Protection> FakeArray::RefuseReplication(const Call&,
                                                                 const storage::RefuseReplicationRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(Change("refuse-replication", "", request.authority(), [&] {
    here().accepts = false;
    return absl::OkStatus();
  }));
  return storage::Protection();
}

absl::StatusOr<storage::MaterializeVolumesResponse> FakeArray::MaterializeVolumes(
    const Call&, const storage::MaterializeVolumesRequest& request) {
  storage::MaterializeVolumesResponse response;
  const std::string member = request.disks_size() > 0 ? request.disks(0).member_id() : "";
  PROTECTOR_RETURN_IF_ERROR(Change("materialize", member, request.authority(), [&] {
    const Point& point = here().points.at(request.recovery_point());
    if (world_.clock().Now() < point.ready) world_.violations.push_back("an incomplete recovery point was brought up");
    for (const storage::DiskToMaterialize& disk : request.disks()) {
      if (disk.index() > 0 && world_.busy_disks > 0) {
        --world_.busy_disks;
        storage::MaterializedDisk& busy = *response.add_disks();
        busy.set_member_id(disk.member_id());
        busy.set_index(disk.index());
        busy.set_error("ARRAY_UNREACHABLE: the array is busy");
        busy.set_may_pass(true);
        continue;
      }
      const std::string name = fmt::format("protector-{}-{}-{}", request.authority().operation_id().substr(3, 8),
                                           disk.member_id().substr(0, 8), disk.index());
      const std::string id = "array " + name;
      Volume* found = nullptr;
      for (auto& [serial, volume] : here().array) {
        if (volume.id == id) found = &volume;
      }
      if (found == nullptr) {
        Volume made;
        made.name = name;
        made.id = id;
        made.serial = world_.NewSerial();
        made.writes = point.writes.at(disk.source_serial());
        found = &(here().array[made.serial] = made);
        world_.Effect(fmt::format("{}.materialize {}", here_, name));
      }
      storage::MaterializedDisk& up = *response.add_disks();
      up.set_member_id(disk.member_id());
      up.set_index(disk.index());
      *up.mutable_volume() = fake::Shown(*found);
    }
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<storage::RetireVolumesResponse> FakeArray::RetireVolumes(const Call&,
                                                                        const storage::RetireVolumesRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(Change("retire", "", request.authority(), [&] {
    for (const std::string& serial : request.serials()) {
      Volume& volume = here().array[serial];
      if (!volume.destroyed) world_.Effect(fmt::format("{}.retire {}", here_, serial));
      volume.destroyed = true;
    }
    return absl::OkStatus();
  }));
  return storage::RetireVolumesResponse();
}

}  // namespace protector::orchestrator::fake
