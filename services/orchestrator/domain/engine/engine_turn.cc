// A turn: events -> decisions -> one transaction -> calls.
#include <fmt/format.h>

#include <algorithm>

#include "libs/base/error.h"
#include "services/orchestrator/domain/engine/engine.h"
#include "services/orchestrator/domain/engine/log_lines.h"
#include "services/orchestrator/domain/engine/view.h"
#include "services/orchestrator/domain/times.h"

namespace protector::orchestrator {

bool Engine::Pump() {
  std::lock_guard lock(state_mutex_);
  const absl::Duration now = clock_.Monotonic();
  if (!store_status_.ok()) {
    if (now < store_retry_at_) return false;
    store_status_ = journal_.Write(unwritten_);
    options_.meter->Journal(store_status_.ok());
    store_retry_at_ = now + options_.backoff_min;
    if (!store_status_.ok()) return false;
    unwritten_ = Journal::Turn();
    Send();
    return true;
  }
  std::deque<Event> events;
  {
    std::lock_guard events_lock(mutex_);
    events.swap(events_);
    poked_ = false;
  }
  NoticeClockJump(now);
  for (const Event& event : events) Take(event);
  FireTimers();
  for (auto& [id, live] : live_) Idle(live);
  Schedule();
  if (!Commit()) return false;
  const bool sent = !to_send_.empty();
  Send();
  Measure(events);
  StartLooks();
  Publish();
  ArchiveSettled();
  return sent || !events.empty();
}

void Engine::NoticeClockJump(absl::Duration now) {
  constexpr absl::Duration kNoticed = absl::Seconds(1);  // less is a clock being corrected
  const absl::Time wall = clock_.Now();
  const absl::Duration jump = (wall - seen_wall_) - (now - seen_monotonic_);
  const bool first = seen_wall_ == absl::InfinitePast();
  seen_wall_ = wall;
  seen_monotonic_ = now;
  if (first || absl::AbsDuration(jump) < kNoticed) return;
  logger_.Warning("the system's clock has jumped; waits go on as if it had not", {{"by", absl::FormatDuration(jump)}});
  for (auto& [id, live] : live_) {
    for (int i = 0; i < live.run->size(); ++i) {
      if (live.run->task(i).phase() != op::WAITING || !live.run->task(i).has_waiting_since()) continue;
      const absl::Time since = FromProto(live.run->task(i).waiting_since());
      *live.run->mutable_task(i).mutable_waiting_since() = ToProto(since + jump);
      Touch(live, i);
    }
  }
}

void Engine::Measure(const std::deque<Event>& events) {
  const absl::Duration now = clock_.Monotonic();
  for (const Event& event : events) {
    if (event.look_group.empty()) options_.meter->Transition(now - event.ended);
  }
}

void Engine::Take(const Event& event) {
  limits_.End(event.api);
  Live* live = Find(event.operation_id);
  if (live == nullptr) return;
  live->run->Account(clock_.Monotonic());
  if (event.look_group.empty()) {
    TakeWork(*live, event);
  } else {
    TakeLook(*live, event);
  }
}

void Engine::TakeWork(Live& live, const Event& event) {
  const int index = event.indices.front();
  const Verdict& verdict = event.verdicts.front();
  live.run->working.erase(index);
  live.run->Spend(SpenderOf(event.api), -1);
  options_.meter->Call(event.api, clock_.Monotonic() - event.slot_taken, event.ended - event.begun);
  if (IsThrottled(verdict.status)) {
    limits_.Throttled(event.api, clock_.Monotonic());
  } else if (verdict.status.ok()) {
    limits_.Succeeded(event.api);
  }
  Judge(live, index, verdict, event.mode == Mode::kProbe ? From::kProbe : From::kAct);
}

void Engine::TakeLook(Live& live, const Event& event) {
  Looking& looking = live.looks[event.look_group];
  looking.under_way = false;
  bool moved = false;
  absl::Duration look_max = absl::Seconds(5);
  for (size_t i = 0; i < event.indices.size() && i < event.verdicts.size(); ++i) {
    const int index = event.indices[i];
    if (looking.indices.count(index) == 0) continue;
    const op::TaskRecord& task = live.run->task(index);
    look_max = director_.KindOf(task).TraitsOf(*live.run, task).look_max;
    moved = moved || event.verdicts[i].kind != Verdict::Kind::kWaiting;
    Judge(live, index, event.verdicts[i], From::kLook);
  }
  if (!moved) looking.interval = std::min(look_max, looking.interval * 1.4);
  // A look that takes long is not repeated at a rate that would keep the API busy with looks.
  looking.due = clock_.Monotonic() + std::max(looking.interval, 2 * (event.ended - event.begun));
}

void Engine::FireTimers() {
  const absl::Duration now = clock_.Monotonic();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const ReadyTask ready = timers_.begin()->second;
    timers_.erase(timers_.begin());
    if (Live* live = Find(ready.operation_id)) MakeReady(*live, ready.index);
  }
}

