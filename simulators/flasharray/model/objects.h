// What an array holds, as plain values. They are stored immutable (shared_ptr<const T>) in the tables of model/db.h; a
// change is a changed copy put back. `id` is a lower-case UUID that never changes; `name` is the full name as REST
// shows it.
//
// Threads: values only. Ownership: none; block maps are referred to by image number. Failure: reading a record of an
// older program takes defaults for what it lacks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "simulators/flasharray/base/types.h"
#include "simulators/flasharray/store/images.h"

namespace protector::fasim {

struct Tag {
  std::string space, key, value;
  bool copyable = true;
  NLOHMANN_DEFINE_TYPE_INTRUSIVE_WITH_DEFAULT(Tag, space, key, value, copyable)
};

struct ArrayInfo {
  std::string id = "array";  // the key of the one record there is
  std::string array_id, name;
  std::string banner = "Simulated array. Unauthorised access is fine.";
  std::string connection_key;
  std::uint64_t serial_counter = 0;
  Millis idle_timeout = 1800000;
  Millis eradication_delay = 86400000;
  Millis clock_offset = 0;
  std::vector<std::string> ntp_servers;
  std::string time_zone = "UTC";
  std::vector<std::string> default_protection;  // protection group ids of the root container
  std::vector<std::string> preconnected;        // peers that were connected at start once; deleted ones stay deleted
  NLOHMANN_DEFINE_TYPE_INTRUSIVE_WITH_DEFAULT(ArrayInfo, id, array_id, name, banner, connection_key, serial_counter,
                                              idle_timeout, eradication_delay, clock_offset, ntp_servers, time_zone,
                                              default_protection, preconnected)
};

struct Volume {
  std::string id, name, serial, pod_id, vgroup_id, source_id, source_name, subtype = "regular";
  Millis created = 0;
  std::uint64_t provisioned = 0;
  bool destroyed = false;
  Millis eradicate_at = 0;
  std::uint64_t bandwidth_limit = 0, iops_limit = 0;  // 0: none
  std::string priority_operator = "+";
  int priority_value = 0;
  std::uint64_t next_suffix = 1;
  std::vector<Tag> tags;
  ImageId image = 0;
  std::string replica_uid;         // names the same volume on both sides of a pod link or stretch
  std::uint64_t meta_version = 0;  // grows with every change made here; the peer is told what is newer than it knows
  NLOHMANN_DEFINE_TYPE_INTRUSIVE_WITH_DEFAULT(Volume, id, name, serial, pod_id, vgroup_id, source_id, source_name,
                                              subtype, created, provisioned, destroyed, eradicate_at, bandwidth_limit,
                                              iops_limit, priority_operator, priority_value, next_suffix, tags, image,
                                              replica_uid, meta_version)
};

struct Snapshot {
  std::string id, name, suffix, serial, source_id, source_name, pod_id, group_snapshot_id, remote_array_id;
  Millis created = 0;
  std::uint64_t provisioned = 0;
  bool destroyed = false;
  Millis eradicate_at = 0;
  bool complete = true;  // false while a transfer into it runs: not usable as a source
  ImageId image = 0;
  std::vector<Tag> tags;
  // While it arrives: the volume it is of on the source, what it is a difference to, the first block not yet here.
  std::string remote_volume_id, remote_snapshot_id, base_uid;
  std::uint64_t received_to = 0;
  NLOHMANN_DEFINE_TYPE_INTRUSIVE_WITH_DEFAULT(Snapshot, id, name, suffix, serial, source_id, source_name, pod_id,
                                              group_snapshot_id, remote_array_id, created, provisioned, destroyed,
                                              eradicate_at, complete, image, tags, remote_volume_id, remote_snapshot_id,
                                              base_uid, received_to)
};

struct Schedule {
  std::optional<std::int64_t> at, blackout_start, blackout_end;
  bool enabled = false;
  std::int64_t frequency = 0;  // ms
};
void to_json(Json& json, const Schedule& schedule);
void from_json(const Json& json, Schedule& schedule);

struct Retention {
  std::int64_t all_for_sec = 86400;
  std::int64_t days = 7;
  std::int64_t per_day = 4;
  NLOHMANN_DEFINE_TYPE_INTRUSIVE_WITH_DEFAULT(Retention, all_for_sec, days, per_day)
};

struct GroupTarget {
  std::string array_id, array_name;
  bool allowed = false;
  bool face_known = false;  // the target has made its face of the group
  NLOHMANN_DEFINE_TYPE_INTRUSIVE_WITH_DEFAULT(GroupTarget, array_id, array_name, allowed, face_known)
};

struct ProtectionGroup {
  std::string id, name, pod_id;
  bool destroyed = false;
  Millis eradicate_at = 0;
  bool is_local = true;
  std::string source_array_id, source_array_name, source_group_id;  // of a face of another array's group
  Schedule replication_schedule{std::nullopt, std::nullopt, std::nullopt, false, 14400000};
  Schedule snapshot_schedule{std::nullopt, std::nullopt, std::nullopt, false, 3600000};
  Retention source_retention, target_retention;
  std::string retention_lock = "unlocked";
  std::vector<std::string> volumes, hosts, host_groups;  // ids
  std::vector<GroupTarget> targets;                      // of a face: one entry, this array itself
  std::uint64_t next_suffix = 1;
  Millis last_snapshot = 0, last_replication = 0;
  NLOHMANN_DEFINE_TYPE_INTRUSIVE_WITH_DEFAULT(ProtectionGroup, id, name, pod_id, destroyed, eradicate_at, is_local,
                                              source_array_id, source_array_name, source_group_id, replication_schedule,
                                              snapshot_schedule, source_retention, target_retention, retention_lock,
                                              volumes, hosts, host_groups, targets, next_suffix, last_snapshot,
                                              last_replication)
};

struct GroupSnapshot {
  std::string id, name, suffix, group_id, source_name, pod_id;
  Millis created = 0;
  bool destroyed = false;
  Millis eradicate_at = 0;
  bool apply_retention = false;
  Millis local_until = 0;  // for_replication: the local copy goes after an hour
  bool remote = false;     // came from another array
  NLOHMANN_DEFINE_TYPE_INTRUSIVE_WITH_DEFAULT(GroupSnapshot, id, name, suffix, group_id, source_name, pod_id, created,
                                              destroyed, eradicate_at, apply_retention, local_until, remote)
};

// One group snapshot on its way to one target. On the source it is driven, on the target it is reported.
struct Transfer {
  std::string id, group_snapshot_id, group_id, target_id, target_name;
  bool outbound = true;
  bool now = false;              // replicate_now: before the ones that queue
  std::string state = "queued";  // queued, active, completed, aborted
  Millis queued = 0, started = 0, completed = 0;
  std::uint64_t total_blocks = 0, done_blocks = 0, wire_bytes = 0;
  NLOHMANN_DEFINE_TYPE_INTRUSIVE_WITH_DEFAULT(Transfer, id, group_snapshot_id, group_id, target_id, target_name,
                                              outbound, now, state, queued, started, completed, total_blocks,
                                              done_blocks, wire_bytes)
};

// The last content of one volume that both sides of a replication hold: what the next transfer is a difference to.
struct Baseline {
  std::string id;   // scope + "/" + array id + "/" + volume uid
  std::string uid;  // of the snapshot or recovery point it is
  ImageId image = 0;
  NLOHMANN_DEFINE_TYPE_INTRUSIVE_WITH_DEFAULT(Baseline, id, uid, image)
};

struct Host {
  std::string id, name, hgroup_id, personality, vlan = "any";
  std::vector<std::string> iqns, nqns, wwns;
  std::vector<std::string> preferred_arrays;  // names
  std::string chap_host_user, chap_host_password, chap_target_user, chap_target_password;
  NLOHMANN_DEFINE_TYPE_INTRUSIVE_WITH_DEFAULT(Host, id, name, hgroup_id, personality, vlan, iqns, nqns, wwns,
                                              preferred_arrays, chap_host_user, chap_host_password, chap_target_user,
                                              chap_target_password)
};

struct HostGroup {
  std::string id, name;
  NLOHMANN_DEFINE_TYPE_INTRUSIVE_WITH_DEFAULT(HostGroup, id, name)
};

struct VolumeGroup {
  std::string id, name, pod_id;
  bool destroyed = false;
  Millis eradicate_at = 0;
  std::uint64_t bandwidth_limit = 0, iops_limit = 0;
  NLOHMANN_DEFINE_TYPE_INTRUSIVE_WITH_DEFAULT(VolumeGroup, id, name, pod_id, destroyed, eradicate_at, bandwidth_limit,
                                              iops_limit)
};

struct Connection {
  std::string id, volume_id, host_id, hgroup_id;  // one of the last two
  int lun = 0;
  NLOHMANN_DEFINE_TYPE_INTRUSIVE_WITH_DEFAULT(Connection, id, volume_id, host_id, hgroup_id, lun)
};

struct ArrayConnection {
  std::string id, name;  // the peer's array id and name
  std::string management_address, control_address, type = "async-replication", transport = "ip", version;
  std::vector<std::string> replication_addresses;
  std::optional<std::int64_t> default_limit, window_start, window_end, window_limit;
};
void to_json(Json& json, const ArrayConnection& connection);
void from_json(const Json& json, ArrayConnection& connection);

// The view one array has of one array that a pod is on.
struct PodArray {
  std::string id, name, status = "online", mediator_status = "online";
  bool pre_elected = false;
  Millis frozen_at = 0;
  double progress = -1;                        // below 0: none
  std::string forced_status, forced_mediator;  // set by /sim/pods/.../degrade
  NLOHMANN_DEFINE_TYPE_INTRUSIVE_WITH_DEFAULT(PodArray, id, name, status, mediator_status, pre_elected, frozen_at,
                                              progress, forced_status, forced_mediator)
};

struct Pod {
  std::string id, name, source_id, source_name;
  bool destroyed = false;
  Millis eradicate_at = 0;
  std::string mediator = "purestorage";
  std::string promotion_status = "promoted", requested_promotion_state = "promoted";
  std::vector<PodArray> arrays;
  std::vector<std::string> failover_preferences;  // array names
  std::optional<std::int64_t> quota_limit;
  bool quiescing = false;   // a demote waits until everything is sent
  std::string undo_of;      // this pod is the undo-demote copy of that pod id
  std::string stretch_uid;  // the same on both arrays of a stretched pod
  std::vector<std::string> default_protection;
};
void to_json(Json& json, const Pod& pod);
void from_json(const Json& json, Pod& pod);

// One side's record of a replicated pod: an ActiveDR link, or (kind "stretch") the pair of arrays an ActiveCluster pod
// is on. `id` is the same on both sides.
struct ReplicaLink {
  std::string id, kind = "activedr", local_pod_id, local_pod_name, remote_pod_id, remote_pod_name, remote_id,
                  remote_name;
  bool outbound = true;  // this side sends; of a stretch both do
  bool paused = false;
  std::string status = "baselining";
  std::string remote_promotion;  // what the other side said last
  std::string base_uid;          // the recovery point that both sides hold
  std::string pending_uid;       // one that was sent and not yet acknowledged
  std::string applied_uid;       // inbound: the recovery point that the volumes show
  std::string volumes_json;      // inbound: the volumes of the recovery point, without their bytes
  std::string sent_json;         // outbound: what the other side was told last
  Millis recovery_point = 0;
  double progress = -1;
  NLOHMANN_DEFINE_TYPE_INTRUSIVE_WITH_DEFAULT(ReplicaLink, id, kind, local_pod_id, local_pod_name, remote_pod_id,
                                              remote_pod_name, remote_id, remote_name, outbound, paused, status,
                                              remote_promotion, base_uid, pending_uid, applied_uid, volumes_json,
                                              sent_json, recovery_point, progress)
};

struct Admin {
  std::string id, name, role = "array_admin", api_token;
  Millis token_created = 0, token_expires = 0;
  NLOHMANN_DEFINE_TYPE_INTRUSIVE_WITH_DEFAULT(Admin, id, name, role, api_token, token_created, token_expires)
};

}  // namespace protector::fasim
