#pragma once
// The one way in which a service keeps state: records (bucket, key -> value) with a version each. Narrow on purpose, so
// that a replicated engine can take SQLite's place without touching the logic above it.
//
// A write that has returned OK is durable. A transaction applies as a whole or not at all. Versions are positive and
// grow: a record's version is different after each write, also when it was deleted and made again, so a comparison
// never mistakes an old record for a new one. Callers compare versions for equality only.
//
// Threads: every method may be called from any thread and blocks its caller only. Ownership: the caller owns the store
// and destroys it after its last user. Failure: NOT_FOUND (no such record), ABORTED with reason VERSION_MISMATCH (the
// record is not at the expected version; nothing was written), RESOURCE_EXHAUSTED / PERMISSION_DENIED / DATA_LOSS /
// UNAVAILABLE from the disk, each with object and remedy. After such an error nothing of the write is there.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/failpoint/failpoint.h"

namespace protector::store {

inline constexpr int64_t kAnyVersion = -1;  // write whatever is there
inline constexpr int64_t kAbsent = 0;       // write only if there is no record

struct Record {
  std::string key;
  std::string value;
  int64_t version = 0;
};

struct Page {
  std::vector<Record> records;  // in byte order of their keys
  std::string next_page_token;  // empty: this was the last page
};

struct PageRequest {
  int size = 500;     // 1 to 10,000
  std::string token;  // from the page before; empty: from the start
};

// The writes of one transaction. Every expectation is checked before anything is written.
class Batch {
 public:
  struct Write {
    enum class Kind { kPut, kDelete, kCheck } kind;
    std::string bucket;
    std::string key;
    std::string value;
    int64_t expected;
  };
  Batch& Put(const std::string& bucket, const std::string& key, const std::string& value,
             int64_t expected = kAnyVersion);
  // A record that is not there is deleted already, unless a version was expected.
  Batch& Delete(const std::string& bucket, const std::string& key, int64_t expected = kAnyVersion);
  // Writes nothing; the transaction fails unless the record is at this version (kAbsent: is not there).
  Batch& Check(const std::string& bucket, const std::string& key, int64_t expected);
  const std::vector<Write>& writes() const { return writes_; }
  bool empty() const { return writes_.empty(); }

 private:
  std::vector<Write> writes_;
};

// A right to act that ends by itself. `fence` is greater for each new holder: what a holder does carries it, and
// whoever sees a smaller one than before refuses.
struct Lease {
  std::string name;
  std::string owner;
  int64_t fence = 0;
  absl::Time expires;
};

// What a failpoint's `error` looks like at a write: UNAVAILABLE before it. After it there is none, since an error says
// that nothing was written.
absl::Status LostWrite(failpoint::When when, const std::string& point);

class Store {
 public:
  virtual ~Store() = default;

  virtual absl::StatusOr<Record> Get(const std::string& bucket, const std::string& key) = 0;
  virtual absl::StatusOr<Page> List(const std::string& bucket, const std::string& prefix, const PageRequest& page) = 0;

  // Returns the version of all records written by the batch (they share one).
  virtual absl::StatusOr<int64_t> Transaction(const Batch& batch) = 0;

  // Takes or renews the lease. ABORTED with reason LEASE_HELD while another owner's has not expired; renewing keeps the
  // fence, taking over raises it.
  virtual absl::StatusOr<Lease> AcquireLease(const std::string& name, const std::string& owner, absl::Duration ttl) = 0;
  // Gives it back; nothing happens when `owner` does not hold it any more.
  virtual absl::Status ReleaseLease(const std::string& name, const std::string& owner) = 0;

  // Conveniences over the above.
  absl::StatusOr<int64_t> PutIfVersion(const std::string& bucket, const std::string& key, const std::string& value,
                                       int64_t expected);
  absl::Status Delete(const std::string& bucket, const std::string& key, int64_t expected = kAnyVersion);
  // All pages. For buckets that are known to be small.
  absl::StatusOr<std::vector<Record>> ListAll(const std::string& bucket, const std::string& prefix = "");
};

}  // namespace protector::store