// What cannot be taken back, and what goes the other way from now on.
void Engine::NoteTurnings(Live& live) {
  const Run& run = *live.run;
  if (run.operation().past_point_of_no_return() && !live.past_point_of_no_return) {
    options_.decisions->Note("point of no return passed",
                             fmt::format("protection group {} belongs to {} with epoch {}",
                                         run.operation().group_name(), run.operation().target_site(), EpochNow(run)),
                             "operation " + run.id(), run.operation().request_id());
  }
  if (run.header().rolling_back() && !live.rolling_back) {
    options_.decisions->Note(
        "rolling back",
        fmt::format("protection group {} stays on {}: {}", run.operation().group_name(), run.operation().source_site(),
                    run.header().cancel_requested() ? "cancelled" : run.header().cause().cause()),
        "operation " + run.id(), run.operation().request_id());
  }
  live.past_point_of_no_return = run.operation().past_point_of_no_return();
  live.rolling_back = run.header().rolling_back();
}

void Engine::Idle(Live& live) {
  NoteTurnings(live);
  Run& run = *live.run;
  if (!run.changed || run.unsettled_main() > 0) return;
  const int size = run.size();
  const bool ended_before = Ended(run.operation().state());
  director_.OnIdle(run, clock_.Now());
  AfterDirector(live, size);
  if (Ended(run.operation().state())) {
    run.Account(clock_.Monotonic());
    run.StoreSpent();
    run.mutable_operation() = MakeView(run, director_, false);
    if (!ended_before) {
      LogEnded(logger_, run);
      options_.decisions->Note("operation ended", DescriptionOf(run), "operation " + run.id(),
                               run.operation().request_id());
    }
  }
}

void Engine::AfterDirector(Live& live, int size_before) {
  Run& run = *live.run;
  for (int i = run.rewrite_all ? 0 : size_before; i < run.size(); ++i) Touch(live, i);
  if (run.rewrite_all) {
    for (auto& [group, looking] : live.looks) {
      for (auto it = looking.indices.begin(); it != looking.indices.end();) {
        const int index = *it++;
        if (run.Settled(index)) StopWaiting(live, index);
      }
    }
  }
  for (int i = size_before; i < run.size(); ++i) {
    if (run.Ready(i)) MakeReady(live, i);
  }
  run.rewrite_all = false;
}

void Engine::MakeReady(Live& live, int index) {
  if (live.run->operation().state() == op::PAUSED) {
    live.held_back.insert(index);
    return;
  }
  const op::TaskRecord& task = live.run->task(index);
  const Api api = director_.KindOf(task).TraitsOf(*live.run, task).api;
  ready_[static_cast<size_t>(api)].push_back({live.run->id(), index});
}

void Engine::MakeAllReady(Live& live) {
  Run& run = *live.run;
  for (int i = 0; i < run.size(); ++i) {
    const op::TaskRecord& task = run.task(i);
    if (run.Ready(i) && run.working.count(i) == 0 && task.phase() != op::WAITING && !task.held()) MakeReady(live, i);
  }
}

