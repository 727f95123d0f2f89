#include "services/metadata-sync/domain/retry_loop.h"

#include <algorithm>
#include <map>
#include <set>

#include "libs/base/error.h"

namespace protector::metadata_sync {

RetryLoop::RetryLoop(Synchroniser& synchroniser, Repository& repository, PeerPort& peer, Clock& clock,
                     const RetryOptions& options, log::Logger logger, metrics::Registry& metrics)
    : synchroniser_(synchroniser),
      repository_(repository),
      peer_(peer),
      clock_(clock),
      options_(options),
      logger_(std::move(logger)),
      reachable_(metrics.GetGauge("protector_metadata_peer_reachable", "1 while the peer answers.")),
      behind_(
          metrics.GetGauge("protector_metadata_groups_not_in_sync", "Groups whose heads differed in the last round.")),
      rounds_(metrics.GetCounter("protector_metadata_sync_rounds_total", "Comparisons with the peer.")) {}

void RetryLoop::Start() {
  thread_ = std::thread([this] { Run(); });
}

void RetryLoop::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void RetryLoop::Wake() {
  {
    std::lock_guard lock(mutex_);
    due_ = true;
  }
  wake_.notify_all();
}

void RetryLoop::PeerSeen() {
  if (failures_ > 0) Wake();
}

absl::Duration RetryLoop::Pause(bool all_well) {
  if (all_well) {
    failures_ = 0;
    return options_.interval;
  }
  ++failures_;
  return std::min(options_.max_backoff, options_.first_backoff * (1 << std::min(failures_.load() - 1, 10)));
}

void RetryLoop::Run() {
  for (;;) {
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return;
      due_ = false;
    }
    const absl::Duration pause = Pause(Round());
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, absl::ToChronoNanoseconds(pause), [&] { return due_ || stopping_; });
  }
}

absl::Status RetryLoop::Exchange(bool& all_equal) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<pb::Head> theirs, peer_.ListHeads({}));
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<pb::Head> ours, repository_.Heads());
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<std::string> doubts, repository_.GroupsInDoubt());
  std::map<std::string, pb::Head> remote;
  std::set<std::string> groups(doubts.begin(), doubts.end());
  for (const pb::Head& head : theirs) {
    remote[head.group_id()] = head;
    groups.insert(head.group_id());
  }
  for (const pb::Head& head : ours) groups.insert(head.group_id());
  int different = 0;
  for (const std::string& group : groups) {
    pb::Head& head = remote[group];
    head.set_group_id(group);
    const absl::Status reconciled = synchroniser_.Reconcile(group, head);
    if (reconciled.ok()) continue;
    ++different;
    if (peer_.NoAnswer(reconciled)) return reconciled;
  }
  behind_.Set(different);
  all_equal = different == 0;
  return absl::OkStatus();
}

bool RetryLoop::Round() {
  rounds_.Increment();
  bool all_equal = false;
  const absl::Status exchanged = Exchange(all_equal);
  reachable_.Set(exchanged.ok() ? 1 : 0);
  if (exchanged.ok()) {
    if (!was_reachable_) logger_.Info("peer is back");
    was_reachable_ = true;
    return all_equal;
  }
  if (was_reachable_) logger_.Warning("peer does not answer; trying again until it does", exchanged);
  was_reachable_ = false;
  const absl::StatusOr<std::vector<pb::Head>> ours = repository_.Heads();
  if (!ours.ok()) return false;
  const absl::Time next_try =
      clock_.Now() + std::min(options_.max_backoff, options_.first_backoff * (1 << std::min(failures_.load(), 10)));
  for (const pb::Head& head : *ours) {
    const absl::Status noted = synchroniser_.NoteUnreachable(head.group_id(), exchanged, next_try);
    if (!noted.ok()) logger_.Error("sync record could not be written", noted, {{"group", head.group_id()}});
  }
  return false;
}

}  // namespace protector::metadata_sync
