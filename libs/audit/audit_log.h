#pragma once
// An append-only record of changes and decisions: each entry carries a hash over the one before it and its own bytes,
// so that who alters, removes or inserts one has to write every later one anew; and what others have noted of the
// chain's end (the peer at the other site, the service's log) tells that it was done.
//
// Threads: every method may be called from any thread; appends are made one after the other. Ownership: the clock
// outlives it. Failure: Open and Append: the store's. After a failed Append nothing was added, or the same entry in
// full.

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/store/store.h"
#include "protector/audit/v1/audit.pb.h"

namespace protector::audit {

namespace pb = ::protector::audit::v1;

struct Head {
  int64_t number = 0;
  std::string hash;  // empty: there is no record yet
};

class AuditLog {
 public:
  // `kept_by`: service and site, set in every record that is read. `store` is for the audit log alone.
  static absl::StatusOr<std::unique_ptr<AuditLog>> Open(std::unique_ptr<store::Store> store, Clock& clock,
                                                        const std::string& service, const std::string& site);

  // Durable when it returns. Sets the time. Returns its place in the chain.
  absl::StatusOr<Head> Append(pb::Record record);
  Head head() const;

  absl::StatusOr<pb::ListRecordsResponse> List(const pb::ListRecordsRequest& request) const;
  // Reads everything. Records that were appended meanwhile are not looked at.
  absl::StatusOr<pb::VerifyRecordsResponse> Verify(const Head& known) const;

  // Hash of the first record; empty: there is none.
  absl::StatusOr<std::string> FirstHash() const;

  // What the peer at the other site said of its own chains, kept beside ours: a longer end of the same chain takes the
  // place of a shorter one, nothing else does.
  absl::StatusOr<std::vector<pb::ChainEnd>> Noted() const;
  absl::Status Note(const pb::ChainEnd& end);

 private:
  AuditLog(std::unique_ptr<store::Store> store, Clock& clock, std::string service, std::string site);
  absl::Status Load();

  const std::unique_ptr<store::Store> store_;
  Clock& clock_;
  const std::string service_;
  const std::string site_;
  mutable std::mutex mutex_;
  Head head_;
};

}  // namespace protector::audit
