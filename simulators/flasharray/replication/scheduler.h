// What an array does by the clock: scheduled snapshots and replications, retention, eradication of what was destroyed.
//
// Threads: Tick is called from one thread. Ownership: borrows the Db. Failure: a group that cannot be snapped is logged
// and tried again at its next time.
#pragma once

#include "simulators/flasharray/model/db.h"

namespace protector::fasim {

class Scheduler {
 public:
  explicit Scheduler(Db* db) : db_(db) {}
  void Tick();

 private:
  void RunSchedules(Tx& tx);
  void Eradicate(Tx& tx);

  Db* db_;
};

}  // namespace protector::fasim
