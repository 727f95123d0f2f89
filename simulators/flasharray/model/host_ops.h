// Hosts, host groups and which of them sees which volume under which LUN.
//
// Threads: called inside a Tx. Ownership: none. Failure: ApiError with the vendor's text.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "simulators/flasharray/model/db.h"

namespace protector::fasim {

using HostPtr = Table<Host>::Ptr;
using HostGroupPtr = Table<HostGroup>::Ptr;

// Refuses an initiator that another host has.
void CheckInitiatorsFree(Tx& tx, const Host& host);
Host CreateHost(Tx& tx, Host host);
void DeleteHost(Tx& tx, const HostPtr& host);
void DeleteHostGroup(Tx& tx, const HostGroupPtr& group);
Host SetHostGroup(Tx& tx, const HostPtr& host, const std::string& group_id);

// Exactly one of host and group is set.
Connection Connect(Tx& tx, const Table<Volume>::Ptr& volume, const HostPtr& host, const HostGroupPtr& group,
                   std::optional<int> lun);
void Disconnect(Tx& tx, const Table<Volume>::Ptr& volume, const HostPtr& host, const HostGroupPtr& group);

// What REST lists: one row per host, also for a host group's connection; an empty group gives one row without a host.
struct ConnectionRow {
  Table<Connection>::Ptr connection;
  Table<Volume>::Ptr volume;
  HostPtr host;
  HostGroupPtr group;
};
std::vector<ConnectionRow> RowsOf(Tx& tx, const Table<Connection>::Ptr& connection);
std::size_t ConnectionCount(Tx& tx, const std::string& volume_id);
std::size_t HostConnectionCount(Tx& tx, const Host& host);
// Whether the initiator's host sees the volume, alone or through its group.
bool InitiatorSees(Tx& tx, const std::string& initiator, const std::string& volume_id);

}  // namespace protector::fasim