void Engine::Schedule() {
  for (size_t i = 0; i < ready_.size(); ++i) {
    const Api api = static_cast<Api>(i);
    while (!ready_[i].empty() && limits_.HasRoom(api)) {
      const ReadyTask next = ready_[i].front();
      ready_[i].pop_front();
      if (Live* live = Find(next.operation_id)) Prepare(*live, next.index, api);
    }
  }
}

void Engine::Prepare(Live& live, int index, Api api) {
  Run& run = *live.run;
  if (run.operation().state() == op::PAUSED) {
    live.held_back.insert(index);
    return;
  }
  // Entries of the queue may be out of date: settled, held or started since.
  if (!run.Ready(index) || run.working.count(index) > 0) return;
  op::TaskRecord& record = run.mutable_task(index);
  if (record.phase() == op::WAITING || record.held()) return;
  const TaskKind& kind = director_.KindOf(record);
  op::Task& task = *record.mutable_task();
  if (!task.has_start_time()) *task.mutable_start_time() = ToProto(clock_.Now());
  task.set_state(op::RUNNING);
  Dispatch dispatch{run.id(), index, Mode::kAct, api, {}, clock_.Monotonic()};
  if (record.phase() == op::ACTING) {
    dispatch.mode = Mode::kProbe;
    dispatch.work = kind.Probe(run, record);
  } else {
    task.set_attempts(task.attempts() + 1);
    task.set_outcome(op::OUTCOME_UNSPECIFIED);
    if (kind.TraitsOf(run, record).changes) {
      record.set_phase(op::ACTING);
      op::Intent& intent = *record.mutable_intent();
      intent.Clear();
      intent.set_attempt(task.attempts());
      intent.set_epoch(EpochNow(run));
      *intent.mutable_time() = ToProto(clock_.Now());
      kind.FillIntent(run, record, intent);
      director_.OnIntent(run, index);
      Touch(live, index);
    }
    dispatch.work = kind.Act(run, record);
  }
  limits_.Begin(api);
  run.Account(clock_.Monotonic());
  run.Spend(SpenderOf(api), 1);
  run.working.insert(index);
  run.changed = true;
  to_send_.push_back(std::move(dispatch));
}

bool Engine::Commit() {
  Journal::Turn turn;
  for (auto& [id, live] : live_) {
    Run& run = *live.run;
    if (const auto touched = touched_.find(id); touched != touched_.end()) {
      for (int index : touched->second) turn.Task(run, index);
    }
    if (plans_touched_.count(id) > 0) turn.Plan(run);
    if (run.header_changed) {
      run.Account(clock_.Monotonic());
      run.StoreSpent();
      turn.Header(run);
      run.header_changed = false;
    }
  }
  touched_.clear();
  plans_touched_.clear();
  if (turn.empty()) return true;
  store_status_ = journal_.Write(turn);
  options_.meter->Journal(store_status_.ok());
  if (store_status_.ok()) return true;
  logger_.Error("the journal cannot be written; operations stand still until it can", store_status_);
  unwritten_ = std::move(turn);
  store_retry_at_ = clock_.Monotonic() + options_.backoff_min;
  return false;
}

void Engine::Send() {
  std::vector<Dispatch> sending;
  sending.swap(to_send_);
  for (Dispatch& dispatch : sending) {
    executor_.Submit([this, dispatch = std::move(dispatch)] {
      Event event;
      event.operation_id = dispatch.operation_id;
      event.indices = {dispatch.index};
      event.begun = clock_.Monotonic();
      event.verdicts = {dispatch.work()};
      event.ended = clock_.Monotonic();
      event.slot_taken = dispatch.slot_taken;
      event.api = dispatch.api;
      event.mode = dispatch.mode;
      std::lock_guard lock(mutex_);
      events_.push_back(std::move(event));
      wake_.notify_all();
    });
  }
}

