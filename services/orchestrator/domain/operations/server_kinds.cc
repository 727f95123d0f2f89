// Ports and servers on the target. Both carry their mark from their first moment; a lost answer is answered by looking
// for it.
#include <fmt/format.h>

#include "services/orchestrator/domain/operations/basic_kind.h"

namespace protector::orchestrator {
namespace {

std::string OutputOf(const op::TaskRecord& task, const std::string& key) {
  const auto found = task.outputs().find(key);
  return found == task.outputs().end() ? "" : found->second;
}

op::MemberPlan PlanOf(const Run& run, const op::TaskRecord& task) {
  return task.member() < run.plan()->members_size() ? run.plan()->members(task.member()) : op::MemberPlan();
}

Verdict Twice(size_t count, const std::string& mark, const std::string& object) {
  return Verdict::Contradiction(fmt::format("{} objects carry the mark {}", count, mark), object,
                                "Delete all of them but one, then resume.");
}

class CreatePortKind final : public BasicKind {
 public:
  explicit CreatePortKind(const OperationContext& context) : BasicKind(context, {.api = Api::kNeutron}) {}

  void FillIntent(const Run& run, const op::TaskRecord& task, op::Intent& intent) const override {
    intent.set_mark(MarkOf(run, "port", task.member_id(), task.index()));
  }
  Work Probe(const Run& run, const op::TaskRecord& task) const override {
    return [this, call = CallOf(run, task), names = NamesOf(run), mark = task.intent().mark(),
            object = task.task().object()]() -> Verdict {
      const auto found = context_.target.FindPorts(call, names.project, {mark});
      if (!found.ok()) return Verdict::OfQuestion(found.status());
      if (found->empty()) return Verdict::NotDone();
      if (found->size() > 1) return Twice(found->size(), mark, object);
      return Verdict::Done({{"port_id", found->front().id}});
    };
  }
  Work Act(const Run& run, const op::TaskRecord& task) const override {
    CreatePort request;
    request.project_id = NamesOf(run).project;
    request.mark = task.intent().mark();
    const groups::ServerSpec& server = run.document().members(task.member()).server();
    if (task.index() < server.ports_size()) request.captured = server.ports(task.index());
    const op::MemberPlan plan = PlanOf(run, task);
    if (task.index() < plan.ports_size()) request.plan = plan.ports(task.index());
    return [this, call = CallOf(run, task), request]() -> Verdict {
      const auto created = context_.target.Create(call, request);
      return created.ok() ? Verdict::Done({{"port_id", created->id}}) : Verdict::OfChange(created.status());
    };
  }
};

class CreateServerKind final : public BasicKind {
 public:
  explicit CreateServerKind(const OperationContext& context)
      : BasicKind(context, {.api = Api::kNova, .look_group = "booting", .wait_limit = context.timeouts.boot}) {}

  void FillIntent(const Run& run, const op::TaskRecord& task, op::Intent& intent) const override {
    intent.set_mark(MarkOf(run, "server", task.member_id(), 0));
  }
  Work Probe(const Run& run, const op::TaskRecord& task) const override {
    FindServer wanted;
    wanted.mark = task.intent().mark();
    wanted.name = run.document().members(task.member()).server().name();
    wanted.port_ids = PortsOf(run, task);
    return [this, call = CallOf(run, task), names = NamesOf(run), wanted, failed = OutputOf(task, "failed_server"),
            object = task.task().object()]() -> Verdict {
      const auto found = context_.target.FindServers(call, names.project, {wanted});
      if (!found.ok()) return Verdict::OfQuestion(found.status());
      std::vector<CloudObject> ours;
      for (const CloudObject& server : *found) {
        if (server.id != failed) ours.push_back(server);  // one that is being replaced may still be listed
      }
      if (ours.empty()) return Verdict::NotDone();
      if (ours.size() > 1) return Twice(ours.size(), wanted.mark, object);
      return Verdict::Accepted({{"server_id", ours.front().id}});
    };
  }
  Work Act(const Run& run, const op::TaskRecord& task) const override {
    CreateServer request;
    const groups::Member& member = run.document().members(task.member());
    request.project_id = NamesOf(run).project;
    request.mark = task.intent().mark();
    request.group_id = run.operation().group_id();
    request.member_id = member.id();
    request.captured = member.server();
    request.plan = PlanOf(run, task);
    request.port_ids = PortsOf(run, task);
    for (const groups::VolumeSpec& spec : member.server().volumes()) {
      const std::string import =
          TaskId("storage_failover", "import-volume", fmt::format("{}.{}", task.label(), spec.index()));
      request.volume_ids.push_back(run.Output(import, "volume_id"));
    }
    return [this, call = CallOf(run, task), request, failed = OutputOf(task, "failed_server")]() -> Verdict {
      if (!failed.empty()) {
        // The one that failed lets go of the ports and volumes first.
        const absl::Status deleted = context_.target.DeleteServer(call, failed);
        if (!deleted.ok()) return Verdict::OfQuestion(deleted);
        const auto still = context_.target.DescribeServers(call, {failed});
        if (!still.ok()) return Verdict::OfQuestion(still.status());
        if (!still->empty()) {
          return Verdict::NotDone(Error(absl::StatusCode::kUnavailable, "SERVER_DELETING",
                                        fmt::format("server {} that failed is still being deleted", failed))
                                      .Object("server " + failed)
                                      .Remedy("Wait for Nova to delete it, then retry the task."));
        }
      }
      const auto created = context_.target.Create(call, request);
      if (!created.ok()) return Verdict::OfChange(created.status());
      return Verdict::Accepted({{"server_id", *created}, {"failed_server", ""}});
    };
  }
  Looks Look(const Run& run, const std::vector<const op::TaskRecord*>& tasks) const override {
    std::vector<std::string> ids;
    std::vector<std::string> objects;
    for (const op::TaskRecord* task : tasks) {
      ids.push_back(OutputOf(*task, "server_id"));
      objects.push_back(task->task().object());
    }
    return [this, call = CallOf(run, *tasks.front()), ids, objects, site = NamesOf(run).target] {
      const auto found = context_.target.DescribeServers(call, ids);
      std::map<std::string, const CloudObject*> by_id;
      if (found.ok()) {
        for (const CloudObject& server : *found) by_id[server.id] = &server;
      }
      std::vector<Verdict> verdicts;
      for (size_t i = 0; i < ids.size(); ++i) {
        verdicts.push_back(found.ok() ? JudgeServer(by_id[ids[i]], ids[i], objects[i], site)
                                      : Verdict::NotDone(found.status()));
      }
      return verdicts;
    };
  }

