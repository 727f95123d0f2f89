#include "services/orchestrator/domain/engine/watchers.h"

namespace protector::orchestrator {

int64_t Watchers::Add(const std::string& operation_id, bool with_tasks, bool until_clean, Callback callback) {
  std::lock_guard lock(mutex_);
  watchers_[next_] = {operation_id, with_tasks, until_clean, std::move(callback)};
  return next_++;
}

void Watchers::Remove(int64_t id) {
  std::lock_guard lock(mutex_);
  watchers_.erase(id);
}

Watchers::Wanted Watchers::For(const std::string& operation_id) {
  std::lock_guard lock(mutex_);
  Wanted wanted;
  for (const auto& [id, watcher] : watchers_) {
    if (watcher.operation_id != operation_id) continue;
    wanted.any = true;
    wanted.with_tasks = wanted.with_tasks || watcher.with_tasks;
  }
  return wanted;
}

void Watchers::Publish(const op::Operation& plain, const op::Operation* with_tasks, bool ended, bool clean) {
  std::lock_guard lock(mutex_);
  for (auto it = watchers_.begin(); it != watchers_.end();) {
    Watcher& watcher = it->second;
    if (watcher.operation_id != plain.id()) {
      ++it;
      continue;
    }
    const bool last = watcher.until_clean ? clean : ended;
    const bool more = watcher.callback(watcher.with_tasks && with_tasks != nullptr ? *with_tasks : plain, last);
    it = more && !last ? std::next(it) : watchers_.erase(it);
  }
}

}  // namespace protector::orchestrator
