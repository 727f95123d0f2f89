#include "libs/openstack/cinder.h"

#include <set>

#include "libs/base/error.h"
#include "libs/openstack/api_client.h"
#include "libs/openstack/nova_codec.h"

namespace protector::openstack {
namespace {

using json::Value;

const failpoint::Site kUpdateVolume("cinder-update-volume", &LostCall);
const failpoint::Site kSetVolumeMetadata("cinder-set-metadata", &LostCall);
const failpoint::Site kSetBootable("cinder-set-bootable", &LostCall);
const failpoint::Site kSetImageMetadata("cinder-set-image-metadata", &LostCall);
const failpoint::Site kManage("cinder-manage-volume", &LostCall);
const failpoint::Site kUnmanage("cinder-unmanage-volume", &LostCall);
const failpoint::Site kResetStatus("cinder-reset-status", &LostCall);
const failpoint::Site kDeleteVolume("cinder-delete-volume", &LostCall);

constexpr size_t kFewVolumes = 3;  // up to this many are read one by one

Volume DecodeVolume(const Value& volume) {
  Volume decoded;
  decoded.id = volume.GetStringOr("id", "");
  decoded.name = volume.GetStringOr("name", "");
  decoded.description = volume.GetStringOr("description", "");
  decoded.status = volume.GetStringOr("status", "");
  decoded.size_gb = volume.GetIntOr("size", 0);
  decoded.volume_type = volume.GetStringOr("volume_type", "");
  decoded.bootable = volume.GetStringOr("bootable", "false") == "true" || volume.GetBoolOr("bootable", false);
  decoded.multiattach = volume.GetBoolOr("multiattach", false);
  decoded.encrypted = volume.GetBoolOr("encrypted", false);
  decoded.availability_zone = volume.GetStringOr("availability_zone", "");
  decoded.host = volume.GetStringOr("os-vol-host-attr:host", "");
  decoded.project_id = volume.GetStringOr("os-vol-tenant-attr:tenant_id", "");
  decoded.user_id = volume.GetStringOr("user_id", "");
  decoded.name_id = volume.GetStringOr("os-vol-mig-status-attr:name_id", "");
  decoded.snapshot_id = volume.GetStringOr("snapshot_id", "");
  decoded.source_volume_id = volume.GetStringOr("source_volid", "");
  decoded.replication_status = volume.GetStringOr("replication_status", "");
  decoded.group_id = volume.GetStringOr("group_id", "");
  decoded.created = volume.GetStringOr("created_at", "");
  decoded.metadata = volume.GetStringMap("metadata");
  decoded.image_metadata = volume.GetStringMap("volume_image_metadata");
  for (const Value& attachment : volume.GetItems("attachments")) {
    decoded.attachments.push_back({attachment.GetStringOr("server_id", ""), attachment.GetStringOr("attachment_id", ""),
                                   attachment.GetStringOr("device", ""), attachment.GetStringOr("host_name", "")});
  }
  return decoded;
}

Value EncodeManage(const ManageVolume& volume) {
  // Drivers differ in the name of the key, also Pure's between releases; each reads its own and ignores the other.
  Value body =
      Value::Object({{"host", volume.host},
                     {"ref", Value::Object({{"source-name", volume.source_name}, {"name", volume.source_name}})},
                     {"name", volume.name},
                     {"bootable", volume.bootable}});
  body.SetIf(!volume.description.empty(), "description", volume.description);
  body.SetIf(!volume.volume_type.empty(), "volume_type", volume.volume_type);
  body.SetIf(!volume.availability_zone.empty(), "availability_zone", volume.availability_zone);
  body.SetIf(!volume.metadata.empty(), "metadata", volume.metadata);
  return Value::Object({{"volume", body}});
}

class Cinder final : public CinderApi {
 public:
  explicit Cinder(Session& session) : api_(session, Service::kVolume) {}

  absl::StatusOr<std::vector<Volume>> ListVolumes(const CallContext& call, const VolumeFilter& filter) override {
    std::vector<Volume> volumes;
    if (!filter.ids.empty() && filter.ids.size() <= kFewVolumes) {
      for (const std::string& id : filter.ids) {
        absl::StatusOr<Volume> volume = GetVolume(call, id);
        if (volume.ok()) volumes.push_back(*std::move(volume));
        if (!volume.ok() && HttpStatusOf(volume.status()) != 404) return volume.status();
      }
      return volumes;
    }
    Query query;
    query.Add("all_tenants", filter.all_projects || !filter.project_id.empty() ? "True" : "")
        .Add("project_id", filter.project_id)
        .Add("name", filter.name)
        .Add("status", filter.status)
        .Add("metadata", filter.metadata.empty() ? "" : Value(filter.metadata).Dump())
        .Add("limit", std::to_string(filter.page_size));
    PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Value> found,
                               api_.List(call, Whole("/volumes/detail", "list of volumes"), query, "volumes"));
    const std::set<std::string> wanted(filter.ids.begin(), filter.ids.end());
    for (const Value& volume : found) {
      if (wanted.empty() || wanted.count(volume.GetStringOr("id", "")) > 0) volumes.push_back(DecodeVolume(volume));
    }
    return volumes;
  }