 private:
  static std::vector<std::string> PortsOf(const Run& run, const op::TaskRecord& task) {
    std::vector<std::string> ports;
    const int count = run.document().members(task.member()).server().ports_size();
    for (int p = 0; p < count; ++p) {
      ports.push_back(
          run.Output(TaskId("recreate_vms", "create-port", fmt::format("{}.{}", task.label(), p)), "port_id"));
    }
    return ports;
  }
  static Verdict JudgeServer(const CloudObject* server, const std::string& id, const std::string& object,
                             const std::string& site) {
    if (server != nullptr && server->status == "ACTIVE") {
      std::string addresses;
      for (const std::string& address : server->addresses) addresses += (addresses.empty() ? "" : ",") + address;
      return Verdict::Done({{"status", "ACTIVE"}, {"addresses", addresses}});
    }
    if (server != nullptr && server->status != "ERROR") return Verdict::Waiting(-1, server->status);
    const std::string fault = server == nullptr       ? "the server vanished while it was being built"
                              : server->fault.empty() ? "the server is in status ERROR"
                                                      : "the server is in status ERROR: " + server->fault;
    Verdict verdict =
        Verdict::Failed(Error(absl::StatusCode::kInternal, "SERVER_ERROR", fault)
                            .Object(fmt::format("{} (server {})", object, id))
                            .Remedy("See openstack server show on the target; mend what it says (flavor, network, "
                                    "capacity), then retry the task: the failed server is replaced.")
                            .Site(site));
    verdict.outputs = {{"status", server == nullptr ? "" : "ERROR"}, {"failed_server", server == nullptr ? "" : id}};
    return verdict;
  }
};

// As it was captured: stopped by its owner, locked by its owner. Idempotent.
TaskKind::Work FinishServer(const OperationContext& context, const Run& run, const op::TaskRecord& task,
                            const Call& call) {
  const groups::ServerSpec& server = run.document().members(task.member()).server();
  return [&context, call, stop = !server.running(), lock = server.locked(),
          id = run.Output(TaskId("recreate_vms", "create-server", task.label()), "server_id")]() -> Verdict {
    if (stop) {
      const absl::Status stopped = context.target.StopServer(call, id);
      if (!stopped.ok()) return Verdict::OfChange(stopped);
    }
    if (lock) {
      const absl::Status locked = context.target.LockServer(call, id, "");
      if (!locked.ok()) return Verdict::OfChange(locked);
    }
    return Verdict::Done();
  };
}

}  // namespace

void AddServerKinds(const OperationContext& context, Kinds& kinds) {
  kinds.Add("create-port", std::make_unique<CreatePortKind>(context));
  kinds.Add("create-server", std::make_unique<CreateServerKind>(context));
  kinds.Add("finish-server", std::make_unique<SimpleKind>(context, Traits{.api = Api::kNova}, FinishServer));
}

}  // namespace protector::orchestrator
