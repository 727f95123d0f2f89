#pragma once
// Runs operations: takes what happened (works that ended, looks, timers, humans), decides what follows, makes it
// durable in one transaction, and only then sends the calls out. One turn after the other; nothing in a turn blocks but
// the disk.
//
// Threads: Loop turns Pump on a thread of its own until Stop; the other methods may be called from any thread.
// Ownership: everything handed in outlives the engine. Failure: a store that cannot write stops everything that would
// need it (no effect without a durable intent); the same turn is written again until it succeeds, and `Healthy` says
// why meanwhile.

#include <array>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/tenant.h"
#include "libs/log/log.h"
#include "libs/store/store.h"
#include "services/orchestrator/domain/decisions.h"
#include "services/orchestrator/domain/engine/archive.h"
#include "services/orchestrator/domain/engine/director.h"
#include "services/orchestrator/domain/engine/executor.h"
#include "services/orchestrator/domain/engine/journal.h"
#include "services/orchestrator/domain/engine/limits.h"
#include "services/orchestrator/domain/engine/meter.h"
#include "services/orchestrator/domain/engine/watchers.h"

namespace protector::orchestrator {

struct EngineOptions {
  LimitOptions limits;
  absl::Duration backoff_min = absl::Seconds(1);
  absl::Duration backoff_max = absl::Seconds(30);
  absl::Duration publish_interval = absl::Milliseconds(100);
  int most_of_one_project = 100;                   // operations that have not ended
  absl::Duration look_min = absl::ZeroDuration();  // zero: what the kinds say
  std::shared_ptr<Meter> meter = std::make_shared<NoMeter>();
  std::shared_ptr<Decisions> decisions = std::make_shared<NoDecisions>();
};

class Engine {
 public:
  Engine(const EngineOptions& options, store::Store& store, Clock& clock, Executor& executor, Director& director,
         log::Logger logger);

  // Reads what is on disk; operations that were under way go on with the next turn.
  absl::Status Load();

  // Takes a new operation. Durable when it returns. A request id that is known answers with its operation.
  absl::StatusOr<op::Operation> Start(op::OperationRecord header, op::PlanRecord plan,
                                      std::vector<op::TaskRecord> tasks);
  // Whose operations a caller sees; nullopt: all. What belongs to another project is not there.
  using Viewer = std::optional<Tenant>;

  // By id or unique prefix of at least 8 characters after "op-".
  absl::StatusOr<op::Operation> Get(const std::string& id, bool with_tasks, const Viewer& viewer = std::nullopt);
  // The newest first, at most `most` after the operation `after` of the same list ("": from the beginning). `wanted` is
  // shown what an Archive's card has.
  struct Listing {
    std::vector<op::Operation> operations;  // without tasks
    bool more = false;
  };
  absl::StatusOr<Listing> List(const std::function<bool(const op::Operation&)>& wanted, const std::string& after,
                               size_t most);
  absl::StatusOr<op::Operation> FindRequest(const std::string& request_id);
  // The operation that works on a group now; "" when there is none.
  std::string LiveOperationOf(const std::string& group_id);

  absl::StatusOr<op::Operation> Cancel(const op::OperationActionRequest& request, const Viewer& viewer = std::nullopt);
  absl::StatusOr<op::Operation> Pause(const op::OperationActionRequest& request, const Viewer& viewer = std::nullopt);
  absl::StatusOr<op::Operation> Resume(const op::OperationActionRequest& request, const Viewer& viewer = std::nullopt);
  absl::StatusOr<op::Operation> Retry(const op::OperationActionRequest& request, const Viewer& viewer = std::nullopt);
  absl::StatusOr<op::Operation> Skip(const op::OperationActionRequest& request, const Viewer& viewer = std::nullopt);

  // Calls back with the present state at once (from the engine's thread), then with changes.
  absl::StatusOr<int64_t> Watch(const op::WatchOperationRequest& request, Watchers::Callback callback,
                                const Viewer& viewer = std::nullopt);
  void Unwatch(int64_t id) { watchers_.Remove(id); }

  // The other site may be back, or a group's metadata has changed: look again now at what waits for that.
  void Poke();

  // One turn. True when there was something to do.
  bool Pump();
  // Until the next turn is due by the clock; infinite: only when something happens.
  absl::Duration UntilNext();
  // Turns until Stop.
  void Loop();
  void Stop();

