// Volumes into the target's Cinder. The mark is the volume's name until its import has a durable outcome; only then is
// it given the captured name, so a volume is always found again by one of the two: its mark, or its id in the journal.
#include <fmt/format.h>

#include "services/orchestrator/domain/operations/basic_kind.h"
#include "services/orchestrator/domain/times.h"

namespace protector::orchestrator {
namespace {

const groups::VolumeSpec* SpecOf(const Run& run, const op::TaskRecord& task) {
  for (const groups::VolumeSpec& spec : run.document().members(task.member()).server().volumes()) {
    if (spec.index() == task.index()) return &spec;
  }
  return nullptr;
}

std::string PlannedType(const Run& run, const op::TaskRecord& task) {
  if (task.member() >= run.plan()->members_size()) return "";
  const op::MemberPlan& plan = run.plan()->members(task.member());
  const auto& volumes = run.document().members(task.member()).server().volumes();
  for (int i = 0; i < volumes.size() && i < plan.volume_types_size(); ++i) {
    if (volumes.Get(i).index() == task.index()) return plan.volume_types(i);
  }
  return "";
}

std::string OutputOf(const op::TaskRecord& task, const std::string& key) {
  const auto found = task.outputs().find(key);
  return found == task.outputs().end() ? "" : found->second;
}

class ImportVolumeKind final : public BasicKind {
 public:
  explicit ImportVolumeKind(const OperationContext& context)
      : BasicKind(context, {.api = Api::kCinder, .look_group = "importing", .wait_limit = context.timeouts.import}) {}

  void FillIntent(const Run& run, const op::TaskRecord& task, op::Intent& intent) const override {
    intent.set_mark(MarkOf(run, "volume", task.member_id(), task.index()));
  }

  Work Probe(const Run& run, const op::TaskRecord& task) const override {
    return [this, call = CallOf(run, task), names = NamesOf(run), mark = task.intent().mark(),
            object = task.task().object(), sent = FromProto(task.intent().time()),
            failed = OutputOf(task, "failed_volume")]() -> Verdict {
      const absl::Duration elapsed = context_.clock.Now() - sent;
      const auto found = context_.target.FindVolumes(call, names.project, {mark});
      if (!found.ok()) return Verdict::OfQuestion(found.status());
      std::vector<CloudObject> ours;
      for (const CloudObject& volume : *found) {
        if (volume.status.rfind("ERROR", 0) != 0)
          ours.push_back(volume);  // a failed import that Cinder does not let go of
      }
      // A request that was given up for its time may be carried out yet. Cinder would take a second one for the same
      // volume, fail at it, and keep its record for good, so the first is given as long again to arrive.
      if (ours.empty() && elapsed >= context_.timeouts.call && elapsed < 2 * context_.timeouts.call) {
        return Verdict::Waiting(-1, "the request timed out and may be carried out yet");
      }
      if (ours.empty()) return Verdict::NotDone();
      if (ours.size() > 1) {
        return Verdict::Contradiction(fmt::format("{} volumes carry the mark {}", ours.size(), mark), object,
                                      "Unmanage all of them but one in Cinder, then resume.");
      }
      // The attempt whose answer was lost has also seen to the one before it; what it found is lost as well.
      const auto warnings = ForgetFailed(call, failed);
      if (!warnings.ok()) return Verdict::OfQuestion(warnings.status());
      return Taken(ours.front().id, failed, *warnings);
    };
  }

  Work Act(const Run& run, const op::TaskRecord& task) const override {
    const Names names = NamesOf(run);
    const std::string materialize = TaskId("storage_failover", "materialize-volumes", task.label());
    ImportVolume request;
    request.project_id = names.project;
    request.mark = task.intent().mark();
    request.array_volume = run.Output(materialize, fmt::format("name.{}", task.index()));
    request.volume_type = PlannedType(run, task);
    const groups::VolumeSpec* spec = SpecOf(run, task);
    request.bootable = spec != nullptr && (spec->bootable() || spec->boot_index() == 0);
    const std::string array_id = run.Output(materialize, fmt::format("id.{}", task.index()));
    return [this, call = CallOf(run, task), names, request, array_id, failed = OutputOf(task, "failed_volume"),
            again = task.task().attempts() > 1]() mutable -> Verdict {
      auto warnings = ForgetFailed(call, failed);
      if (!warnings.ok()) return Verdict::OfQuestion(warnings.status());
      if (again && !array_id.empty()) {
        // An earlier attempt may have renamed it on the array; its id there never changes.
        const auto site = context_.ports.For(names.target);
        if (!site.ok()) return Verdict::OfQuestion(site.status());
        storage::DescribeVolumesRequest ask;
        ask.add_array_volume_ids(array_id);
        const auto found = site->array->DescribeVolumes(call, ask);
        if (!found.ok()) return Verdict::OfQuestion(found.status());
        if (found->volumes_size() == 1) request.array_volume = found->volumes(0).name();
      }
      const auto imported = context_.target.Import(call, request);
      if (!imported.ok()) return Verdict::OfChange(imported.status());
      return Taken(*imported, failed, *warnings);
    };
  }

