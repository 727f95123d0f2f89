// Servers, ports and volumes that are there already, through the orchestrator of the site that has them. Every call is
// idempotent by contract (proto/protector/peer/v1): a repeat finds the object stopped, started, locked or gone.
#include <fmt/format.h>

#include <map>

#include "services/orchestrator/domain/operations/basic_kind.h"
#include "services/orchestrator/domain/times.h"

namespace protector::orchestrator {
namespace {

// How long after its acceptance a stop or a deletion may take to show in the server's task state.
constexpr absl::Duration kTakesHold = absl::Seconds(3);

constexpr char kOnceMore[] = "once-more";

// Of a change that was accepted and then given up. What was in its way has often passed (a busy array, say), so it is
// asked for once more before a human is.
Verdict GivenUp(const op::TaskRecord& task, absl::Status failure) {
  return task.variant() == kOnceMore ? Verdict::Failed(std::move(failure)) : Verdict::Again(kOnceMore);
}

std::string ServerOn(const Run& run, const op::TaskRecord& task, const std::string& site) {
  if (!task.target_id().empty()) return task.target_id();
  const groups::Placement* placement = FindPlacement(run.document().members(task.member()), site);
  return placement == nullptr ? "" : placement->server_id();
}

// Where a cleaning task's site is the target itself (what an earlier move left there), the epoch is the present one.
Names NamesFor(const Run& run, const op::TaskRecord& task) {
  Names names = NamesOf(run);
  names.source = task.task().site().empty() ? names.source : task.task().site();
  return names;
}

using Change = absl::StatusOr<peer::ChangeResponse> (SourceCloudPort::*)(const Call&, const peer::ServerRequest&);

TaskKind::Work ChangeServer(const OperationContext& context, const Run& run, const op::TaskRecord& task,
                            const Call& call, Change change, const std::string& reason, bool wait) {
  peer::ServerRequest request;
  const Names names = NamesFor(run, task);
  *request.mutable_authority() = AuthorityOf(names);
  request.set_server_id(ServerOn(run, task, names.source));
  request.set_reason(reason);
  return [&context, call, request, change, wait, site_name = names.source]() -> Verdict {
    if (request.server_id().empty()) return Verdict::Done();
    const auto site = context.ports.For(site_name);
    if (!site.ok()) return Verdict::OfChange(site.status());
    const auto changed = (site->cloud->*change)(call, request);
    if (!changed.ok()) return Verdict::OfChange(changed.status());
    return wait ? Verdict::Accepted() : Verdict::Done();
  };
}

// Looks at the servers of many tasks with one call.
template <typename Judge>
TaskKind::Looks LookAtServers(const OperationContext& context, const Run& run,
                              const std::vector<const op::TaskRecord*>& tasks, const Call& call, Judge judge) {
  peer::DescribeResourcesRequest request;
  request.set_group_id(run.operation().group_id());
  const std::string site_name = NamesFor(run, *tasks.front()).source;
  struct Asked {
    std::string server;
    op::TaskRecord task;
  };
  std::vector<Asked> asked;
  for (const op::TaskRecord* task : tasks) {
    asked.push_back({ServerOn(run, *task, site_name), *task});
    request.add_server_ids(asked.back().server);
  }
  return [&context, call, request, site_name, asked = std::move(asked), judge] {
    std::vector<Verdict> verdicts;
    const auto site = context.ports.For(site_name);
    const auto states = site.ok() ? site->cloud->DescribeResources(call, request)
                                  : absl::StatusOr<peer::DescribeResourcesResponse>(site.status());
    std::map<std::string, const peer::ResourceState*> by_id;
    if (states.ok()) {
      for (const peer::ResourceState& state : states->servers()) by_id[state.id()] = &state;
    }
    for (const Asked& one : asked) {
      if (!states.ok()) {
        verdicts.push_back(Verdict::NotDone(states.status()));
        continue;
      }
      const auto found = by_id.find(one.server);
      const bool exists = found != by_id.end() && found->second->exists();
      verdicts.push_back(judge(exists ? found->second : nullptr, one.task));
    }
    return verdicts;
  };
}

absl::Status ServerGone(const op::TaskRecord& task) {
  return Error(absl::StatusCode::kNotFound, "SERVER_NOT_FOUND",
               fmt::format("the server of {} is not there any more", task.task().object()))
      .Object(task.task().object())
      .Remedy("Find out who deleted it; remove the member from the group if that was meant.");
}

class StopServer final : public BasicKind {
 public:
  explicit StopServer(const OperationContext& context)
      : BasicKind(context, {.api = Api::kPeer, .on_failure = OnFailure::kOperation, .look_group = "stopping"}) {}

