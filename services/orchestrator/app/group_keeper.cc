#include "services/orchestrator/app/group_keeper.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"

namespace protector::orchestrator {
namespace {

// Looking for interrupted changes costs one read of an empty bucket.
constexpr absl::Duration kTurn = absl::Seconds(10);
constexpr absl::Duration kCallTimeout = absl::Seconds(60);

}  // namespace

GroupKeeper::GroupKeeper(Groups& groups, log::Logger logger, absl::Duration capture_interval)
    : groups_(groups), logger_(std::move(logger)), capture_interval_(capture_interval) {}

void GroupKeeper::Start() {
  thread_ = std::thread([this] { Run(); });
}

void GroupKeeper::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void GroupKeeper::Run() {
  absl::Duration since_capture = absl::ZeroDuration();
  const absl::Duration turn = std::min(kTurn, capture_interval_);
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const absl::Status settled = groups_.Reconcile(Call(kCallTimeout));
    if (!settled.ok()) logger_.Warning("an interrupted change of a group cannot be settled yet", settled);
    if (since_capture >= capture_interval_) {
      since_capture = absl::ZeroDuration();
      const absl::Status captured = groups_.RefreshCaptures(Call(kCallTimeout));
      if (!captured.ok())
        logger_.Warning("members could not be captured anew; what was captured before stays in force", captured);
    }
    lock.lock();
    wake_.wait_for(lock, absl::ToChronoMilliseconds(turn), [this] { return stopping_; });
    since_capture += turn;
  }
}

}  // namespace protector::orchestrator