  absl::StatusOr<Volume> GetVolume(const CallContext& call, const std::string& id) override {
    PROTECTOR_ASSIGN_OR_RETURN(const Value volume,
                               Member(api_.Get(call, Item("/volumes", id, "volume")), "volume", "volume " + id));
    return DecodeVolume(volume);
  }

  absl::Status UpdateVolume(const CallContext& call, const std::string& id, const std::optional<std::string>& name,
                            const std::optional<std::string>& description) override {
    Value body = Value::Object();
    if (name.has_value()) body.Set("name", *name);
    if (description.has_value()) body.Set("description", *description);
    return api_.Put(call, kUpdateVolume, "PUT", Item("/volumes", id, "volume"), Value::Object({{"volume", body}}))
        .status();
  }

  absl::Status SetVolumeMetadata(const CallContext& call, const std::string& id,
                                 const std::map<std::string, std::string>& metadata) override {
    return api_
        .Put(call, kSetVolumeMetadata, "POST", Item("/volumes", id, "volume", "/metadata"),
             Value::Object({{"metadata", metadata}}))
        .status();
  }

  absl::Status SetBootable(const CallContext& call, const std::string& id, bool bootable) override {
    return Action(call, kSetBootable, id, "os-set_bootable", Value::Object({{"bootable", bootable}}));
  }

  absl::Status SetImageMetadata(const CallContext& call, const std::string& id,
                                const std::map<std::string, std::string>& metadata) override {
    return Action(call, kSetImageMetadata, id, "os-set_image_metadata", Value::Object({{"metadata", metadata}}));
  }

  absl::StatusOr<Volume> Manage(const CallContext& call, const ManageVolume& volume) override {
    PROTECTOR_ASSIGN_OR_RETURN(const std::optional<Microversion> version,
                               api_.session().VersionFor(call, Service::kVolume));
    const bool modern = version.has_value() && *version >= Microversion{3, 8};
    const std::string object = "volume " + volume.name + " from " + volume.source_name;
    const Target target = Whole(modern ? "/manageable_volumes" : "/os-volume-manage", object);
    PROTECTOR_ASSIGN_OR_RETURN(const Value managed,
                               Member(api_.Once(call, kManage, target, EncodeManage(volume)), "volume", object));
    return DecodeVolume(managed);
  }

  absl::Status Unmanage(const CallContext& call, const std::string& id) override {
    return Released(call, id, Action(call, kUnmanage, id, "os-unmanage", Value::Object()));
  }

  absl::Status ResetStatus(const CallContext& call, const std::string& id, const std::string& status) override {
    return Action(call, kResetStatus, id, "os-reset_status", Value::Object({{"status", status}}));
  }

  absl::Status DeleteVolume(const CallContext& call, const std::string& id) override {
    return Released(call, id, api_.Delete(call, kDeleteVolume, Item("/volumes", id, "volume")));
  }

  absl::StatusOr<std::vector<ManageableVolume>> ListManageable(const CallContext& call,
                                                               const std::string& host) override {
    PROTECTOR_ASSIGN_OR_RETURN(const Value answer,
                               api_.Get(call, Whole("/manageable_volumes/detail", "manageable volumes of " + host),
                                        Query().Add("host", host).Add("limit", "1000")));
    std::vector<ManageableVolume> volumes;
    for (const Value& item : answer.GetItems("manageable-volumes")) {
      volumes.push_back({item.GetStringOr("reference.source-name", item.GetStringOr("reference.name", "")),
                         item.GetIntOr("size", 0), item.GetBoolOr("safe_to_manage", false),
                         item.GetStringOr("reason_not_safe", ""), item.GetStringOr("cinder_id", "")});
    }
    return volumes;
  }

  absl::StatusOr<std::vector<VolumeSnapshot>> ListSnapshots(const CallContext& call,
                                                            const std::string& volume_id) override {
    PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Value> found,
                               api_.List(call, Whole("/snapshots/detail", "snapshots of volume " + volume_id),
                                         Query().Add("volume_id", volume_id).Add("all_tenants", "True"), "snapshots"));
    std::vector<VolumeSnapshot> snapshots;
    for (const Value& item : found) {
      snapshots.push_back({item.GetStringOr("id", ""), item.GetStringOr("name", ""), item.GetStringOr("volume_id", ""),
                           item.GetStringOr("status", "")});
    }
    return snapshots;
  }

