#pragma once
// The store in memory, for unit tests, with a hook that makes writes fail or be lost at a chosen place.
//
// Threads: as Store. Ownership: nothing outside. Failure: what the hook returns.

#include <functional>
#include <map>
#include <mutex>

#include "libs/base/clock.h"
#include "libs/store/store.h"

namespace protector::store {

class MemoryStore final : public Store {
 public:
  explicit MemoryStore(Clock& clock) : clock_(clock) {}

  absl::StatusOr<Record> Get(const std::string& bucket, const std::string& key) override;
  absl::StatusOr<Page> List(const std::string& bucket, const std::string& prefix, const PageRequest& page) override;
  absl::StatusOr<int64_t> Transaction(const Batch& batch) override;
  absl::StatusOr<Lease> AcquireLease(const std::string& name, const std::string& owner, absl::Duration ttl) override;
  absl::Status ReleaseLease(const std::string& name, const std::string& owner) override;

  // Called before each transaction (outside the lock); an error is returned in its place and nothing is written.
  void BeforeWrite(std::function<absl::Status(const Batch&)> hook) { before_ = std::move(hook); }
  // Called after each transaction was applied; an error is returned although it was: an answer that was lost.
  void AfterWrite(std::function<absl::Status(const Batch&)> hook) { after_ = std::move(hook); }

 private:
  Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, std::map<std::string, Record>> buckets_;
  std::map<std::string, Lease> leases_;
  int64_t revision_ = 0;
  std::function<absl::Status(const Batch&)> before_;
  std::function<absl::Status(const Batch&)> after_;
};

}  // namespace protector::store