  Looks Look(const Run& run, const std::vector<const op::TaskRecord*>& tasks) const override {
    std::vector<std::string> ids;
    std::vector<std::string> left;  // of the attempt before, "" for most
    std::vector<std::string> asked;
    std::vector<std::string> objects;
    for (const op::TaskRecord* task : tasks) {
      ids.push_back(OutputOf(*task, "volume_id"));
      left.push_back(OutputOf(*task, "left_volume"));
      asked.push_back(ids.back());
      if (!left.back().empty()) asked.push_back(left.back());
      objects.push_back(task->task().object());
    }
    return [this, call = CallOf(run, *tasks.front()), ids, left, asked, objects, site = NamesOf(run).target] {
      const auto found = context_.target.DescribeVolumes(call, asked);
      std::map<std::string, std::string> status;
      if (found.ok()) {
        for (const CloudObject& volume : *found) status[volume.id] = volume.status;
      }
      std::vector<Verdict> verdicts;
      for (size_t i = 0; i < ids.size(); ++i) {
        if (!found.ok()) {
          verdicts.push_back(Verdict::NotDone(found.status()));
        } else if (status[ids[i]] == "AVAILABLE" || status[ids[i]] == "IN-USE") {
          verdicts.push_back(Verdict::Done());
          // Cinder took the order to let go of it, and did not: as long as an import takes is long enough to tell.
          if (!left[i].empty() && !status[left[i]].empty()) {
            verdicts.back().warnings = {LeftInCinder(left[i], "it is " + status[left[i]])};
          }
        } else if (status[ids[i]].empty() || status[ids[i]].rfind("ERROR", 0) == 0) {
          verdicts.push_back(
              Verdict::Failed(Error(absl::StatusCode::kInternal, "IMPORT_FAILED",
                                    status[ids[i]].empty() ? "the volume vanished from Cinder while it was imported"
                                                           : "Cinder could not take over the volume (status error)")
                                  .Object(fmt::format("{} (volume {})", objects[i], ids[i]))
                                  .Remedy("Cinder's volume log on the target says why; then retry the task.")
                                  .Site(site)));
          verdicts.back().outputs = {{"failed_volume", status[ids[i]].empty() ? "" : ids[i]}};
        } else {
          verdicts.push_back(Verdict::Waiting(-1, status[ids[i]]));
        }
      }
      return verdicts;
    };
  }

 private:
  // Lets Cinder forget the volume of an attempt that failed; "": there is none. What is left of it, in words. Cinder
  // keeps the record of an import that failed when its driver cannot let go of it: in the way of nothing, but to be
  // known of.
  absl::StatusOr<std::vector<std::string>> ForgetFailed(const Call& call, const std::string& volume_id) const {
    if (volume_id.empty()) return std::vector<std::string>();
    const absl::Status forgotten = context_.target.ForgetVolume(call, volume_id);
    if (IsTransient(forgotten)) return forgotten;
    if (forgotten.ok() || forgotten.code() == absl::StatusCode::kNotFound) return std::vector<std::string>();
    return std::vector<std::string>{LeftInCinder(volume_id, MessageOf(forgotten))};
  }

  static std::string LeftInCinder(const std::string& volume_id, const std::string& why) {
    return fmt::format("volume {}, whose import failed, is left in Cinder: {}", volume_id, why);
  }

  // `failed`: the volume of the attempt before; looked at again in the end unless it has been told of.
  static Verdict Taken(const std::string& volume_id, const std::string& failed,
                       const std::vector<std::string>& warnings) {
    Verdict accepted = Verdict::Accepted(
        {{"volume_id", volume_id}, {"failed_volume", ""}, {"left_volume", warnings.empty() ? failed : ""}});
    accepted.warnings = warnings;
    return accepted;
  }
};

// Idempotent: sets what was captured.
TaskKind::Work UpdateVolumeWork(const OperationContext& context, const Run& run, const op::TaskRecord& task,
                                const Call& call) {
  UpdateVolume request;
  const std::string import =
      TaskId("storage_failover", "import-volume", fmt::format("{}.{}", task.label(), task.index()));
  request.volume_id = run.Output(import, "volume_id");
  if (const groups::VolumeSpec* spec = SpecOf(run, task)) {
    request.name = spec->name();
    request.description = spec->description();
    request.bootable = spec->bootable() || spec->boot_index() == 0;
    request.metadata = {spec->metadata().begin(), spec->metadata().end()};
    request.image_metadata = {spec->image_metadata().begin(), spec->image_metadata().end()};
  }
  request.metadata[kMarkKey] = MarkOf(run, "volume", task.member_id(), task.index());
  request.metadata[kGroupKey] = run.operation().group_id();
  request.metadata[kMemberKey] = task.member_id();
  request.volume_type = PlannedType(run, task);
  return [&context, call, request]() -> Verdict {
    const absl::Status updated = context.target.Update(call, request);
    return updated.ok() ? Verdict::Done() : Verdict::OfChange(updated);
  };
}

}  // namespace

void AddVolumeKinds(const OperationContext& context, Kinds& kinds) {
  kinds.Add("import-volume", std::make_unique<ImportVolumeKind>(context));
  kinds.Add("update-volume",
            std::make_unique<SimpleKind>(context, Traits{.api = Api::kCinder, .leave_out = LeaveOut::kAlone},
                                         UpdateVolumeWork));
}

}  // namespace protector::orchestrator
