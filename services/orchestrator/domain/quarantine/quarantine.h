#pragma once
// A returning site. Before this site acts on any group, and whenever its peer comes back, it asks the peer's metadata
// for every group's epoch. Where it was overtaken - the peer's epoch is higher, or the document says that the members
// here were left behind - it powers its servers of that group off, locks them and fences their volumes on the array,
// and only then remembers the new epoch as confirmed. What it intends is on disk before it is done: a crash in between
// goes on with it.
//
// The servers are found without Nova having to know anything of the group: placements of this site in this site's own
// head, which is as old as the day it was lost, or as new as the peer's, whichever came first.
//
// Threads: Check and Loop are called by one thread; the rest by any. Ownership: everything handed in outlives it.
// Failure: a group that cannot be put into quarantine yet stays unconfirmed and is tried again; Warnings says so.

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "libs/log/log.h"
#include "libs/store/store.h"
#include "services/orchestrator/domain/authority/authority.h"
#include "services/orchestrator/domain/decisions.h"
#include "services/orchestrator/domain/engine/engine.h"
#include "services/orchestrator/domain/operations/context.h"

namespace protector::orchestrator {

class Quarantine {
 public:
  Quarantine(const OperationContext& context, store::Store& store, EpochGuard& guard, Engine& engine,
             log::Logger logger, std::shared_ptr<Decisions> decisions = std::make_shared<NoDecisions>())
      : context_(context),
        store_(store),
        guard_(guard),
        engine_(engine),
        logger_(std::move(logger)),
        decisions_(std::move(decisions)) {}

  // One pass over all groups of this site. True when the peer answered and nothing remains to be done.
  bool Check();
  // Passes until Stop: often while something remains, seldom otherwise, at once after Poke.
  void Loop();
  void Stop();
  // A head changed, or the peer may be back.
  void Poke();

  // What people should know of a group: "quarantined: ...".
  std::vector<std::string> Warnings(const std::string& group_id);

 private:
  struct Group {
    groups::GroupDocument document;  // this site's head
    int64_t known = 0;               // confirmed by this site
    int64_t epoch = 0;               // the higher one of both heads
    std::string primary;             // of that head
  };
  bool CheckGroup(const Group& group);
  bool Isolate(const Group& group, op::StandingRecord& record);
  bool Fence(const Group& group, op::StandingRecord& record);
  absl::Status Save(const op::StandingRecord& record);
  absl::StatusOr<op::StandingRecord> Load(const std::string& group_id);
  void Warn(const std::string& group_id, const std::string& warning);

  const OperationContext& context_;
  store::Store& store_;
  EpochGuard& guard_;
  Engine& engine_;
  log::Logger logger_;
  const std::shared_ptr<Decisions> decisions_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  bool poked_ = false;
  bool peer_answered_ = false;
  std::map<std::string, std::string> warnings_;
};

}  // namespace protector::orchestrator