  Traits TraitsOf(const Run& run, const op::TaskRecord& task) const override {
    Traits traits = BasicKind::TraitsOf(run, task);
    traits.wait_limit = absl::Seconds(run.document().policy().stop_timeout()) + context_.timeouts.hard_stop;
    return traits;
  }
  // A rollback starts only what ran before.
  void FillIntent(const Run& run, const op::TaskRecord& task, op::Intent& intent) const override {
    intent.set_before(run.document().members(task.member()).server().running() ? "ACTIVE" : "SHUTOFF");
  }
  Work Act(const Run& run, const op::TaskRecord& task) const override {
    peer::StopServerRequest request;
    const Names names = NamesOf(run);
    *request.mutable_authority() = AuthorityOf(names);
    request.set_server_id(ServerOn(run, task, names.source));
    request.set_hard(task.variant() == "hard" || run.document().policy().stop_timeout() <= 0);
    return [this, call = CallOf(run, task), request, names]() -> Verdict {
      const auto site = context_.ports.For(names.source);
      if (!site.ok()) return Verdict::OfChange(site.status());
      const auto stopped = site->cloud->StopServer(call, request);
      return stopped.ok() ? Verdict::Accepted() : Verdict::OfChange(stopped.status());
    };
  }
  Looks Look(const Run& run, const std::vector<const op::TaskRecord*>& tasks) const override {
    const absl::Duration timeout = absl::Seconds(run.document().policy().stop_timeout());
    return LookAtServers(
        context_, run, tasks, CallOf(run, *tasks.front()),
        [this, timeout](const peer::ResourceState* state, const op::TaskRecord& task) -> Verdict {
          if (state == nullptr) return Verdict::Failed(ServerGone(task));
          if (state->status() == "SHUTOFF" && state->task_state().empty()) return Verdict::Done();
          const absl::Duration waited = context_.clock.Now() - FromProto(task.waiting_since());
          // A stop that Nova took and gave up leaves the server as it was: without a task state.
          const bool given_up = state->status() == "ACTIVE" && state->task_state().empty() && waited > kTakesHold;
          if (task.variant() != "hard" && (given_up || waited > timeout)) return Verdict::Again("hard");
          if (given_up || state->status() == "ERROR") {
            return Verdict::Failed(
                Error(absl::StatusCode::kInternal, "SERVER_NOT_STOPPED",
                      fmt::format("Nova accepted the stop of {}, but the server is {}{}{}", task.task().object(),
                                  state->status(), state->fault().empty() ? "" : ": ", state->fault()))
                    .Object(task.task().object())
                    .Remedy("Look at the server in Nova and stop it by hand if need be, then start again."));
          }
          return Verdict::Waiting(-1, state->status());
        });
  }
};

class StartServer final : public BasicKind {
 public:
  explicit StartServer(const OperationContext& context)
      : BasicKind(context, {.api = Api::kPeer,
                            .on_failure = OnFailure::kOperation,
                            .look_group = "starting",
                            .leave_out = LeaveOut::kAlone}) {}  // a rollback ends without a member that cannot start
  Traits TraitsOf(const Run& run, const op::TaskRecord& task) const override {
    Traits traits = BasicKind::TraitsOf(run, task);
    traits.wait_limit = context_.timeouts.boot;
    return traits;
  }
  Work Act(const Run& run, const op::TaskRecord& task) const override {
    return ChangeServer(context_, run, task, CallOf(run, task), &SourceCloudPort::StartServer, "", true);
  }
  Looks Look(const Run& run, const std::vector<const op::TaskRecord*>& tasks) const override {
    return LookAtServers(context_, run, tasks, CallOf(run, *tasks.front()),
                         [](const peer::ResourceState* state, const op::TaskRecord& task) -> Verdict {
                           if (state == nullptr) return Verdict::Failed(ServerGone(task));
                           // A stop that was under way when the rollback began may have come through after the start.
                           if (state->status() == "SHUTOFF" && state->task_state().empty()) return Verdict::Again("");
                           if (state->status() == "ERROR") {
                             return Verdict::Failed(Error(absl::StatusCode::kInternal, "SERVER_ERROR", state->fault())
                                                        .Object(task.task().object())
                                                        .Remedy("Look at the server in Nova, then retry the task."));
                           }
                           // A guest that is still asked to shut down is ACTIVE for as long as it takes.
                           const bool up = state->status() == "ACTIVE" && state->task_state().empty();
                           return up ? Verdict::Done() : Verdict::Waiting(-1, state->status());
                         });
  }
};

class DeleteServer final : public BasicKind {
 public:
  explicit DeleteServer(const OperationContext& context)
      : BasicKind(context, {.api = Api::kPeer, .look_group = "deleting"}) {}
  Traits TraitsOf(const Run& run, const op::TaskRecord& task) const override {
    Traits traits = BasicKind::TraitsOf(run, task);
    traits.on_failure = run.operation().type() == op::UNPLANNED_FAILOVER && !task.deferred() ? OnFailure::kTolerated
                        : task.task().step() == "validate_sites"                             ? OnFailure::kOperation
                                                                                             : OnFailure::kCleanup;
    traits.look_group = "deleting/" + task.task().site();
    traits.wait_limit = context_.timeouts.boot;
    return traits;
  }
  Work Act(const Run& run, const op::TaskRecord& task) const override {
    const std::string server = TaskId("recreate_vms", "create-server", task.label());
    if (task.task().step() == "cleanup_source" && run.StateOf(server) == op::SKIPPED) {
      return [] {
        return Verdict::Failed(Error(absl::StatusCode::kFailedPrecondition, "MEMBER_SKIPPED",
                                     "the member was left out, so its server on the source is kept")
                                   .Remedy("Skip this task as well when the old server is not needed."));
      };
    }
    return ChangeServer(context_, run, task, CallOf(run, task), &SourceCloudPort::DeleteServer, "", true);
  }
  Looks Look(const Run& run, const std::vector<const op::TaskRecord*>& tasks) const override {
    return LookAtServers(
        context_, run, tasks, CallOf(run, *tasks.front()),
        [this](const peer::ResourceState* state, const op::TaskRecord& task) -> Verdict {
          if (state == nullptr) return Verdict::Done();
          // Nova says "deleting" from the acceptance on. A deletion that it gave up leaves the server in ERROR, or as
          // whoever came by since has left it (a quarantine stops and locks it): with nothing under way.
          const bool idle = state->task_state().empty();
          const absl::Duration waited = context_.clock.Now() - FromProto(task.waiting_since());
          if (idle && (state->status() == "ERROR" || waited > kTakesHold)) {
            return GivenUp(task, Error(absl::StatusCode::kInternal, "SERVER_NOT_DELETED",
                                       fmt::format("Nova accepted the deletion of the server of {}, but it is {}{}{}",
                                                   task.task().object(), state->status(),
                                                   state->fault().empty() ? "" : ": ", state->fault()))
                                     .Object(task.task().object())
                                     .Remedy("Look at the server in Nova, then retry the task."));
          }
          return Verdict::Waiting(-1, state->status());
        });
  }
};

// Ports and volumes of what was left behind.
class Release final : public BasicKind {
 public:
  Release(const OperationContext& context, bool port)
      : BasicKind(context, {.api = Api::kPeer, .max_tries = 12}), port_(port) {}
  Looks Look(const Run& run, const std::vector<const op::TaskRecord*>& tasks) const override {
    peer::DescribeResourcesRequest request;
    request.set_group_id(run.operation().group_id());
    std::vector<op::TaskRecord> judged;
    for (const op::TaskRecord* task : tasks) {
      request.add_volume_ids(task->target_id());
      judged.push_back(*task);
    }
    const std::string site_name = NamesFor(run, *tasks.front()).source;
    return [this, call = CallOf(run, *tasks.front()), request, judged = std::move(judged), site_name] {
      const auto site = context_.ports.For(site_name);
      const auto states = site.ok() ? site->cloud->DescribeResources(call, request)
                                    : absl::StatusOr<peer::DescribeResourcesResponse>(site.status());
      std::map<std::string, peer::ResourceState> by_id;
      if (states.ok()) {
        for (const peer::ResourceState& state : states->volumes()) by_id[state.id()] = state;
      }
      std::vector<Verdict> verdicts;
      for (size_t i = 0; i < judged.size(); ++i) {
        const std::string& object = judged[i].task().object();
        const peer::ResourceState& state = by_id[request.volume_ids(static_cast<int>(i))];
        if (!states.ok()) {
          verdicts.push_back(Verdict::NotDone(states.status()));
        } else if (!state.exists()) {
          verdicts.push_back(Verdict::Done());
        } else if (state.status().rfind("ERROR", 0) == 0) {
          verdicts.push_back(GivenUp(
              judged[i],
              Error(absl::StatusCode::kInternal, "UNMANAGE_FAILED",
                    fmt::format("Cinder could not release the volume of {} (status {})", object, state.status()))
                  .Object(fmt::format("{} (volume {})", object, state.id()))
                  .Remedy("Cinder's volume log on that site says why; then retry the task.")
                  .Site(site_name)));
        } else {
          verdicts.push_back(Verdict::Waiting(-1, state.status()));
        }
      }
      return verdicts;
    };
  }
  Traits TraitsOf(const Run& run, const op::TaskRecord& task) const override {
    Traits traits = BasicKind::TraitsOf(run, task);
    traits.on_failure = run.operation().type() == op::UNPLANNED_FAILOVER && !task.deferred() ? OnFailure::kTolerated
                        : task.task().step() == "validate_sites"                             ? OnFailure::kOperation
                                                                                             : OnFailure::kCleanup;
    traits.look_group = "releasing/" + task.task().site();
    traits.wait_limit = context_.timeouts.boot;
    return traits;
  }
  Work Act(const Run& run, const op::TaskRecord& task) const override {
    const Names names = NamesFor(run, task);
    return [this, call = CallOf(run, task), names, id = task.target_id(), object = task.task().object()]() -> Verdict {
      const auto site = context_.ports.For(names.source);
      if (!site.ok()) return Verdict::OfChange(site.status());
      if (port_) {
        peer::PortRequest request;
        *request.mutable_authority() = AuthorityOf(names);
        request.set_port_id(id);
        const auto deleted = site->cloud->DeletePort(call, request);
        return deleted.ok() ? Verdict::Done() : Verdict::OfChange(deleted.status());
      }
      // Cinder refuses a volume that is still attached; its server's end takes a moment to reach it.
      peer::DescribeResourcesRequest ask;
      ask.set_group_id(names.group_id);
      ask.add_volume_ids(id);
      const auto states = site->cloud->DescribeResources(call, ask);
      if (!states.ok()) return Verdict::NotDone(states.status());
      const std::string status =
          states->volumes_size() > 0 && states->volumes(0).exists() ? states->volumes(0).status() : "";
      if (status == "IN-USE" || status == "DETACHING") {
        return Verdict::NotDone(Error(absl::StatusCode::kUnavailable, "VOLUME_ATTACHED",
                                      fmt::format("the volume of {} is still {}", object, status))
                                    .Object(object)
                                    .Remedy("Detach it, then retry the task."));
      }
      peer::VolumeRequest request;
      *request.mutable_authority() = AuthorityOf(names);
      request.set_volume_id(id);
      const auto unmanaged = site->cloud->UnmanageVolume(call, request);
      return unmanaged.ok() ? Verdict::Accepted() : Verdict::OfChange(unmanaged.status());
    };
  }

