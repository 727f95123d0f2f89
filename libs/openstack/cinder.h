#pragma once
// Cinder as the product uses it. Threads: implementations are safe for all. Ownership: values. Failure: see call.h.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/openstack/call.h"
#include "libs/openstack/nova.h"

namespace protector::openstack {

struct VolumeAttachment {
  std::string server_id;
  std::string attachment_id;
  std::string device;
  std::string host;
};

struct Volume {
  std::string id;
  std::string name;
  std::string description;
  std::string status;       // available, in-use, creating (also while it is being managed), error, deleting, ...
  int64_t size_gb = 0;      // 0 until a manage has ended
  std::string volume_type;  // name
  bool bootable = false;
  bool multiattach = false;
  bool encrypted = false;
  std::string availability_zone;
  std::string host;  // host@backend#pool; admin only
  std::string project_id;
  std::string user_id;
  std::string name_id;  // the id that the name on the array is made of, when a migration made it another
  std::string snapshot_id;
  std::string source_volume_id;
  std::string replication_status;
  std::string group_id;
  std::string created;
  std::map<std::string, std::string> metadata;
  std::map<std::string, std::string> image_metadata;
  std::vector<VolumeAttachment> attachments;

  // The name of the array volume, as Cinder's Pure driver makes it.
  std::string ArrayName() const { return "volume-" + (name_id.empty() ? id : name_id) + "-cinder"; }
};

struct VolumeFilter {
  bool all_projects = false;
  std::string project_id;
  std::string name;
  std::string status;
  std::map<std::string, std::string> metadata;
  std::vector<std::string>
      ids;  // exactly these, in one list call where possible; those that are gone are not in the answer
  int page_size = 500;
};

struct ManageVolume {
  std::string host;         // host@backend#pool
  std::string source_name;  // name of the volume on the array
  std::string name;
  std::string description;
  std::string volume_type;
  std::string availability_zone;
  bool bootable = false;
  std::map<std::string, std::string> metadata;  // the Pure driver replaces it: set it again with SetVolumeMetadata
};

struct VolumeType {
  std::string id;
  std::string name;
  std::string description;
  bool is_public = true;
  std::map<std::string, std::string> extra_specs;
};

struct StoragePool {
  std::string name;          // host@backend#pool
  std::string backend_name;  // volume_backend_name
  std::string driver;        // vendor_name / storage_protocol as the backend reports them
  double total_gb = 0;
  double free_gb = 0;
  bool replication_enabled = false;
};

struct CinderService {
  std::string binary;
  std::string host;
  std::string zone;
  bool enabled = true;
  bool up = true;
  std::string disabled_reason;
};

struct VolumeSnapshot {
  std::string id;
  std::string name;
  std::string volume_id;
  std::string status;
};

struct CinderQuotas {
  Quota volumes;
  Quota gigabytes;
  Quota snapshots;
  std::map<std::string, Quota> by_type;  // "volumes_<type>", "gigabytes_<type>"
};

struct ManageableVolume {
  std::string source_name;
  int64_t size_gb = 0;
  bool safe_to_manage = false;
  std::string reason_not_safe;
  std::string cinder_id;
};

class CinderApi {
 public:
  virtual ~CinderApi() = default;

  virtual absl::StatusOr<std::vector<Volume>> ListVolumes(const CallContext& call, const VolumeFilter& filter) = 0;
  virtual absl::StatusOr<Volume> GetVolume(const CallContext& call, const std::string& id) = 0;
  virtual absl::Status UpdateVolume(const CallContext& call, const std::string& id,
                                    const std::optional<std::string>& name,
                                    const std::optional<std::string>& description) = 0;
  virtual absl::Status SetVolumeMetadata(
      const CallContext& call, const std::string& id,
      const std::map<std::string, std::string>& metadata) = 0;  // adds and overwrites
  virtual absl::Status SetBootable(const CallContext& call, const std::string& id, bool bootable) = 0;
  virtual absl::Status SetImageMetadata(const CallContext& call, const std::string& id,
                                        const std::map<std::string, std::string>& metadata) = 0;

  // Answers at once: the volume is `creating`, size 0, then `available` or `error`. Not retried: a repeated manage
  // fails or makes a second record; find the first by its name in ListVolumes.
  virtual absl::StatusOr<Volume> Manage(const CallContext& call, const ManageVolume& volume) = 0;
  virtual absl::Status Unmanage(const CallContext& call, const std::string& id) = 0;  // gone already: OK
  // What a change that failed in Cinder left as the volume's status is set right: "available". Needs admin; repeating
  // it is harmless.
  virtual absl::Status ResetStatus(const CallContext& call, const std::string& id, const std::string& status) = 0;
  virtual absl::Status DeleteVolume(const CallContext& call,
                                    const std::string& id) = 0;  // gone already: OK. Array data goes
  virtual absl::StatusOr<std::vector<ManageableVolume>> ListManageable(const CallContext& call,
                                                                       const std::string& host) = 0;
  virtual absl::StatusOr<std::vector<VolumeSnapshot>> ListSnapshots(const CallContext& call,
                                                                    const std::string& volume_id) = 0;

  virtual absl::StatusOr<std::vector<VolumeType>> ListVolumeTypes(
      const CallContext& call) = 0;  // extra specs: as rights permit
  virtual absl::StatusOr<std::vector<StoragePool>> ListPools(const CallContext& call) = 0;       // admin
  virtual absl::StatusOr<std::vector<CinderService>> ListServices(const CallContext& call) = 0;  // admin
  virtual absl::StatusOr<std::vector<AvailabilityZone>> ListVolumeZones(const CallContext& call) = 0;
  virtual absl::StatusOr<CinderQuotas> GetVolumeQuotas(const CallContext& call, const std::string& project_id) = 0;
};

}  // namespace protector::openstack
