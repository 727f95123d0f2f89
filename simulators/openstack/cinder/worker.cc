// The half of Cinder that the driver is: each state such as `creating` is one step on the array, which a restart
// repeats.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "simulators/openstack/cinder/cinder.h"
#include "simulators/openstack/core/util.h"

namespace protector::ossim {
namespace {

constexpr int64_t kGiB = 1LL << 30;

std::string NewName(const std::string& id) {
  return "volume-" + id + "-cinder";
}

}  // namespace

bool Cinder::Replicated(const json& volume) {
  const json* type = site_.store.table("volume_types").Find(Text(volume, "volume_type_id"));
  return type != nullptr && Text(Member(*type, "extra_specs"), "replication_enabled") == "<is> True";
}

std::string Cinder::ArrayVolumeName(const json& volume) {
  std::string name = Text(volume, "provider_id");
  return name.empty() ? NewName(Text(volume, "id")) : name;
}

void Cinder::Change(const std::string& volume_id, const json& changes) {
  Store::Lock lock(site_.store);
  const json* v = site_.store.table("volumes").Find(volume_id);
  if (v == nullptr) return;
  json doc = *v;
  doc.update(changes);
  doc["updated_at"] = IsoMicros(NowMs());
  site_.store.table("volumes").Put(volume_id, doc);
}

void Cinder::Start(const std::string& volume_id) {
  const json* v = site_.store.table("volumes").Find(volume_id);
  if (v == nullptr) return;
  std::string status = Text(*v, "status");
  std::string latency;
  if (status == "creating") latency = "cinder_create";
  if (status == "managing") latency = "cinder_manage";
  if (status == "unmanaging") latency = "cinder_unmanage";
  if (status == "deleting") latency = "cinder_delete";
  if (status == "extending") latency = "cinder_create";
  if (latency.empty()) return;
  site_.scheduler.After(site_.latency.SampleMs(latency), [this, volume_id] { Step(volume_id); });
}

void Cinder::Step(const std::string& volume_id) {
  json volume;
  {
    Store::Lock lock(site_.store);
    const json* v = site_.store.table("volumes").Find(volume_id);
    if (v == nullptr) return;
    volume = *v;
    volume["-replicated"] = Replicated(volume);
  }
  std::string status = Text(volume, "status");
  if (status == "creating") DoCreate(volume);
  if (status == "managing") DoManage(volume);
  if (status == "unmanaging") DoUnmanage(volume);
  if (status == "deleting") DoDelete(volume);
  if (status == "extending") DoExtend(volume);
}

void Cinder::DoCreate(const json& volume) {
  std::string id = Text(volume, "id"), name = NewName(id);
  if (site_.faults.Behaves("volume_create_error", Text(volume, "name"), id)) return Change(id, {{"status", "error"}});
  int64_t bytes = Number(volume, "size") * kGiB;
  absl::Status s;
  std::string source;
  {
    Store::Lock lock(site_.store);
    if (!Text(volume, "snapshot_id").empty()) {
      const json* snapshot = site_.store.table("snapshots").Find(Text(volume, "snapshot_id"));
      source = snapshot == nullptr ? "" : Text(*snapshot, "provider_id");
    } else if (!Text(volume, "source_volid").empty()) {
      const json* from = site_.store.table("volumes").Find(Text(volume, "source_volid"));
      source = from == nullptr ? "" : ArrayVolumeName(*from);
    }
  }
  s = source.empty() ? array_.CreateVolume(name, bytes) : array_.CloneVolume(name, source);
  if (absl::IsAlreadyExists(s)) s = absl::OkStatus();  // made before a restart
  auto made = s.ok() ? array_.GetVolume(name) : absl::StatusOr<ArrayVolume>(s);
  if (made.ok() && made->bytes < bytes) s = array_.ResizeVolume(name, bytes);
  if (s.ok() && volume.at("-replicated").get<bool>() && !site_.config.cinder_group.empty())
    s = array_.AddToGroup(site_.config.cinder_group, name);
  if (!s.ok() || !made.ok()) {
    spdlog::warn("volume {} could not be created: {}", id, std::string((s.ok() ? made.status() : s).message()));
    return Change(id, {{"status", "error"}});
  }
  json metadata = volume.at("metadata");
  metadata["array_volume_name"] = name;
  metadata["array_name"] = site_.ArrayName();
  Change(id, {{"status", "available"},
              {"provider_id", name},
              {"serial", made->serial},
              {"metadata", metadata},
              {"replication_status", volume.at("-replicated").get<bool>() ? json("enabled") : json()}});
}

// The FlashArray driver of Cinder 2025.1 does not know the name of such a volume on the array, and fails on it whatever
// is asked: the record can be neither unmanaged nor deleted (seen with the real driver, tests/openstack).
void Cinder::ManageFailed(const std::string& id) {
  Change(id, {{"status", "error_managing"}, {"-nameless", true}});
}

void Cinder::DoManage(const json& volume) {
  std::string id = Text(volume, "id"), display = Text(volume, "name"), name = NewName(id);
  if (site_.faults.Behaves("manage_error", display, id)) return ManageFailed(id);
  if (site_.faults.Holds("manage_stuck", display, id)) {
    site_.scheduler.After(10, [this, id] { Step(id); });
    return;
  }
  const json ref = volume.at("manage_ref");
  std::string wanted = Text(ref, "source-name", Text(ref, "name"));
  auto found = array_.GetVolume(wanted);
  absl::Status s = found.status();
  size_t pod = wanted.find("::");
  std::string prefix = pod == std::string::npos ? "" : wanted.substr(0, pod + 2);
  if (absl::IsNotFound(s)) {
    found = array_.GetVolume(prefix + name);  // renamed already, before a restart
    s = found.status();
    name = prefix + name;
  } else {
    if (s.ok() && found->connections > 0) s = absl::FailedPreconditionError("the volume is connected to a host");
    if (s.ok() && pod != std::string::npos) {
      bool replicated = false;
      s = array_.InReplicatedPod(wanted.substr(0, pod), &replicated);
      if (s.ok() && replicated) s = absl::FailedPreconditionError("the volume is in a replicated pod");
    }
    name = prefix + name;
    if (s.ok()) s = array_.RenameVolume(wanted, name);
  }
  if (s.ok() && volume.at("-replicated").get<bool>() && !site_.config.cinder_group.empty())
    s = array_.AddToGroup(site_.config.cinder_group, name);
  if (!s.ok()) {
    spdlog::warn("volume {} could not be managed as {}: {}", wanted, id, std::string(s.message()));
    return ManageFailed(id);
  }
  Change(id, {{"status", "available"},
              {"provider_id", name},
              {"serial", found->serial},
              {"size", std::max<int64_t>(1, (found->bytes + kGiB - 1) / kGiB)},
              {"metadata", {{"array_volume_name", name}, {"array_name", site_.ArrayName()}}},
              {"replication_status", volume.at("-replicated").get<bool>() ? json("enabled") : json()}});
}

void Cinder::DoUnmanage(const json& volume) {
  std::string id = Text(volume, "id");
  if (site_.faults.Behaves("unmanage_error", Text(volume, "name"), id) || volume.contains("-nameless"))
    return Change(id, {{"status", "error_unmanaging"}});
  std::string name = ArrayVolumeName(volume);
  absl::Status s = array_.RenameVolume(name, name.substr(0, 63 - 10) + "-unmanaged");
  if (!s.ok() && !absl::IsNotFound(s)) {
    spdlog::warn("volume {} could not be unmanaged: {}", id, std::string(s.message()));
    return Change(id, {{"status", "error_unmanaging"}});
  }
  Store::Lock lock(site_.store);
  site_.store.table("volumes").Erase(id);
}

void Cinder::DoDelete(const json& volume) {
  std::string id = Text(volume, "id");
  if (site_.faults.Behaves("volume_delete_error", Text(volume, "name"), id) || volume.contains("-nameless"))
    return Change(id, {{"status", "error_deleting"}});
  absl::Status s = array_.DestroyVolume(ArrayVolumeName(volume));
  if (!s.ok()) {
    spdlog::warn("volume {} could not be deleted: {}", id, std::string(s.message()));
    return Change(id, {{"status", "error_deleting"}});
  }
  Store::Lock lock(site_.store);
  for (const std::string& a : site_.store.table("attachments").Where("volume_id", id))
    site_.store.table("attachments").Erase(a);
  site_.store.table("volumes").Erase(id);
}

void Cinder::DoExtend(const json& volume) {
  std::string id = Text(volume, "id");
  int64_t size = Number(volume, "new_size", Number(volume, "size"));
  absl::Status s = array_.ResizeVolume(ArrayVolumeName(volume), size * kGiB);
  if (!s.ok()) return Change(id, {{"status", "error_extending"}});
  Change(id, {{"size", size}, {"status", Text(volume, "previous_status", "available")}});
}

void Cinder::StartSnapshot(const std::string& snapshot_id) {
  const json* s = site_.store.table("snapshots").Find(snapshot_id);
  if (s == nullptr || (Text(*s, "status") != "creating" && Text(*s, "status") != "deleting")) return;
  site_.scheduler.After(site_.latency.SampleMs("cinder_create"), [this, snapshot_id] { StepSnapshot(snapshot_id); });
}

void Cinder::StepSnapshot(const std::string& snapshot_id) {
  json snapshot, volume;
  {
    Store::Lock lock(site_.store);
    const json* s = site_.store.table("snapshots").Find(snapshot_id);
    if (s == nullptr) return;
    snapshot = *s;
    const json* v = site_.store.table("volumes").Find(Text(snapshot, "volume_id"));
    if (v != nullptr) volume = *v;
  }
  absl::Status s;
  bool creating = Text(snapshot, "status") == "creating";
  std::string suffix = "snapshot-" + snapshot_id;
  if (creating) {
    s = volume.is_null() ? absl::NotFoundError("its volume is gone")
                         : array_.CreateSnapshot(ArrayVolumeName(volume), suffix);
    if (absl::IsAlreadyExists(s)) s = absl::OkStatus();
    if (s.ok()) snapshot["provider_id"] = ArrayVolumeName(volume) + "." + suffix;
    snapshot["status"] = s.ok() ? "available" : "error";
    snapshot["progress"] = "100%";
  } else {
    s = array_.DestroySnapshot(Text(snapshot, "provider_id"));
    snapshot["status"] = "error_deleting";
  }
  Store::Lock lock(site_.store);
  if (!creating && s.ok()) {
    site_.store.table("snapshots").Erase(snapshot_id);
  } else {
    snapshot["updated_at"] = IsoMicros(NowMs());
    site_.store.table("snapshots").Put(snapshot_id, snapshot);
  }
}

}  // namespace protector::ossim
