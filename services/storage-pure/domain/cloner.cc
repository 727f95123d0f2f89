#include "services/storage-pure/domain/cloner.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "libs/base/error.h"
#include "libs/base/parallel.h"
#include "services/storage-pure/domain/naming.h"

namespace protector::storage {
namespace {

// "src:pg.suffix.vol" -> "vol"; arrays differ in whether they give the snapshot or its volume as a copy's source.
bool SameSource(const std::string& shown, const std::string& asked) {
  if (shown == asked) return true;
  const size_t dot = asked.rfind('.');
  if (dot == std::string::npos) return false;
  const std::string volume = asked.substr(dot + 1);
  const size_t colon = asked.find(':');
  return shown == volume || (colon != std::string::npos && shown == asked.substr(0, colon + 1) + volume);
}

absl::Status Destroyed(const std::string& name) {
  return Error(absl::StatusCode::kFailedPrecondition, "VOLUME_NOT_FOUND",
               fmt::format("volume {} was made by this operation and destroyed since", name))
      .Object("volume " + name)
      .Remedy("Recover it on the array (destroyed volumes are kept for a day), then repeat.");
}

}  // namespace

class Cloner::Turn {
 public:
  Turn(Cloner& cloner, const std::vector<CloneJob>& jobs) : cloner_(cloner) {
    for (const CloneJob& job : jobs) keys_.insert(job.disk.Text());
    std::unique_lock lock(cloner_.mutex_);
    cloner_.changed_.wait(lock, [&] {
      return std::none_of(keys_.begin(), keys_.end(), [&](const auto& key) { return cloner_.busy_.contains(key); });
    });
    cloner_.busy_.insert(keys_.begin(), keys_.end());
  }
  ~Turn() {
    const std::lock_guard lock(cloner_.mutex_);
    for (const std::string& key : keys_) cloner_.busy_.erase(key);
    cloner_.changed_.notify_all();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Cloner& cloner_;
  std::set<std::string> keys_;
};

absl::StatusOr<Volume> Cloner::Request(const Scope& scope, const std::string& name, const std::string& source) {
  const absl::Duration began = deps_.clock.Monotonic();
  absl::StatusOr<Volume> made = deps_.array.CloneVolume(scope, name, source);
  const absl::Duration ended = deps_.clock.Monotonic();
  const std::lock_guard lock(mutex_);
  if (!made.ok() && IsOutcomeUnknown(made.status())) {
    unanswered_[name] = ended + (ended - began);  // as long again as the answer was waited for
  } else {
    unanswered_.erase(name);
  }
  return made;
}

bool Cloner::MayHappenYet(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto it = unanswered_.find(name);
  return it != unanswered_.end() && deps_.clock.Monotonic() < it->second;
}

absl::StatusOr<Volume> Cloner::MakeOrAdopt(const Scope& scope, const std::string& name, const std::string& source) {
  absl::Status last = absl::DeadlineExceededError("the array may carry out a request yet that it did not answer");
  for (int attempt = 0; attempt < 2; ++attempt) {
    bool unknown = true;
    if (!MayHappenYet(name)) {
      absl::StatusOr<Volume> made = Request(scope, name, source);
      if (made.ok()) return made;
      last = made.status();
      unknown = IsOutcomeUnknown(last);
      if (!unknown && !ExistsAlready(last) && ClassOf(last) != ErrorClass::kConflict) return last;
    }
    const absl::StatusOr<std::vector<Volume>> probe = deps_.array.ListVolumes(scope, {.names = {name}});
    if (!probe.ok()) return unknown ? OutcomeUnknownError("volume " + name, last) : probe.status();
    if (probe->empty()) {
      if (MayHappenYet(name)) return OutcomeUnknownError("volume " + name, last);
      continue;  // not made after all
    }
    const Volume& found = probe->front();
    if (found.destroyed) return Destroyed(name);
    if (SameSource(found.source, source)) return found;
    return Foreign("volume " + name, fmt::format("it was not made from {} but from \"{}\"", source, found.source),
                   "Rename that volume on the array, then repeat.");
  }
  return last;
}

absl::Status Cloner::DestroyStrays(const Scope& scope, const std::string& operation_id,
                                   const std::vector<DiskKey>& disks) {
  std::map<std::string, CloneRecord> made;  // by the name that each was asked for by
  VolumeFilter filter{.destroyed = false};
  for (const DiskKey& disk : disks) {
    PROTECTOR_ASSIGN_OR_RETURN(const std::optional<CloneRecord> record, deps_.state.Clone(disk, operation_id));
    if (!record || record->volume_id.empty()) continue;
    filter.names.push_back(record->name);
    made[record->name] = *record;
  }
  if (made.empty()) return absl::OkStatus();
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Volume> volumes, deps_.array.ListVolumes(scope, filter));
  for (const Volume& volume : volumes) {
    const CloneRecord& record = made[volume.name];
    if (volume.id == record.volume_id || volume.connection_count > 0) continue;
    if (!SameSource(volume.source, record.source)) continue;
    PROTECTOR_RETURN_IF_ERROR(
        Annotate(deps_.array.DestroyVolume(scope, volume.id), "destroying volume " + volume.name));
  }
  return absl::OkStatus();
}

absl::Status Cloner::Mark(const Scope& scope, const CloneRecord& record) {
  return deps_.array.TagVolume(scope, record.volume_id,
                               {{.key = kTagGroup, .value = record.disk.group_id},
                                {.key = kTagOperation, .value = record.operation_id},
                                {.key = kTagMember, .value = record.disk.member_id},
                                {.key = kTagIndex, .value = std::to_string(record.disk.index)}});
}

absl::Status Cloner::SaveOutcomes(const Scope& scope, const std::string& source_array,
                                  const std::vector<CloneRecord>& records) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string here, inventory_.ArrayName(scope));
  std::vector<std::pair<DiskKey, std::map<std::string, std::string>>> pairs;
  for (const CloneRecord& record : records) {
    pairs.push_back({record.disk, {{here, record.serial}, {source_array, UpperSerial(record.source_serial)}}});
  }
  PROTECTOR_RETURN_IF_ERROR(deps_.state.SavePairs(pairs));
  return deps_.state.SaveClones(records);
}

