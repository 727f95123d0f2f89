#pragma once
// Keeps the two sites equal by itself: asks the peer for its heads at start, at an interval, whenever something is owed
// (with backoff while the peer is away) and at once when the peer has called.
//
// Threads: one of its own between Start and Stop; Wake may be called from any thread. Ownership: synchroniser,
// repository, peer and clock outlive it. Failure: logged and kept in the groups' sync records; the loop goes on.

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "libs/base/clock.h"
#include "libs/log/log.h"
#include "libs/metrics/metrics.h"
#include "services/metadata-sync/domain/synchroniser.h"

namespace protector::metadata_sync {

struct RetryOptions {
  absl::Duration interval = absl::Seconds(15);      // between rounds while all is well
  absl::Duration first_backoff = absl::Seconds(1);  // after a failed round; doubles
  absl::Duration max_backoff = absl::Seconds(30);
};

class RetryLoop {
 public:
  RetryLoop(Synchroniser& synchroniser, Repository& repository, PeerPort& peer, Clock& clock,
            const RetryOptions& options, log::Logger logger, metrics::Registry& metrics);
  ~RetryLoop() { Stop(); }

  void Start();
  void Stop();
  // The next round is due now: something is owed.
  void Wake();
  // The peer has called: a round that waits for it is due now. (Not when all is well: the two would call each other for
  // ever.)
  void PeerSeen();

  // One round, as the thread does it: true when nothing is owed any more. Public for tests.
  bool Round();

 private:
  void Run();
  absl::Status Exchange(bool& all_equal);
  absl::Duration Pause(bool all_well);

  Synchroniser& synchroniser_;
  Repository& repository_;
  PeerPort& peer_;
  Clock& clock_;
  const RetryOptions options_;
  const log::Logger logger_;
  const metrics::Gauge reachable_;
  const metrics::Gauge behind_;
  const metrics::Counter rounds_;
  bool was_reachable_ = true;
  std::atomic<int> failures_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool due_ = true;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace protector::metadata_sync
