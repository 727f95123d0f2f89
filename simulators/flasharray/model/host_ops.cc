#include "simulators/flasharray/model/host_ops.h"

#include <set>

#include "simulators/flasharray/model/naming.h"

namespace protector::fasim {
namespace {

constexpr int kLastLun = 4095;

// Every LUN that some host would see twice.
std::set<int> UsedLuns(Tx& tx, const HostPtr& host, const HostGroupPtr& group) {
  std::set<int> used;
  const auto add = [&](const std::string& key) {
    for (const auto& row : tx.tables().connections.Where(key)) used.insert(row->lun);
  };
  if (group) {
    add("hgroup:" + group->id);
    for (const auto& member : tx.tables().hosts.Where("hgroup:" + group->id)) add("host:" + member->id);
  } else {
    add("host:" + host->id);
    if (!host->hgroup_id.empty()) add("hgroup:" + host->hgroup_id);
  }
  return used;
}

int FreeLun(const std::set<int>& used, bool shared) {
  if (shared) {
    for (int lun = 254; lun >= 1; --lun) {
      if (used.count(lun) == 0) return lun;
    }
  }
  for (int lun = shared ? 255 : 1; lun <= kLastLun; ++lun) {
    if (used.count(lun) == 0) return lun;
  }
  throw ApiError("LUN limit reached.");
}

Table<Connection>::Ptr FindConnection(Tx& tx, const std::string& volume_id, const HostPtr& host,
                                      const HostGroupPtr& group) {
  for (const auto& row : tx.tables().connections.Where("volume:" + volume_id)) {
    if (group ? row->hgroup_id == group->id : (host && row->host_id == host->id)) return row;
  }
  return nullptr;
}

}  // namespace

void CheckInitiatorsFree(Tx& tx, const Host& host) {
  for (const auto* list : {&host.iqns, &host.nqns, &host.wwns}) {
    for (const std::string& initiator : *list) {
      for (const auto& other : tx.tables().hosts.Where("initiator:" + Lower(initiator))) {
        if (other->id == host.id) continue;
        throw ApiError(host.name, "The specified initiator " + initiator + " is already in use.");
      }
    }
  }
}

Host CreateHost(Tx& tx, Host host) {
  CheckPlainName("Host", host.name, host.name);
  if (tx.tables().hosts.ByName(host.name)) throw ApiError(host.name, "Host already exists.");
  host.id = NewUuid();
  CheckInitiatorsFree(tx, host);
  tx.Put(host);
  return host;
}

void DeleteHost(Tx& tx, const HostPtr& host) {
  if (tx.tables().connections.CountWhere("host:" + host->id) != 0) {
    throw ApiError(host->name, "Host cannot be deleted due to existing connections.");
  }
  for (const auto& row : tx.tables().groups.Where("host:" + host->id)) {
    ProtectionGroup group = *row;
    std::erase(group.hosts, host->id);
    tx.Put(group);
  }
  tx.Erase(*host);
}

void DeleteHostGroup(Tx& tx, const HostGroupPtr& group) {
  if (tx.tables().connections.CountWhere("hgroup:" + group->id) != 0) {
    throw ApiError(group->name, "Host group cannot be deleted due to existing connections.");
  }
  if (tx.tables().hosts.CountWhere("hgroup:" + group->id) != 0) {
    throw ApiError(group->name, "Host group is not empty.");
  }
  for (const auto& row : tx.tables().groups.Where("host_group:" + group->id)) {
    ProtectionGroup changed = *row;
    std::erase(changed.host_groups, group->id);
    tx.Put(changed);
  }
  tx.Erase(*group);
}

Host SetHostGroup(Tx& tx, const HostPtr& host, const std::string& group_id) {
  if (!group_id.empty() && !host->hgroup_id.empty() && host->hgroup_id != group_id) {
    throw ApiError(host->name, "Host already belongs to another host group.");
  }
  Host changed = *host;
  changed.hgroup_id = group_id;
  tx.Put(changed);
  return changed;
}

Connection Connect(Tx& tx, const Table<Volume>::Ptr& volume, const HostPtr& host, const HostGroupPtr& group,
                   std::optional<int> lun) {
  if (volume->destroyed) throw ApiError(volume->name, "Volume has been destroyed.");
  const HostGroupPtr through =
      host && !host->hgroup_id.empty() ? tx.tables().host_groups.Find(host->hgroup_id) : nullptr;
  if (FindConnection(tx, volume->id, host, group) || (through && FindConnection(tx, volume->id, nullptr, through))) {
    throw ApiError(volume->name, "Connection already exists.");
  }
  const std::set<int> used = UsedLuns(tx, host, group);
  if (lun && (*lun < 1 || *lun > kLastLun)) throw ApiError(volume->name, "LUN must be between 1 and 4095.");
  if (lun && used.count(*lun) != 0) throw ApiError(volume->name, "LUN is already in use.");
  Connection connection;
  connection.id = NewUuid();
  connection.volume_id = volume->id;
  if (group) {
    connection.hgroup_id = group->id;
  } else {
    connection.host_id = host->id;
  }
  connection.lun = lun ? *lun : FreeLun(used, group != nullptr);
  tx.Put(connection);
  return connection;
}

void Disconnect(Tx& tx, const Table<Volume>::Ptr& volume, const HostPtr& host, const HostGroupPtr& group) {
  const auto connection = FindConnection(tx, volume->id, host, group);
  if (!connection) throw ApiError(volume->name, "Connection does not exist.");
  tx.Erase(*connection);
}

std::vector<ConnectionRow> RowsOf(Tx& tx, const Table<Connection>::Ptr& connection) {
  const auto volume = tx.tables().volumes.Find(connection->volume_id);
  if (!connection->host_id.empty()) return {{connection, volume, tx.tables().hosts.Find(connection->host_id), nullptr}};
  std::vector<ConnectionRow> rows;
  const auto group = tx.tables().host_groups.Find(connection->hgroup_id);
  for (const auto& host : tx.tables().hosts.Where("hgroup:" + connection->hgroup_id)) {
    rows.push_back({connection, volume, host, group});
  }
  if (rows.empty()) rows.push_back({connection, volume, nullptr, group});
  return rows;
}

std::size_t ConnectionCount(Tx& tx, const std::string& volume_id) {
  std::size_t count = 0;
  for (const auto& row : tx.tables().connections.Where("volume:" + volume_id)) {
    count += row->host_id.empty() ? tx.tables().hosts.CountWhere("hgroup:" + row->hgroup_id) : 1;
  }
  return count;
}

std::size_t HostConnectionCount(Tx& tx, const Host& host) {
  return tx.tables().connections.CountWhere("host:" + host.id) +
         (host.hgroup_id.empty() ? 0 : tx.tables().connections.CountWhere("hgroup:" + host.hgroup_id));
}

bool InitiatorSees(Tx& tx, const std::string& initiator, const std::string& volume_id) {
  for (const auto& host : tx.tables().hosts.Where("initiator:" + Lower(initiator))) {
    for (const auto& row : tx.tables().connections.Where("volume:" + volume_id)) {
      if (row->host_id == host->id || (!row->hgroup_id.empty() && row->hgroup_id == host->hgroup_id)) return true;
    }
  }
  return false;
}

}  // namespace protector::fasim
