#pragma once
// Writable volumes from snapshots (or pod volumes), each made once.
//
// For each disk: the intent (name, source) is on disk before the POST, the outcome (the array's id) before the caller
// is told.
//   - Died before the POST: a repeat makes it.
//   - Died after the POST, or its answer was lost: the name is taken; a repeat finds it, compares its source and adopts
//   it.
//   - Told the caller, and Cinder renamed it since: the id is on record; a repeat returns that volume, wherever it is
//   now.
//   - Its request timed out: the array may carry it out yet. No second request is made until as long again has passed
//   (told as OUTCOME_UNKNOWN meanwhile): both would make a volume if Cinder renamed the first one in between.
//   - That happened all the same, later than anybody waits: DestroyStrays finds what has the name and not the id.
// A volume of the name with another source is not ours and is refused.
//
// Threads: safe for all; two calls for the same disk wait for each other, so that a repeat of a call that still runs
// makes nothing twice. Failure: each disk has its own status.

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>

#include "services/storage-pure/domain/inventory.h"

namespace protector::storage {

struct CloneJob {
  DiskKey disk;
  std::string source;         // snapshot or volume
  std::string source_serial;  // on the source array
};

struct CloneResult {
  absl::Status status;
  Volume volume = {};
};

class Cloner {
 public:
  Cloner(const Deps& deps, Inventory& inventory) : deps_(deps), inventory_(inventory) {}

  // In the order of the jobs. `source_array`: whose serials source_serial are. Fails as a whole only if the records
  // fail.
  absl::StatusOr<std::vector<CloneResult>> Run(const Scope& scope, const std::string& operation_id,
                                               const std::string& source_array, const std::vector<CloneJob>& jobs);

  // For volumes that need no clone (a promoted pod's): records that this volume is the disk for this operation, and
  // marks it.
  absl::StatusOr<std::vector<CloneResult>> Adopt(const Scope& scope, const std::string& operation_id,
                                                 const std::string& source_array, const std::vector<CloneJob>& jobs,
                                                 const std::vector<Volume>& volumes);

  // Destroys (recoverable for a day, like everything that is destroyed here) volumes that requests of this operation
  // made after their disk had got its volume from another. Nothing that is connected, nor of another source, is
  // touched.
  absl::Status DestroyStrays(const Scope& scope, const std::string& operation_id, const std::vector<DiskKey>& disks);

 private:
  class Turn;  // holds the disks of a call
  absl::StatusOr<Volume> MakeOrAdopt(const Scope& scope, const std::string& name, const std::string& source);
  absl::StatusOr<Volume> Request(const Scope& scope, const std::string& name, const std::string& source);
  bool MayHappenYet(const std::string& name);
  absl::Status Mark(const Scope& scope, const CloneRecord& record);
  absl::Status SaveOutcomes(const Scope& scope, const std::string& source_array,
                            const std::vector<CloneRecord>& records);

  Deps deps_;
  Inventory& inventory_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> busy_;
  // Names whose request was not answered, and until when (Monotonic) it may be carried out yet. Lost with the process.
  std::map<std::string, absl::Duration> unanswered_;
};

}  // namespace protector::storage