 private:
  const bool port_;
};

// Nobody started a member between its stop and the end of the final transfer: what it wrote would be lost.
TaskKind::Work ConfirmStopped(const OperationContext& context, const Run& run, const op::TaskRecord&,
                              const Call& call) {
  peer::DescribeResourcesRequest request;
  const Names names = NamesOf(run);
  request.set_group_id(names.group_id);
  std::map<std::string, std::string> members;
  for (const groups::Member& member : run.document().members()) {
    const groups::Placement* placement = FindPlacement(member, names.source);
    if (placement == nullptr || placement->server_id().empty()) continue;
    request.add_server_ids(placement->server_id());
    members[placement->server_id()] = member.server().name();
  }
  return [&context, call, request, names, members]() -> Verdict {
    const auto site = context.ports.For(names.source);
    if (!site.ok()) return Verdict::OfQuestion(site.status());
    const auto states = site->cloud->DescribeResources(call, request);
    if (!states.ok()) return Verdict::OfQuestion(states.status());
    for (const peer::ResourceState& state : states->servers()) {
      if (!state.exists() || state.status() == "SHUTOFF") continue;
      const auto member = members.find(state.id());
      const std::string name = member == members.end() ? state.id() : member->second;
      return Verdict::Failed(Error(absl::StatusCode::kAborted, "MEMBER_RUNNING",
                                   fmt::format("member {} is {} although it was stopped", name, state.status()))
                                 .Object("member " + name)
                                 .Remedy("Find out who started it, then start the operation again.")
                                 .Site(names.source));
    }
    return Verdict::Done();
  };
}

// Unplanned, and the source answers all the same: power off, then lock.
TaskKind::Work IsolateServer(const OperationContext& context, const Run& run, const op::TaskRecord& task,
                             const Call& base) {
  Call call = base;
  call.timeout = context.timeouts.lost_site;
  const Names names = NamesOf(run);
  return [&context, call, names, server = ServerOn(run, task, names.source)]() -> Verdict {
    if (server.empty()) return Verdict::Done();
    const auto site = context.ports.For(names.source);
    if (!site.ok()) return Verdict::OfChange(site.status());
    peer::StopServerRequest stop;
    *stop.mutable_authority() = AuthorityOf(names);
    stop.set_server_id(server);
    stop.set_hard(true);
    const auto stopped = site->cloud->StopServer(call, stop);
    if (!stopped.ok()) return Verdict::OfChange(stopped.status());
    peer::ServerRequest lock;
    *lock.mutable_authority() = AuthorityOf(names);
    lock.set_server_id(server);
    lock.set_reason("moved to " + names.target + " by " + names.operation);
    const auto locked = site->cloud->LockServer(call, lock);
    return locked.ok() ? Verdict::Done() : Verdict::OfChange(locked.status());
  };
}

// Pending work begins when the source is back, has confirmed the new epoch, and nobody else has taken the group.
TaskKind::Work LookForPeer(const OperationContext& context, const Run& run, const op::TaskRecord&, const Call& base) {
  Call call = base;
  call.timeout = context.timeouts.lost_site;
  return [&context, call, names = NamesOf(run), epoch = run.operation().epoch() + 1]() -> Verdict {
    const auto here = context.ports.For(names.target);
    if (!here.ok()) return Verdict::NotDone(here.status());
    metadata::GetDocumentRequest ask;
    ask.set_group_id(names.group_id);
    const auto head = here->metadata->GetDocument(call, ask);
    if (!head.ok()) return Verdict::NotDone(head.status());
    const groups::GroupDocument& document = head->document();
    const bool held = !document.active_operation_id().empty() && document.active_operation_id() != names.operation;
    if (document.epoch() > epoch || document.deleted()) return Verdict::Superseded("a later operation has taken over");
    if (held) return Verdict::Waiting(-1, "operation " + document.active_operation_id() + " has the group");
    const auto there = context.ports.For(names.source);
    if (!there.ok()) return Verdict::Waiting(-1, "waiting for " + names.source + " to return");
    peer::GetStandingRequest request;
    request.set_group_id(names.group_id);
    const auto standing = there->cloud->GetStanding(call, request);
    if (!standing.ok()) return Verdict::Waiting(-1, "waiting for " + names.source + " to return");
    if (standing->epoch() < epoch) {
      return Verdict::Waiting(-1, names.source + " is back and is being put into quarantine");
    }
    return Verdict::Done();
  };
}

}  // namespace

void AddSourceKinds(const OperationContext& context, Kinds& kinds) {
  kinds.Add("stop-server", std::make_unique<StopServer>(context));
  kinds.Add("start-server", std::make_unique<StartServer>(context));
  kinds.Add("delete-server", std::make_unique<DeleteServer>(context));
  kinds.Add("delete-port", std::make_unique<Release>(context, true));
  kinds.Add("unmanage-volume", std::make_unique<Release>(context, false));
  kinds.Add(
      "confirm-stopped",
      std::make_unique<SimpleKind>(
          context, Traits{.api = Api::kPeer, .changes = false, .on_failure = OnFailure::kOperation}, ConfirmStopped));
  const Traits tolerated{.api = Api::kPeer, .on_failure = OnFailure::kTolerated, .max_tries = 2};
  kinds.Add("lock-server",
            std::make_unique<SimpleKind>(
                context, tolerated, [](const auto& c, const auto& run, const auto& task, const auto& call) {
                  return ChangeServer(c, run, task, call, &SourceCloudPort::LockServer,
                                      fmt::format("moved to {} by {}", run.operation().target_site(), run.id()), false);
                }));
  kinds.Add("isolate-server", std::make_unique<SimpleKind>(context, tolerated, IsolateServer));
  Traits await{.api = Api::kPeer,
               .changes = false,
               .on_failure = OnFailure::kCleanup,
               .look_group = "await-peer",
               .look_min = absl::Milliseconds(500),
               .look_max = absl::Seconds(10),
               .patient = true};
  kinds.Add("await-peer",
            std::make_unique<WatchedKind>(
                context, await,
                [](const auto&, const auto&, const auto&, const auto&) { return [] { return Verdict::Accepted(); }; },
                LookForPeer));
}

}  // namespace protector::orchestrator
