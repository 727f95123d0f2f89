#pragma once
// Who is to be told of an operation's changes. Changes are gathered: a watcher gets the newest state, at most so often.
//
// Threads: any. Ownership: subscriptions are values; a callback is not called any more once Unsubscribe has returned or
// it has returned false. Failure: none.

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "protector/operation/v1/operation.pb.h"
#include "services/orchestrator/ports/contracts.h"

namespace protector::orchestrator {

class Watchers {
 public:
  // `last`: nothing will follow. Returns false when it wants no more.
  using Callback = std::function<bool(const op::Operation& operation, bool last)>;
  struct Wanted {
    bool any = false;
    bool with_tasks = false;
  };

  int64_t Add(const std::string& operation_id, bool with_tasks, bool until_clean, Callback callback);
  void Remove(int64_t id);
  // Which forms of the operation somebody waits for.
  Wanted For(const std::string& operation_id);
  // `with_tasks` is null when nobody wants it. ended: the operation; clean: its pending work too, or it needs a human.
  void Publish(const op::Operation& plain, const op::Operation* with_tasks, bool ended, bool clean);

 private:
  struct Watcher {
    std::string operation_id;
    bool with_tasks = false;
    bool until_clean = false;
    Callback callback;
  };
  std::mutex mutex_;
  std::map<int64_t, Watcher> watchers_;
  int64_t next_ = 1;
};

}  // namespace protector::orchestrator
