// Objects of the array as REST items, with every property of the newest version; Project cuts them down.
//
// Threads: inside a Tx. Ownership: none. Failure: none.
#pragma once

#include "simulators/flasharray/model/db.h"
#include "simulators/flasharray/model/host_ops.h"

namespace protector::fasim {

Json Reference(const std::string& id, const std::string& name);
Json TimeRemaining(Tx& tx, bool destroyed, Millis eradicate_at);
// `unique` is what only this object holds; `provisioned` 0 for objects without a size.
Json SpaceOf(std::uint64_t unique, std::uint64_t snapshots, std::uint64_t provisioned);

Json VolumeItem(Tx& tx, const Volume& volume);
Json SnapshotItem(Tx& tx, const Snapshot& snapshot);
Json VolumeGroupItem(Tx& tx, const VolumeGroup& group);
Json HostItem(Tx& tx, const Host& host);
Json HostGroupItem(Tx& tx, const HostGroup& group);
Json ConnectionItem(const ConnectionRow& row);
Json GroupItem(Tx& tx, const ProtectionGroup& group);
Json GroupSnapshotItem(Tx& tx, const GroupSnapshot& snapshot);
Json TransferItem(Tx& tx, const Transfer& transfer);
Json PodItem(Tx& tx, const Pod& pod);
Json LinkItem(Tx& tx, const ReplicaLink& link);
Millis LagOf(Tx& tx, const ReplicaLink& link);
std::uint64_t AllocatedOn(Tx& tx);
std::uint64_t ProvisionedOn(Tx& tx);

}  // namespace protector::fasim