  absl::StatusOr<std::vector<VolumeType>> ListVolumeTypes(const CallContext& call) override {
    PROTECTOR_ASSIGN_OR_RETURN(
        const std::vector<Value> found,
        api_.List(call, Whole("/types", "list of volume types"), Query().Add("is_public", "None"), "volume_types"));
    std::vector<VolumeType> types;
    for (const Value& item : found) {
      types.push_back({item.GetStringOr("id", ""), item.GetStringOr("name", ""), item.GetStringOr("description", ""),
                       item.GetBoolOr("is_public", true), item.GetStringMap("extra_specs")});
    }
    return types;
  }

  absl::StatusOr<std::vector<StoragePool>> ListPools(const CallContext& call) override {
    PROTECTOR_ASSIGN_OR_RETURN(
        const Value answer,
        api_.Get(call, Whole("/scheduler-stats/get_pools", "list of storage pools"), Query().Add("detail", "True")));
    std::vector<StoragePool> pools;
    for (const Value& item : answer.GetItems("pools")) {
      const std::string driver = item.GetStringOr("capabilities.vendor_name", "") + "/" +
                                 item.GetStringOr("capabilities.storage_protocol", "");
      pools.push_back({item.GetStringOr("name", ""), item.GetStringOr("capabilities.volume_backend_name", ""), driver,
                       item.GetDoubleOr("capabilities.total_capacity_gb", 0),
                       item.GetDoubleOr("capabilities.free_capacity_gb", 0),
                       item.GetBoolOr("capabilities.replication_enabled", false)});
    }
    return pools;
  }

  absl::StatusOr<std::vector<CinderService>> ListServices(const CallContext& call) override {
    PROTECTOR_ASSIGN_OR_RETURN(const Value answer, api_.Get(call, Whole("/os-services", "list of volume services")));
    std::vector<CinderService> services;
    for (const Value& item : answer.GetItems("services")) {
      services.push_back({item.GetStringOr("binary", ""), item.GetStringOr("host", ""), item.GetStringOr("zone", ""),
                          item.GetStringOr("status", "") == "enabled", item.GetStringOr("state", "") == "up",
                          item.GetStringOr("disabled_reason", "")});
    }
    return services;
  }

  absl::StatusOr<std::vector<AvailabilityZone>> ListVolumeZones(const CallContext& call) override {
    PROTECTOR_ASSIGN_OR_RETURN(const Value answer,
                               api_.Get(call, Whole("/os-availability-zone", "list of volume availability zones")));
    std::vector<AvailabilityZone> zones;
    for (const Value& zone : answer.GetItems("availabilityZoneInfo")) {
      zones.push_back({zone.GetStringOr("zoneName", ""), zone.GetBoolOr("zoneState.available", true)});
    }
    return zones;
  }

  absl::StatusOr<CinderQuotas> GetVolumeQuotas(const CallContext& call, const std::string& project_id) override {
    const Target target = Item("/os-quota-sets", project_id, "volume quotas of project");
    PROTECTOR_ASSIGN_OR_RETURN(
        const Value set, Member(api_.Get(call, target, Query().Add("usage", "True")), "quota_set", target.object));
    CinderQuotas quotas;
    quotas.volumes = DecodeQuota(set.Find("volumes"));
    quotas.gigabytes = DecodeQuota(set.Find("gigabytes"));
    quotas.snapshots = DecodeQuota(set.Find("snapshots"));
    for (const auto& [name, quota] : set.members()) {
      if (name.rfind("volumes_", 0) == 0 || name.rfind("gigabytes_", 0) == 0)
        quotas.by_type[name] = DecodeQuota(&quota);
    }
    return quotas;
  }

 private:
  // All actions of ours name the state they lead to, so that they can be repeated.
  absl::Status Action(const CallContext& call, const failpoint::Site& site, const std::string& id,
                      const std::string& action, const Value& arguments) {
    return api_.Put(call, site, "POST", Item("/volumes", id, "volume", "/action"), Value::Object({{action, arguments}}))
        .status();
  }

  // A refused unmanage or delete of a volume that is gone, or going, is done: the first sending of a repeated one did
  // it.
  absl::Status Released(const CallContext& call, const std::string& id, const absl::Status& status) {
    if (HttpStatusOf(status) == 404) return absl::OkStatus();
    if (HttpStatusOf(status) != 400) return status;
    const absl::StatusOr<Volume> volume = GetVolume(call, id);
    if (!volume.ok()) return HttpStatusOf(volume.status()) == 404 ? absl::OkStatus() : status;
    return volume->status == "unmanaging" || volume->status == "deleting" ? absl::OkStatus() : status;
  }

  ApiClient api_;
};

}  // namespace

std::unique_ptr<CinderApi> NewCinder(Session& session) {
  return std::make_unique<Cinder>(session);
}

}  // namespace protector::openstack