 private:
  enum class Mode { kProbe, kAct };
  struct Event {
    std::string operation_id;
    std::vector<int> indices;
    std::vector<Verdict> verdicts;
    std::string look_group;                       // empty: the end of a work
    absl::Duration begun = absl::ZeroDuration();  // the call, by the monotonic clock
    absl::Duration ended = absl::ZeroDuration();
    absl::Duration slot_taken = absl::ZeroDuration();
    Api api = Api::kNone;
    Mode mode = Mode::kAct;
  };
  struct ReadyTask {
    std::string operation_id;
    int index;
  };
  struct Looking {  // tasks of one operation that one call looks at
    std::set<int> indices;
    absl::Duration interval;
    absl::Duration due;
    bool under_way = false;
  };
  struct Live {
    std::unique_ptr<Run> run;
    std::map<std::string, Looking> looks;
    std::set<int> held_back;  // ready, but the operation is paused
    absl::Duration published = -absl::InfiniteDuration();
    // As noted among the decisions.
    bool past_point_of_no_return = false;
    bool rolling_back = false;
  };
  struct Dispatch {
    std::string operation_id;
    int index;
    Mode mode;
    Api api;
    TaskKind::Work work;
    absl::Duration slot_taken;
  };

  // Turn.
  void Take(const Event& event);
  void TakeWork(Live& live, const Event& event);
  void TakeLook(Live& live, const Event& event);
  enum class From { kAct, kProbe, kLook };
  void Judge(Live& live, int index, const Verdict& verdict, From from);
  void NotDone(Live& live, int index, const Verdict& verdict, From from);
  void GiveUp(Live& live, int index, const Verdict& verdict);
  void TryLater(Live& live, int index, const Verdict& verdict);
  void Hold(Live& live, int index, const Verdict& verdict);
  void Supersede(Live& live, const Verdict& verdict);
  void Settled(Live& live, int index, op::State state);
  void StartWaiting(Live& live, int index);
  void StopWaiting(Live& live, int index);
  void FireTimers();
  void NoteTurnings(Live& live);
  void Idle(Live& live);
  void Schedule();
  void Prepare(Live& live, int index, Api api);
  void StartLooks();
  bool Commit();
  void Send();
  void Measure(const std::deque<Event>& events);
  void Publish();
  void PublishOne(Live& live, absl::Duration now);

  // Helpers.
  void MakeReady(Live& live, int index);
  void MakeAllReady(Live& live);
  void Wake();
  void GoOn(Live& live);
  void Touch(Live& live, int index);
  void AfterDirector(Live& live, int size_before);
  bool Forward(const Live& live, int index) const;
  absl::Duration Backoff(int tries);
  void AddProblem(Live& live, const op::TaskRecord& task, const absl::Status& status);
  absl::Status CheckRoom(const op::Operation& operation) const;
  Live* Find(const std::string& operation_id);
  absl::StatusOr<std::string> Resolve(const std::string& id_or_prefix, const Viewer& viewer);
  absl::StatusOr<op::Operation> WithLive(const op::OperationActionRequest& request, const Viewer& viewer,
                                         const std::function<absl::Status(Live&)>& change);
  void ResetTask(Live& live, int index);
  struct LeavingOut {
    std::vector<int> named;
    std::vector<int> with_them;        // what needs their success
    std::vector<std::string> refused;  // named, but nothing goes on without them
  };
  LeavingOut ToLeaveOut(const Run& run, const std::string& task_or_step) const;
  void SkipTask(Live& live, int index, const std::string& why);
  void Adopt(std::unique_ptr<Run> run);
  void ArchiveSettled();
  // How long a task has waited is kept as a time of day, so that a restart knows it. When that clock is set, the times
  // are moved along with it.
  void NoticeClockJump(absl::Duration now);
  op::Operation Shown(Live& live, bool with_tasks);
  // Ids, the newest first, of those after `after` ("": of all).
  absl::StatusOr<std::vector<std::string>> Sorted(const std::function<bool(const op::Operation&)>& wanted,
                                                  const std::string& after) const;
  absl::StatusOr<op::Operation> Archived(const op::Operation& card) const;  // without tasks; needs no lock

  const EngineOptions options_;
  Clock& clock_;
  Executor& executor_;
  Director& director_;
  log::Logger logger_;
  Journal journal_;
  Watchers watchers_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Event> events_;
  bool stopping_ = false;
  bool poked_ = false;

  std::mutex state_mutex_;  // everything below; taken before mutex_
  Limits limits_;
  std::map<std::string, Live> live_;
  Archive archive_;
  std::map<std::string, std::string> by_request_;
  std::array<std::deque<ReadyTask>, static_cast<size_t>(Api::kCount)> ready_;
  std::multimap<absl::Duration, ReadyTask> timers_;
  std::map<std::string, std::set<int>> touched_;  // tasks to write in this turn
  std::set<std::string> plans_touched_;
  std::vector<Dispatch> to_send_;
  absl::Time seen_wall_ = absl::InfinitePast();  // at the last turn
  absl::Duration seen_monotonic_ = absl::ZeroDuration();
  absl::Status store_status_;
  absl::Duration store_retry_at_ = absl::ZeroDuration();
  Journal::Turn unwritten_;
};

}  // namespace protector::orchestrator
