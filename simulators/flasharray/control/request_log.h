// Every mutating REST request that was received, for GET /sim/journal. The newest are in memory; with a state directory
// they are appended to requests.jsonl as well and read back at start.
//
// Threads: safe. Ownership: owns its file. Failure: a file that cannot be written is an error at start, later lines are
// lost.
#pragma once

#include <cstdint>
#include <deque>
#include <fstream>
#include <mutex>
#include <string>

#include "simulators/flasharray/base/types.h"

namespace protector::fasim {

class RequestLog {
 public:
  explicit RequestLog(const std::string& state_dir);
  void Add(Json entry);  // gets its `seq` here
  Json Since(std::uint64_t seq) const;
  void Clear();

 private:
  mutable std::mutex mutex_;
  std::deque<Json> entries_;
  std::string path_;
  std::ofstream file_;
  std::uint64_t next_ = 1;
};

}  // namespace protector::fasim
