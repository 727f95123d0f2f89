// The running servers' guests: each writes one numbered record per volume and interval through the array's data plane.
// Threads: a few workers; every method may be called from any thread without the site's lock (Stop and Detach wait for
// a write under way, so that nothing is written after they return). Failure: a failed write is counted in the ledger as
// an I/O error of the guest and tried again with the same number.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "simulators/openstack/array/array.h"
#include "simulators/openstack/guest/ledger.h"
#include "simulators/openstack/guest/record.h"

namespace protector::ossim {

struct GuestDisk {
  std::string volume_id, serial, device;
  int64_t bytes = 0;
};

class Guests {
 public:
  Guests(Array& array, Ledger& ledger, std::string initiator, int64_t interval_ms);
  ~Guests();

  void Start(const std::string& server_id, const std::string& name, const std::vector<GuestDisk>& disks);
  void Stop(const std::string& server_id);
  void Attach(const std::string& server_id, const GuestDisk& disk);
  void Detach(const std::string& server_id, const std::string& volume_id);
  bool Running(const std::string& server_id) const;

  void SetInterval(int64_t ms);
  void Pause(const std::string& server_id, bool paused);  // "": all
  json State() const;
  json ReadBack(const std::string& server_id, const std::vector<GuestDisk>& disks);
  void Shutdown();

 private:
  struct Disk {
    GuestDisk at;
    bool ready = false;
    VolumeHeader header;
    bool header_written = false;
    uint64_t next = 1;
    int session = -1;
    uint64_t writes = 0;
    std::string last_error;
  };
  struct Guest {
    std::string server_id, name;
    uint64_t boot_id = 0;
    std::vector<Disk> disks;
    bool busy = false, stopping = false, paused = false;
    int64_t due_us = 0, booted_ms = 0;
  };
  void Work();
  void Prepare(Guest& guest, Disk& disk);
  void Tick(const std::vector<std::shared_ptr<Guest>>& batch);

  Array& array_;
  Ledger& ledger_;
  std::string initiator_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  mutable std::condition_variable idle_;
  std::map<std::string, std::shared_ptr<Guest>> guests_;
  int64_t interval_ms_;
  bool paused_ = false, shutdown_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace protector::ossim
