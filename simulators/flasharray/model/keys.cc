#include "simulators/flasharray/model/table.h"

namespace protector::fasim {

std::vector<std::string> KeysOf(const Volume& volume) {
  std::vector<std::string> keys{"serial:" + volume.serial};
  if (!volume.pod_id.empty()) keys.push_back("pod:" + volume.pod_id);
  if (!volume.vgroup_id.empty()) keys.push_back("vgroup:" + volume.vgroup_id);
  if (!volume.replica_uid.empty()) keys.push_back("replica:" + volume.replica_uid);
  if (volume.destroyed) keys.emplace_back("destroyed:");
  return keys;
}

std::vector<std::string> KeysOf(const Snapshot& snapshot) {
  std::vector<std::string> keys{"source:" + snapshot.source_id};
  if (!snapshot.group_snapshot_id.empty()) keys.push_back("group_snapshot:" + snapshot.group_snapshot_id);
  if (!snapshot.pod_id.empty()) keys.push_back("pod:" + snapshot.pod_id);
  if (snapshot.destroyed) keys.emplace_back("destroyed:");
  return keys;
}

std::vector<std::string> KeysOf(const ProtectionGroup& group) {
  std::vector<std::string> keys;
  for (const std::string& id : group.volumes) keys.push_back("volume:" + id);
  for (const std::string& id : group.hosts) keys.push_back("host:" + id);
  for (const std::string& id : group.host_groups) keys.push_back("host_group:" + id);
  if (!group.pod_id.empty()) keys.push_back("pod:" + group.pod_id);
  if (!group.source_group_id.empty()) keys.push_back("face:" + group.source_group_id);
  if (group.is_local) {
    for (const GroupTarget& target : group.targets) keys.push_back("target:" + target.array_id);
  } else {
    keys.push_back("from:" + group.source_array_id);
  }
  if (group.destroyed) keys.emplace_back("destroyed:");
  return keys;
}

std::vector<std::string> KeysOf(const GroupSnapshot& snapshot) {
  std::vector<std::string> keys{"group:" + snapshot.group_id};
  if (snapshot.destroyed) keys.emplace_back("destroyed:");
  return keys;
}

std::vector<std::string> KeysOf(const Transfer& transfer) {
  std::vector<std::string> keys{"group:" + transfer.group_id, "group_snapshot:" + transfer.group_snapshot_id};
  if (transfer.outbound && (transfer.state == "queued" || transfer.state == "active")) {
    keys.push_back("open:" + transfer.target_id);
  }
  return keys;
}

std::vector<std::string> KeysOf(const Host& host) {
  std::vector<std::string> keys;
  for (const std::string& initiator : host.iqns) keys.push_back("initiator:" + Lower(initiator));
  for (const std::string& initiator : host.nqns) keys.push_back("initiator:" + Lower(initiator));
  for (const std::string& initiator : host.wwns) keys.push_back("initiator:" + Lower(initiator));
  if (!host.hgroup_id.empty()) keys.push_back("hgroup:" + host.hgroup_id);
  return keys;
}

std::vector<std::string> KeysOf(const Connection& connection) {
  std::vector<std::string> keys{"volume:" + connection.volume_id};
  if (!connection.host_id.empty()) keys.push_back("host:" + connection.host_id);
  if (!connection.hgroup_id.empty()) keys.push_back("hgroup:" + connection.hgroup_id);
  return keys;
}

std::vector<std::string> KeysOf(const ReplicaLink& link) {
  return {"pod:" + link.local_pod_id, "remote:" + link.remote_id};
}

std::vector<std::string> KeysOf(const Admin& admin) {
  return {"token:" + admin.api_token};
}

}  // namespace protector::fasim