void Engine::StartLooks() {
  const absl::Duration now = clock_.Monotonic();
  for (auto& [id, live] : live_) {
    for (auto& [group, looking] : live.looks) {
      if (looking.indices.empty() || looking.under_way || looking.due > now) continue;
      looking.under_way = true;
      std::vector<const op::TaskRecord*> tasks;
      std::vector<int> indices(looking.indices.begin(), looking.indices.end());
      for (int index : indices) tasks.push_back(&live.run->task(index));
      limits_.Begin(Api::kNone);
      executor_.Submit([this, id = id, group = group, indices = std::move(indices),
                        look = director_.KindOf(*tasks.front()).Look(*live.run, tasks)] {
        Event event;
        event.begun = clock_.Monotonic();
        event.operation_id = id;
        event.indices = indices;
        event.verdicts = look();
        event.look_group = group;
        event.ended = clock_.Monotonic();
        std::lock_guard lock(mutex_);
        events_.push_back(std::move(event));
        wake_.notify_all();
      });
    }
  }
}

void Engine::Publish() {
  const absl::Duration now = clock_.Monotonic();
  for (auto& [id, live] : live_) {
    if (live.run->changed) PublishOne(live, now);
  }
}

void Engine::PublishOne(Live& live, absl::Duration now) {
  Run& run = *live.run;
  const bool ended = Ended(run.operation().state());
  if (!ended && now - live.published < options_.publish_interval) return;
  live.published = now;
  run.changed = false;
  run.mutable_operation().set_revision(std::max(run.operation().revision() + 1, absl::ToUnixMillis(clock_.Now())));
  const Watchers::Wanted wanted = watchers_.For(run.id());
  if (!wanted.any) return;
  const op::Operation plain = Shown(live, false);
  const op::Operation full = wanted.with_tasks ? Shown(live, true) : op::Operation();
  const bool clean = ended && run.unsettled_deferred() == 0 && run.unsettled_main() == 0;
  watchers_.Publish(plain, wanted.with_tasks ? &full : nullptr, ended, clean);
}

void Engine::ArchiveSettled() {
  for (auto it = live_.begin(); it != live_.end();) {
    Run& run = *it->second.run;
    if (!run.header().settled() || !run.working.empty() || run.changed || run.header_changed) {
      ++it;
      continue;
    }
    archive_.Add(run.header());
    it = live_.erase(it);
  }
}

absl::Duration Engine::UntilNext() {
  std::lock_guard lock(state_mutex_);
  const absl::Duration now = clock_.Monotonic();
  if (!store_status_.ok()) return std::max(absl::ZeroDuration(), store_retry_at_ - now);
  absl::Duration next = absl::InfiniteDuration();
  if (!timers_.empty()) next = timers_.begin()->first - now;
  for (size_t i = 0; i < ready_.size(); ++i) {
    if (!ready_[i].empty() && limits_.HasRoom(static_cast<Api>(i))) next = absl::ZeroDuration();
  }
  for (const auto& [id, live] : live_) {
    if (live.run->changed) next = std::min(next, live.published + options_.publish_interval - now);
    for (const auto& [group, looking] : live.looks) {
      if (!looking.indices.empty() && !looking.under_way) next = std::min(next, looking.due - now);
    }
  }
  return std::max(next, absl::ZeroDuration());
}

void Engine::Wake() {
  std::lock_guard lock(mutex_);
  poked_ = true;
  wake_.notify_all();
}

void Engine::Loop() {
  while (true) {
    Pump();
    const absl::Duration wait = std::min(UntilNext(), absl::Duration(absl::Seconds(10)));
    std::unique_lock lock(mutex_);
    if (stopping_) return;
    if (wait <= absl::ZeroDuration()) continue;
    wake_.wait_for(lock, absl::ToChronoMicroseconds(wait + absl::Microseconds(1)),
                   [this] { return stopping_ || poked_ || !events_.empty(); });
    if (stopping_) return;
  }
}

void Engine::Stop() {
  std::lock_guard lock(mutex_);
  stopping_ = true;
  wake_.notify_all();
}

}  // namespace protector::orchestrator
