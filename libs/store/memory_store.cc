#include "libs/store/memory_store.h"

#include "libs/base/error.h"
#include "libs/store/errors.h"

namespace protector::store {

absl::StatusOr<Record> MemoryStore::Get(const std::string& bucket, const std::string& key) {
  std::lock_guard lock(mutex_);
  const auto& records = buckets_[bucket];
  const auto found = records.find(key);
  if (found == records.end()) return NoRecord(bucket, key);
  return found->second;
}

absl::StatusOr<Page> MemoryStore::List(const std::string& bucket, const std::string& prefix, const PageRequest& page) {
  std::lock_guard lock(mutex_);
  const auto& records = buckets_[bucket];
  Page result;
  auto at = page.token.empty() ? records.lower_bound(prefix) : records.upper_bound(page.token);
  for (; at != records.end() && at->first.compare(0, prefix.size(), prefix) == 0; ++at) {
    if (result.records.size() == static_cast<size_t>(page.size)) {
      result.next_page_token = result.records.back().key;
      break;
    }
    result.records.push_back(at->second);
  }
  return result;
}

absl::StatusOr<int64_t> MemoryStore::Transaction(const Batch& batch) {
  if (before_) PROTECTOR_RETURN_IF_ERROR(before_(batch));
  int64_t revision = 0;
  {
    std::lock_guard lock(mutex_);
    for (const Batch::Write& write : batch.writes()) {
      const auto& records = buckets_[write.bucket];
      const auto found = records.find(write.key);
      const int64_t actual = found == records.end() ? kAbsent : found->second.version;
      if (write.expected != kAnyVersion && write.expected != actual) return Mismatch(write, actual);
    }
    revision = ++revision_;
    for (const Batch::Write& write : batch.writes()) {
      auto& records = buckets_[write.bucket];
      if (write.kind == Batch::Write::Kind::kPut) records[write.key] = {write.key, write.value, revision};
      if (write.kind == Batch::Write::Kind::kDelete) records.erase(write.key);
    }
  }
  if (after_) PROTECTOR_RETURN_IF_ERROR(after_(batch));
  return revision;
}

absl::StatusOr<Lease> MemoryStore::AcquireLease(const std::string& name, const std::string& owner, absl::Duration ttl) {
  std::lock_guard lock(mutex_);
  Lease& lease = leases_[name];
  const absl::Time now = clock_.Now();
  if (lease.owner != owner) {
    if (!lease.owner.empty() && lease.expires > now) return Held(lease);
    lease = {name, owner, lease.fence + 1, now};
  }
  lease.expires = now + ttl;
  return lease;
}

absl::Status MemoryStore::ReleaseLease(const std::string& name, const std::string& owner) {
  std::lock_guard lock(mutex_);
  Lease& lease = leases_[name];
  if (lease.owner == owner) lease.owner.clear();
  return absl::OkStatus();
}

}  // namespace protector::store
