// The rules of volumes, their snapshots, tags and volume groups.
//
// Threads: called inside a Tx. Ownership: none. Failure: ApiError with the vendor's text; the Tx is then not committed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "simulators/flasharray/model/db.h"

namespace protector::fasim {

using VolumePtr = Table<Volume>::Ptr;
using SnapshotPtr = Table<Snapshot>::Ptr;

// Where the content of a new volume comes from.
struct Source {
  std::string id, name;
  ImageId image = 0;
  std::uint64_t provisioned = 0;
  std::vector<Tag> tags;  // the copyable ones
};
// By name or id of a volume or snapshot; refuses destroyed and half-transferred ones.
Source FindSource(Tx& tx, const std::string& name, const std::string& id);

struct NewVolume {
  std::string name;
  std::uint64_t provisioned = 0;  // 0: the default of 1 MiB, or the source's size
  std::optional<Source> source;
  std::string subtype = "regular";
  std::uint64_t bandwidth_limit = 0, iops_limit = 0;
  bool default_protection = true;
};
Volume CreateVolume(Tx& tx, const NewVolume& request);
// Keeps id, name and serial of `target`; its old content stays as a destroyed undo snapshot.
Volume OverwriteVolume(Tx& tx, const VolumePtr& target, const Source& source);
Volume RenameVolume(Tx& tx, const VolumePtr& volume, const std::string& new_name);
// Empty: out of the pod (or volume group).
Volume MoveToPod(Tx& tx, const VolumePtr& volume, const std::string& pod_name);
Volume MoveToVolumeGroup(Tx& tx, const VolumePtr& volume, const std::string& vgroup_name);
Volume ResizeVolume(Tx& tx, const VolumePtr& volume, std::uint64_t provisioned, bool truncate);
Volume DestroyVolume(Tx& tx, const VolumePtr& volume);
Volume RecoverVolume(Tx& tx, const VolumePtr& volume);
void EradicateVolume(Tx& tx, const VolumePtr& volume);
// Refuses changes to volumes of a demoted pod.
void CheckWritablePod(Tx& tx, const std::string& pod_id, const std::string& context);

Snapshot CreateSnapshot(Tx& tx, const VolumePtr& volume, const std::string& suffix);
Snapshot RenameSnapshot(Tx& tx, const SnapshotPtr& snapshot, const std::string& new_name);
Snapshot DestroySnapshot(Tx& tx, const SnapshotPtr& snapshot);
Snapshot RecoverSnapshot(Tx& tx, const SnapshotPtr& snapshot);
void EradicateSnapshot(Tx& tx, const SnapshotPtr& snapshot);

// One more volume record with everything filled in that every new volume has.
Volume BlankVolume(Tx& tx, const std::string& name);
// Puts a volume back with its meta_version raised, so that a stretched pod's peer hears of it.
void PutVolume(Tx& tx, Volume volume);

}  // namespace protector::fasim
