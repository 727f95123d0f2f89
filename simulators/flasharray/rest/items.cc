#include "simulators/flasharray/rest/items.h"

#include "simulators/flasharray/model/group_ops.h"
#include "simulators/flasharray/model/naming.h"

namespace protector::fasim {
namespace {

Json TextOrNull(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}
Json TimeOrNull(Millis time) {
  return time == 0 ? Json(nullptr) : Json(time);
}
Json LimitOrNull(std::uint64_t limit) {
  return limit == 0 ? Json(nullptr) : Json(limit);
}

template <class T>
Json OrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

template <class T>
Json ReferenceTo(const Table<T>& table, const std::string& id) {
  const auto row = table.Find(id);
  return row ? Reference(row->id, row->name) : Reference("", "");
}

Json RetentionItem(const Retention& retention) {
  return {{"all_for_sec", retention.all_for_sec}, {"days", retention.days}, {"per_day", retention.per_day}};
}

Json ScheduleItem(const Schedule& schedule) {
  return {{"at", OrNull(schedule.at)},
          {"enabled", schedule.enabled},
          {"frequency", schedule.frequency},
          {"blackout", {{"start", OrNull(schedule.blackout_start)}, {"end", OrNull(schedule.blackout_end)}}}};
}

std::uint64_t GroupSnapshotBytes(Tx& tx, const std::string& id) {
  std::uint64_t bytes = 0;
  for (const auto& member : tx.tables().snapshots.Where("group_snapshot:" + id)) {
    bytes += tx.images().AllocatedBytes(member->image);
  }
  return bytes;
}

}  // namespace

Json Reference(const std::string& id, const std::string& name) {
  return {{"id", TextOrNull(id)}, {"name", TextOrNull(name)}};
}

Json TimeRemaining(Tx& tx, bool destroyed, Millis eradicate_at) {
  if (!destroyed) return nullptr;
  return std::max<Millis>(0, eradicate_at - tx.now());
}

Json SpaceOf(std::uint64_t unique, std::uint64_t snapshots, std::uint64_t provisioned) {
  const double thin = provisioned == 0 ? 0.0 : 1.0 - static_cast<double>(unique) / static_cast<double>(provisioned);
  return {{"data_reduction", 1.0},
          {"shared", 0},
          {"snapshots", snapshots},
          {"system", 0},
          {"thin_provisioning", std::max(0.0, thin)},
          {"total_physical", unique + snapshots},
          {"total_provisioned", provisioned},
          {"total_reduction", 1.0},
          {"total_used", unique + snapshots},
          {"unique", unique},
          {"used_provisioned", provisioned},
          {"virtual", unique},
          {"replication", 0},
          {"replication_effective", 0},
          {"shared_effective", 0},
          {"snapshots_effective", snapshots},
          {"total_effective", unique + snapshots},
          {"unique_effective", unique}};
}

Json VolumeItem(Tx& tx, const Volume& volume) {
  const auto pod = tx.tables().pods.Find(volume.pod_id);
  std::string source_name = volume.source_name;
  if (const auto source = tx.tables().volumes.Find(volume.source_id)) source_name = source->name;
  Json tags = Json::array();
  for (const Tag& tag : volume.tags) tags.push_back({{"key", tag.key}, {"value", tag.value}, {"namespace", tag.space}});
  return {{"id", volume.id},
          {"name", volume.name},
          {"connection_count", ConnectionCount(tx, volume.id)},
          {"created", volume.created},
          {"destroyed", volume.destroyed},
          {"host_encryption_key_status", "none"},
          {"priority_adjustment",
           {{"priority_adjustment_operator", volume.priority_operator},
            {"priority_adjustment_value", volume.priority_value}}},
          {"provisioned", volume.provisioned},
          {"qos",
           {{"bandwidth_limit", LimitOrNull(volume.bandwidth_limit)}, {"iops_limit", LimitOrNull(volume.iops_limit)}}},
          {"serial", volume.serial},
          {"space", SpaceOf(tx.images().AllocatedBytes(volume.image), 0, volume.provisioned)},
          {"time_remaining", TimeRemaining(tx, volume.destroyed, volume.eradicate_at)},
          {"pod", pod ? Reference(pod->id, pod->name) : Reference("", "")},
          {"priority", volume.priority_operator == "-" ? -volume.priority_value : volume.priority_value},
          {"promotion_status", pod ? (pod->promotion_status == "demoted" ? "demoted" : "promoted") : "promoted"},
          {"requested_promotion_state", pod ? pod->requested_promotion_state : "promoted"},
          {"source", Reference(volume.source_id, source_name)},
          {"subtype", volume.subtype},
          {"volume_group", ReferenceTo(tx.tables().volume_groups, volume.vgroup_id)},
          {"_tags", tags}};
}

Json SnapshotItem(Tx& tx, const Snapshot& snapshot) {
  const auto source = tx.tables().volumes.Find(snapshot.source_id);
  const std::uint64_t bytes = tx.images().AllocatedBytes(snapshot.image);
  return {{"id", snapshot.id},
          {"name", snapshot.name},
          {"created", snapshot.created},
          {"destroyed", snapshot.destroyed},
          {"pod", ReferenceTo(tx.tables().pods, snapshot.pod_id)},
          {"provisioned", snapshot.provisioned},
          {"source", Reference(source ? source->id : "", source ? source->name : snapshot.source_name)},
          {"suffix", snapshot.suffix},
          {"time_remaining", TimeRemaining(tx, snapshot.destroyed, snapshot.eradicate_at)},
          {"serial", snapshot.serial},
          {"space", SpaceOf(0, bytes, snapshot.provisioned)},
          {"volume_group", source ? ReferenceTo(tx.tables().volume_groups, source->vgroup_id) : Reference("", "")}};
}

Json VolumeGroupItem(Tx& tx, const VolumeGroup& group) {
  std::uint64_t bytes = 0, provisioned = 0, count = 0;
  for (const auto& volume : tx.tables().volumes.Where("vgroup:" + group.id)) {
    if (volume->destroyed) continue;
    ++count;
    bytes += tx.images().AllocatedBytes(volume->image);
    provisioned += volume->provisioned;
  }
  return {
      {"id", group.id},
      {"name", group.name},
      {"destroyed", group.destroyed},
      {"pod", ReferenceTo(tx.tables().pods, group.pod_id)},
      {"priority_adjustment", {{"priority_adjustment_operator", "+"}, {"priority_adjustment_value", 0}}},
      {"qos", {{"bandwidth_limit", LimitOrNull(group.bandwidth_limit)}, {"iops_limit", LimitOrNull(group.iops_limit)}}},
      {"space", SpaceOf(bytes, 0, provisioned)},
      {"time_remaining", TimeRemaining(tx, group.destroyed, group.eradicate_at)},
      {"volume_count", count}};
}

Json HostItem(Tx& tx, const Host& host) {
  Json preferred = Json::array();
  for (const std::string& name : host.preferred_arrays) {
    const auto connection = tx.tables().array_connections.ByName(name);
    preferred.push_back(Reference(connection ? connection->id : tx.array().array_id, name));
  }
  const bool any_port = !host.iqns.empty() || !host.nqns.empty() || !host.wwns.empty();
  const auto group = tx.tables().host_groups.Find(host.hgroup_id);
  return {{"name", host.name},
          {"chap",
           {{"host_password", host.chap_host_password.empty() ? Json(nullptr) : Json("****")},
            {"host_user", TextOrNull(host.chap_host_user)},
            {"target_password", host.chap_target_password.empty() ? Json(nullptr) : Json("****")},
            {"target_user", TextOrNull(host.chap_target_user)}}},
          {"connection_count", HostConnectionCount(tx, host)},
          {"host_group", {{"name", group ? Json(group->name) : Json(nullptr)}}},
          {"iqns", host.iqns},
          {"is_local", true},
          {"nqns", host.nqns},
          {"personality", TextOrNull(host.personality)},
          {"port_connectivity",
           {{"details", any_port ? "Redundant" : "None"}, {"status", any_port ? "healthy" : "critical"}}},
          {"preferred_arrays", preferred},
          {"space", SpaceOf(0, 0, 0)},
          {"vlan", host.vlan},
          {"wwns", host.wwns}};
}

Json HostGroupItem(Tx& tx, const HostGroup& group) {
  return {{"name", group.name},
          {"connection_count", tx.tables().connections.CountWhere("hgroup:" + group.id)},
          {"host_count", tx.tables().hosts.CountWhere("hgroup:" + group.id)},
          {"is_local", true},
          {"space", SpaceOf(0, 0, 0)}};
}

Json ConnectionItem(const ConnectionRow& row) {
  return {{"host", {{"name", row.host ? Json(row.host->name) : Json(nullptr)}}},
          {"host_group", {{"name", row.group ? Json(row.group->name) : Json(nullptr)}}},
          {"lun", row.connection->lun},
          {"protocol_endpoint", Reference("", "")},
          {"volume", Reference(row.volume ? row.volume->id : "", row.volume ? row.volume->name : "")}};
}

Json GroupItem(Tx& tx, const ProtectionGroup& group) {
  std::uint64_t bytes = 0;
  for (const auto& snapshot : tx.tables().group_snapshots.Where("group:" + group.id)) {
    bytes += GroupSnapshotBytes(tx, snapshot->id);
  }
  std::uint64_t volumes = 0;
  for (const std::string& id : group.volumes) {
    const auto volume = tx.tables().volumes.Find(id);
    volumes += volume && !volume->destroyed ? 1U : 0U;
  }
  const std::string source_id = group.is_local ? tx.array().array_id : group.source_array_id;
  const std::string source_name = group.is_local ? tx.array().name : group.source_array_name;
  return {
      {"name", group.name},
      {"id", group.id},
      {"destroyed", group.destroyed},
      {"eradication_config", {{"manual_eradication", group.retention_lock == "ratcheted" ? "disabled" : "enabled"}}},
      {"host_count", group.hosts.size()},
      {"host_group_count", group.host_groups.size()},
      {"is_local", group.is_local},
      {"pod", ReferenceTo(tx.tables().pods, group.pod_id)},
      {"replication_schedule", ScheduleItem(group.replication_schedule)},
      {"retention_lock", group.retention_lock},
      {"snapshot_schedule", ScheduleItem(group.snapshot_schedule)},
      {"source", Reference(source_id, source_name)},
      {"source_retention", RetentionItem(group.source_retention)},
      {"space", SpaceOf(0, bytes, 0)},
      {"target_count", group.targets.size()},
      {"target_retention", RetentionItem(group.target_retention)},
      {"time_remaining", TimeRemaining(tx, group.destroyed, group.eradicate_at)},
      {"volume_count", volumes}};
}

Json GroupSnapshotItem(Tx& tx, const GroupSnapshot& snapshot) {
  const auto group = tx.tables().groups.Find(snapshot.group_id);
  return {{"name", snapshot.name},
          {"id", snapshot.id},
          {"created", snapshot.created},
          {"destroyed", snapshot.destroyed},
          {"eradication_config",
           {{"manual_eradication", group && group->retention_lock == "ratcheted" ? "disabled" : "enabled"}}},
          {"pod", ReferenceTo(tx.tables().pods, snapshot.pod_id)},
          {"source", Reference(group ? group->id : "", group ? group->name : snapshot.source_name)},
          {"space", SpaceOf(0, GroupSnapshotBytes(tx, snapshot.id), 0)},
          {"suffix", snapshot.suffix},
          {"time_remaining", TimeRemaining(tx, snapshot.destroyed, snapshot.eradicate_at)}};
}

Json TransferItem(Tx& tx, const Transfer& transfer) {
  const auto snapshot = tx.tables().group_snapshots.Find(transfer.group_snapshot_id);
  double progress = 0;
  if (transfer.state == "completed") {
    progress = 1.0;
  } else if (transfer.total_blocks > 0) {
    // Never 1.0 before it is complete: clients take 1.0 for "usable".
    progress = std::min(0.999, static_cast<double>(transfer.done_blocks) / static_cast<double>(transfer.total_blocks));
  }
  return {{"id", transfer.group_snapshot_id},
          {"name", snapshot ? Json(snapshot->name) : Json(nullptr)},
          {"started", TimeOrNull(transfer.started)},
          {"completed", TimeOrNull(transfer.completed)},
          {"progress", progress},
          {"data_transferred", transfer.done_blocks * kBlockSize},
          {"physical_bytes_written", transfer.wire_bytes},
          {"destroyed", snapshot ? snapshot->destroyed : false},
          {"_created", snapshot ? snapshot->created : 0}};
}

Json PodItem(Tx& tx, const Pod& pod) {
  Json arrays = Json::array();
  for (const PodArray& array : pod.arrays) {
    arrays.push_back(
        {{"id", array.id},
         {"name", array.name},
         {"frozen_at", TimeOrNull(array.frozen_at)},
         {"mediator_status", array.forced_mediator.empty() ? array.mediator_status : array.forced_mediator},
         {"pre_elected", array.pre_elected},
         {"progress", array.progress < 0 ? Json(nullptr) : Json(array.progress)},
         {"status", array.forced_status.empty() ? array.status : array.forced_status}});
  }
  Json preferences = Json::array();
  for (const std::string& name : pod.failover_preferences) {
    std::string id;
    for (const PodArray& array : pod.arrays) {
      if (array.name == name) id = array.id;
    }
    preferences.push_back(Reference(id, name));
  }
  std::int64_t link_sources = 0, link_targets = 0;
  for (const auto& link : tx.tables().links.Where("pod:" + pod.id)) {
    if (link->kind == "activedr") (link->outbound ? link_sources : link_targets) += 1;
  }
  std::uint64_t bytes = 0, provisioned = 0;
  for (const auto& volume : tx.tables().volumes.Where("pod:" + pod.id)) {
    bytes += tx.images().AllocatedBytes(volume->image);
    provisioned += volume->provisioned;
  }
  return {{"id", pod.id},
          {"name", pod.name},
          {"array_count", pod.arrays.size()},
          {"arrays", arrays},
          {"destroyed", pod.destroyed},
          {"eradication_config", {{"manual_eradication", "enabled"}}},
          {"failover_preferences", preferences},
          {"footprint", bytes},
          {"link_source_count", link_sources},
          {"link_target_count", link_targets},
          {"mediator", pod.mediator},
          {"mediator_version", "1.0"},
          {"promotion_status", pod.promotion_status},
          {"quota_limit", OrNull(pod.quota_limit)},
          {"requested_promotion_state", pod.requested_promotion_state},
          {"source", Reference(pod.source_id, pod.source_name)},
          {"space", SpaceOf(bytes, 0, provisioned)},
          {"time_remaining", TimeRemaining(tx, pod.destroyed, pod.eradicate_at)}};
}

Millis LagOf(Tx& tx, const ReplicaLink& link) {
  const bool at_rest = link.status == "quiesced" || link.status == "idle";
  return at_rest ? 0 : std::max<Millis>(0, tx.now() - link.recovery_point);
}

Json LinkItem(Tx& tx, const ReplicaLink& link) {
  const auto pod = tx.tables().pods.Find(link.local_pod_id);
  const bool unknown = link.recovery_point == 0;
  return {{"id", link.id},
          {"direction", link.outbound ? "outbound" : "inbound"},
          {"lag", unknown ? Json(nullptr) : Json(LagOf(tx, link))},
          {"local_pod", Reference(link.local_pod_id, pod ? pod->name : link.local_pod_name)},
          {"paused", link.paused},
          {"recovery_point", TimeOrNull(link.recovery_point)},
          {"remote_pod", Reference(link.remote_pod_id, link.remote_pod_name)},
          {"remotes", Json::array({Reference(link.remote_id, link.remote_name)})},
          {"status", link.status}};
}

std::uint64_t AllocatedOn(Tx& tx) {
  std::uint64_t bytes = 0;
  for (const auto& volume : tx.tables().volumes.All()) bytes += tx.images().AllocatedBytes(volume->image);
  return bytes;
}

std::uint64_t ProvisionedOn(Tx& tx) {
  std::uint64_t bytes = 0;
  for (const auto& volume : tx.tables().volumes.All()) bytes += volume->provisioned;
  return bytes;
}

}  // namespace protector::fasim
