// All tables of the array, the transaction on them and their life on disk.
//
// A Tx takes the array's lock, changes are visible to it at once, and Commit makes them durable (one journal record)
// before it returns; a Tx that ends without Commit has changed nothing. Reading alone takes a Tx too (or Lock()) and
// never commits.
//
// Threads: safe through Tx; table pointers may be kept after it. Ownership: owns tables, images, journal. Failure:
// ApiError of the caller's rules passes through and rolls back; I/O errors throw std::runtime_error.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "simulators/flasharray/base/clock.h"
#include "simulators/flasharray/model/table.h"
#include "simulators/flasharray/store/block_file.h"
#include "simulators/flasharray/store/images.h"
#include "simulators/flasharray/store/journal.h"

namespace protector::fasim {

struct Effect {
  bool erase = false;
  std::string kind, id, name;
};

struct Tables {
  Table<ArrayInfo> array;
  Table<Volume> volumes;
  Table<Snapshot> snapshots;
  Table<ProtectionGroup> groups;
  Table<GroupSnapshot> group_snapshots;
  Table<Transfer> transfers;
  Table<Baseline> baselines;
  Table<Host> hosts;
  Table<HostGroup> host_groups;
  Table<VolumeGroup> volume_groups;
  Table<Connection> connections;
  Table<ArrayConnection> array_connections;
  Table<Pod> pods;
  Table<ReplicaLink> links;
  Table<Admin> admins;

  // Calls visit(kind, table) for each.
  template <class Visit>
  void Each(Visit visit) {
    visit("array", array);
    visit("volumes", volumes);
    visit("volume_snapshots", snapshots);
    visit("protection_groups", groups);
    visit("protection_group_snapshots", group_snapshots);
    visit("transfers", transfers);
    visit("baselines", baselines);
    visit("hosts", hosts);
    visit("host_groups", host_groups);
    visit("volume_groups", volume_groups);
    visit("connections", connections);
    visit("array_connections", array_connections);
    visit("pods", pods);
    visit("pod_replica_links", links);
    visit("admins", admins);
  }
};

class Db;

class Tx {
 public:
  explicit Tx(Db* db);
  ~Tx();
  Tx(const Tx&) = delete;
  Tx& operator=(const Tx&) = delete;

  // Makes everything since the start durable. The lock stays held; a second Commit is allowed.
  std::vector<Effect> Commit();

  template <class T>
  void Put(T object);
  template <class T>
  void Erase(const T& object);

  Tables& tables();
  ImageStore& images();
  Millis now() const;
  // The array's own record.
  ArrayInfo array();
  std::string NextSerial();

 private:
  template <class T>
  void Note(Table<T>& table, const std::string& id);

  Db* db_;
  std::unique_lock<std::mutex> lock_;
};

class Db {
 public:
  Db(const std::string& state_dir, bool sync, SimClock* clock);

  void Recover();
  Json Dump();  // for /sim/state
  void Checkpoint();
  SimClock& clock() { return *clock_; }

  // Replication waits here for something to do; each commit wakes it.
  void WaitForChange(std::uint64_t* seen, Millis at_most_ms);
  void Wake();

 private:
  friend class Tx;
  struct Change {
    std::string kind, id, name;
    std::function<void()> undo;
    std::function<std::string()> encode;  // JSON of the object now, empty when it is gone
  };

  std::vector<Effect> CommitLocked();
  void RollbackLocked();
  void CheckpointLocked();
  void ApplyObject(const std::string& kind, const std::string& id, const std::string& json);

  SimClock* clock_;
  bool sync_;
  Journal journal_;
  std::unique_ptr<BlockFile> blocks_;
  ImageStore images_;
  Tables tables_;
  std::mutex mutex_;
  std::vector<Change> changes_;
  std::condition_variable changed_;
  std::uint64_t change_count_ = 0;
};

template <class T>
Table<T>& TableOf(Tables& tables);
template <class T>
const char* KindOf();

}  // namespace protector::fasim
