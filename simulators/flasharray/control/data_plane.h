// Reads and writes of volumes, as iSCSI would carry them: who may write what, and the batch.
//
// Threads: safe; each call is one transaction. Ownership: borrows the Db. Failure: Refusal, which the routes turn into
// 409.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "simulators/flasharray/model/db.h"

namespace protector::fasim {

struct Refusal {
  std::string code, message;  // code: not-connected, read-only, no-such-volume, out-of-range
  explicit operator bool() const { return !code.empty(); }
};

struct WriteItem {
  std::string initiator, serial;
  std::uint64_t offset = 0;
  std::string bytes;
};

class DataPlane {
 public:
  explicit DataPlane(Db* db) : db_(db) {}

  // Makes all accepted items durable together, in order; one Refusal (empty when written) per item.
  std::vector<Refusal> Write(const std::vector<WriteItem>& items);
  Refusal Read(const std::string& initiator, const std::string& serial, std::uint64_t offset, std::uint64_t length,
               std::string* bytes);
  // By the name of a volume or snapshot, without an initiator.
  Refusal ReadByName(const std::string& name, std::uint64_t offset, std::uint64_t length, std::string* bytes);
  Refusal Checksum(const std::string& name, Json* out);

  // Told the stretched pods that were written to, before the write is acknowledged; false: this array lost one of them.
  void OnPodWrite(std::function<bool(const std::vector<std::string>& pod_ids)> hook) {
    on_pod_write_ = std::move(hook);
  }

 private:
  Db* db_;
  std::function<bool(const std::vector<std::string>&)> on_pod_write_;
};

}  // namespace protector::fasim