absl::StatusOr<std::vector<CloneResult>> Cloner::Run(const Scope& scope, const std::string& operation_id,
                                                     const std::string& source_array,
                                                     const std::vector<CloneJob>& jobs) {
  const Turn turn(*this, jobs);
  std::vector<CloneResult> results(jobs.size());
  std::vector<CloneRecord> records(jobs.size());
  std::vector<CloneRecord> intents;
  VolumeFilter known;
  for (size_t i = 0; i < jobs.size(); ++i) {
    const CloneJob& job = jobs[i];
    PROTECTOR_ASSIGN_OR_RETURN(const std::optional<CloneRecord> record, deps_.state.Clone(job.disk, operation_id));
    if (record && record->source != job.source) {
      results[i].status =
          Foreign("volume " + record->name, "this operation made it from " + record->source,
                  "An operation uses one recovery point; repeat with that one or start a new operation.");
    }
    if (record) {
      records[i] = *record;
      if (!record->volume_id.empty()) known.ids.push_back(record->volume_id);
      continue;
    }
    records[i] = {.disk = job.disk,
                  .operation_id = operation_id,
                  .name = CloneName(operation_id, job.disk.group_id, job.disk.member_id, job.disk.index),
                  .source = job.source,
                  .source_serial = job.source_serial};
    intents.push_back(records[i]);
  }
  PROTECTOR_RETURN_IF_ERROR(deps_.state.SaveClones(intents));

  std::map<std::string, Volume> by_id;
  if (!known.ids.empty()) {
    PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Volume> volumes, deps_.array.ListVolumes(scope, known));
    for (const Volume& volume : volumes) by_id[volume.id] = volume;
  }

  std::atomic<bool> give_up = false;  // an array that does not answer is not asked a thousand times
  ForEachInParallel(jobs.size(), deps_.parallelism, [&](size_t i) {
    CloneResult& result = results[i];
    CloneRecord& record = records[i];
    if (!result.status.ok()) return;
    if (give_up || scope.cancelled()) {
      result.status = ArrayError(ErrorClass::kTransient, "volume " + record.name, "not tried: the call was given up");
      return;
    }
    if (!record.volume_id.empty()) {
      const auto it = by_id.find(record.volume_id);
      if (it == by_id.end() || it->second.destroyed) {
        result.status = Destroyed(record.name);
        return;
      }
      result.volume = it->second;
    } else {
      absl::StatusOr<Volume> made = MakeOrAdopt(scope, record.name, record.source);
      if (!made.ok()) {
        result.status = made.status();
        if (ClassOf(result.status) == ErrorClass::kTransient) give_up = true;
        return;
      }
      result.volume = *std::move(made);
      record.volume_id = result.volume.id;
      record.serial = result.volume.serial;
    }
    if (record.tagged) return;
    result.status = Mark(scope, record);
    record.tagged = result.status.ok();
  });

  std::vector<CloneRecord> outcomes;
  std::copy_if(records.begin(), records.end(), std::back_inserter(outcomes),
               [](const CloneRecord& record) { return !record.volume_id.empty(); });
  PROTECTOR_RETURN_IF_ERROR(SaveOutcomes(scope, source_array, outcomes));
  return results;
}

absl::StatusOr<std::vector<CloneResult>> Cloner::Adopt(const Scope& scope, const std::string& operation_id,
                                                       const std::string& source_array,
                                                       const std::vector<CloneJob>& jobs,
                                                       const std::vector<Volume>& volumes) {
  std::vector<CloneRecord> records(jobs.size());
  std::vector<CloneResult> results(jobs.size());
  for (size_t i = 0; i < jobs.size(); ++i) {
    records[i] = {.disk = jobs[i].disk,
                  .operation_id = operation_id,
                  .name = volumes[i].name,
                  .source = jobs[i].source,
                  .source_serial = jobs[i].source_serial,
                  .volume_id = volumes[i].id,
                  .serial = volumes[i].serial};
    results[i].volume = volumes[i];
  }
  PROTECTOR_RETURN_IF_ERROR(SaveOutcomes(scope, source_array, records));
  ForEachInParallel(jobs.size(), deps_.parallelism, [&](size_t i) { results[i].status = Mark(scope, records[i]); });
  return results;
}

}  // namespace protector::storage
