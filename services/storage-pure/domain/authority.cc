#include "services/storage-pure/domain/authority.h"

#include <fmt/format.h>

#include <algorithm>

#include "absl/time/clock.h"
#include "libs/base/error.h"

namespace protector::storage {

AuthorityGuard::Held::~Held() {
  if (!mutex_) return;  // moved from
  if (mode_ == Mode::kExclusive) {
    mutex_->unlock();
  } else {
    mutex_->unlock_shared();
  }
}

absl::Status AuthorityGuard::CheckEpoch(const v1::Authority& authority) {
  const std::lock_guard lock(epoch_mutex_);  // calls with a shared lock may raise it at the same time
  PROTECTOR_ASSIGN_OR_RETURN(const int64_t seen, state_.Epoch(authority.group_id()));
  if (authority.epoch() < seen) {
    return Error(absl::StatusCode::kAborted, "STALE_EPOCH",
                 fmt::format("the call carries epoch {} of the group, epoch {} is in force here", authority.epoch(),
                             seen))
        .Object("protection group " + authority.group_id())
        .Remedy("The group has moved on; bring this site's metadata up to date (sync-force) and repeat there.");
  }
  return authority.epoch() == seen ? absl::OkStatus()
                                   : state_.RaiseEpoch(authority.group_id(), seen, authority.epoch());
}

absl::StatusOr<AuthorityGuard::Held> AuthorityGuard::Admit(const Scope& scope, const v1::Authority& authority,
                                                           Mode mode) {
  std::shared_ptr<std::shared_timed_mutex> group;
  {
    const std::lock_guard lock(mutex_);
    auto& slot = locks_[authority.group_id()];
    if (!slot) slot = std::make_shared<std::shared_timed_mutex>();
    group = slot;
  }
  const auto patience =
      absl::ToChronoMilliseconds(std::clamp(scope.deadline - clock_.Now(), absl::ZeroDuration(), absl::Hours(1)));
  const bool locked = mode == Mode::kExclusive ? group->try_lock_for(patience) : group->try_lock_shared_for(patience);
  if (!locked) {
    return Error(absl::StatusCode::kDeadlineExceeded, "GROUP_BUSY", "another change of the group took all the time")
        .Object("protection group " + authority.group_id())
        .Remedy("Repeat the call; it does nothing twice.");
  }
  Held held(std::move(group), mode);
  PROTECTOR_RETURN_IF_ERROR(CheckEpoch(authority));
  return held;
}

}  // namespace protector::storage
