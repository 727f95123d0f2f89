// Cinder v3 (3.0 to 3.70). The API half answers under the site's lock and leaves a volume in a state such as
// `creating`; the worker half (worker.cc) does what that state says on the array, without the lock, and ends it. A
// restart takes up every volume that is in such a state, so each step tolerates having been done already. Threads: API
// methods need the site's lock; methods marked (unlocked) must be called without it. Failure: ApiError, or the volume's
// own error state.
#pragma once

#include <memory>
#include <string>

#include <absl/status/status.h>

#include "simulators/openstack/array/array.h"
#include "simulators/openstack/core/site.h"
#include "simulators/openstack/http/api_server.h"

namespace protector::ossim {

class Keystone;

class Cinder {
 public:
  Cinder(Site& site, Array& array) : site_(site), array_(array) {}

  void Seed();
  void Resume();
  std::unique_ptr<Service> Build();

  // For Nova.
  const json* FindVolume(const Identity& who, const std::string& id);
  std::string ReserveForServer(const Identity& who, const std::string& volume_id, const std::string& server_id);
  json CreateVolume(const Identity& who, const json& given);
  void DeleteVolume(const Identity& who, const std::string& id, bool force);
  absl::Status ConnectAttachment(const std::string& attachment_id, const std::string& mountpoint);  // (unlocked)
  absl::Status RemoveAttachment(const std::string& attachment_id);                                  // (unlocked)
  void ForgetAttachment(const std::string& attachment_id);  // one that was only reserved
  std::string Serial(const std::string& volume_id);

 private:
  // api
  const json& Volume(const Request& r, const std::string& id);
  json ShowVolume(const Request& r, const json& volume);
  json ShowChanged(const Request& r, const json& volume);
  Response ListVolumes(Request& r, bool detail);
  Response Manage(Request& r);
  Response Manageable(Request& r, bool detail);
  Response Action(Request& r);
  void Unmanage(Request& r, const json& volume);
  std::string TypeId(const json& given);
  void CheckQuota(const std::string& project, int64_t volumes, int64_t gigabytes, int64_t snapshots);
  json NewVolume(const Identity& who, const json& given, const std::string& type_id);
  void CheckDeletable(const json& volume, bool force);
  void AddVolumeRoutes(Router& router);
  void AddTypeRoutes(Router& router);
  void AddSnapshotRoutes(Router& router);
  void AddAttachmentRoutes(Router& router);
  void AddServiceRoutes(Router& router);
  json ShowType(const Request& r, const json& type);
  json ShowAttachment(const json& attachment, bool full);
  void Require(const Request& r, const std::string& rule, bool allowed);
  bool MayManage(const Request& r);

  // worker (unlocked)
  void Start(const std::string& volume_id);  // any lock state: schedules the step that the state asks for
  void Step(const std::string& volume_id);
  void DoCreate(const json& volume);
  void DoManage(const json& volume);
  void ManageFailed(const std::string& id);
  void DoUnmanage(const json& volume);
  void DoDelete(const json& volume);
  void DoExtend(const json& volume);
  void StartSnapshot(const std::string& snapshot_id);
  void StepSnapshot(const std::string& snapshot_id);
  void Change(const std::string& volume_id, const json& changes);
  void RefreshAttachState(const std::string& volume_id);
  bool Replicated(const json& volume);
  std::string ArrayVolumeName(const json& volume);

  Site& site_;
  Array& array_;
};

}  // namespace protector::ossim
