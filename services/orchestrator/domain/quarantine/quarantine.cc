#include "services/orchestrator/domain/quarantine/quarantine.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "libs/base/error.h"
#include "services/orchestrator/domain/times.h"

namespace protector::orchestrator {
namespace {

const failpoint::Site kSave("standing-save", &store::LostWrite);

constexpr char kBucket[] = "standings";
constexpr char kOperation[] = "quarantine";

storage::Authority AuthorityFor(const std::string& group_id, int64_t epoch) {
  storage::Authority authority;
  authority.set_group_id(group_id);
  authority.set_epoch(epoch);
  authority.set_operation_id(kOperation);
  return authority;
}

}  // namespace

absl::Status Quarantine::Save(const op::StandingRecord& record) {
  store::Batch batch;
  batch.Put(kBucket, record.group_id(), record.SerializeAsString());
  return failpoint::Around(kSave, [&] { return store_.Transaction(batch).status(); });
}

absl::StatusOr<op::StandingRecord> Quarantine::Load(const std::string& group_id) {
  op::StandingRecord record;
  record.set_group_id(group_id);
  const absl::StatusOr<store::Record> stored = store_.Get(kBucket, group_id);
  if (stored.status().code() == absl::StatusCode::kNotFound) return record;
  PROTECTOR_RETURN_IF_ERROR(stored.status());
  if (!record.ParseFromString(stored->value)) {
    return Error(absl::StatusCode::kDataLoss, "RECORD_UNREADABLE", "the record of a group's standing cannot be read")
        .Object("protection group " + group_id)
        .Remedy("Restore the store from a backup.");
  }
  return record;
}

void Quarantine::Warn(const std::string& group_id, const std::string& warning) {
  std::lock_guard lock(mutex_);
  if (warning.empty()) {
    warnings_.erase(group_id);
  } else {
    warnings_[group_id] = warning;
  }
}

std::vector<std::string> Quarantine::Warnings(const std::string& group_id) {
  std::lock_guard lock(mutex_);
  const auto found = warnings_.find(group_id);
  return found == warnings_.end() ? std::vector<std::string>() : std::vector<std::string>{found->second};
}

bool Quarantine::Check() {
  const Call call(context_.timeouts.lost_site);
  const std::string& local = context_.sites.LocalSite();
  const auto here = context_.ports.For(local);
  if (!here.ok()) return false;
  std::vector<groups::GroupDocument> documents;
  metadata::ListDocumentsRequest page;
  page.set_page_size(500);
  do {
    const auto listed = here->metadata->ListDocuments(call, page);
    if (!listed.ok()) return false;
    for (const metadata::GetDocumentResponse& one : listed->documents()) documents.push_back(one.document());
    page.set_page_token(listed->next_page_token());
  } while (!page.page_token().empty());

  std::map<std::string, std::map<std::string, metadata::Head>> heads;  // peer -> group -> head
  bool all_answered = true;
  bool all_done = true;
  for (const groups::GroupDocument& document : documents) {
    const std::string peer_name = document.home_site() == local ? document.peer_site() : document.home_site();
    if (heads.count(peer_name) == 0) {
      const auto there = context_.ports.For(peer_name);
      const auto listed = there.ok() ? there->metadata->ListHeads(call, metadata::ListHeadsRequest())
                                     : absl::StatusOr<metadata::ListHeadsResponse>(there.status());
      all_answered = all_answered && listed.ok();
      auto& of_peer = heads[peer_name];
      if (listed.ok()) {
        for (const metadata::Head& head : listed->heads()) of_peer[head.group_id()] = head;
      }
    }
    Group group;
    group.document = document;
    group.epoch = document.epoch();
    group.primary = document.primary_site();
    const auto head = heads[peer_name].find(document.id());
    if (head != heads[peer_name].end() && head->second.epoch() > group.epoch) {
      group.epoch = head->second.epoch();
      group.primary = head->second.primary_site();
    }
    const bool confirmed_by_peer = head != heads[peer_name].end();
    const absl::StatusOr<int64_t> known = guard_.Known(document.id());
    if (!known.ok()) {
      all_done = false;
      continue;
    }
    group.known = *known;
    // A head that nobody else has confirmed says nothing about being overtaken, unless it says so itself.
    if (group.primary == local && !confirmed_by_peer) continue;
    if (!CheckGroup(group)) all_done = false;
  }
  const bool returned = all_answered && !peer_answered_;
  peer_answered_ = all_answered;
  if (returned) engine_.Poke();
  return all_answered && all_done;
}

bool Quarantine::CheckGroup(const Group& group) {
  const std::string& local = context_.sites.LocalSite();
  if (group.primary == local) {
    Warn(group.document.id(), "");
    return group.known >= group.epoch || guard_.Learn(group.document.id(), group.epoch).ok();
  }
  absl::StatusOr<op::StandingRecord> record = Load(group.document.id());
  if (!record.ok()) return false;
  if (record->epoch() >= group.epoch) {
    // Who died between the record and the confirmation confirms now: the other site waits for it.
    return group.known >= group.epoch || guard_.Learn(group.document.id(), group.epoch).ok();
  }
  // A planned move stopped and fences the members itself, and its epoch was confirmed by its own calls; what is asked
  // of a site that was away is asked of it here.
  if (record->quarantine_epoch() != group.epoch) {
    std::vector<std::string> servers(record->pending_servers().begin(), record->pending_servers().end());
    for (const groups::Member& member : group.document.members()) {
      const groups::Placement* placement = FindPlacement(member, local);
      if (placement == nullptr || placement->server_id().empty()) continue;
      if (std::find(servers.begin(), servers.end(), placement->server_id()) == servers.end()) {
        servers.push_back(placement->server_id());
      }
    }
    record->clear_pending_servers();
    for (const std::string& server : servers) record->add_pending_servers(server);
    record->set_quarantine_epoch(group.epoch);
    record->set_fenced(false);
    // The intent: durable before anything is stopped.
    if (!Save(*record).ok()) return false;
    if (!servers.empty()) {
      logger_.Warning("this site was overtaken; members here are put into quarantine",
                      {{"group", group.document.name()}, {"epoch", group.epoch}, {"primary", group.primary}});
      decisions_->Note("quarantine",
                       fmt::format("protection group {} was overtaken by epoch {} on {}: its members on {} are stopped",
                                   group.document.name(), group.epoch, group.primary, local),
                       fmt::format("servers {}", fmt::join(servers, ", ")), "");
    }
  }
  Warn(group.document.id(),
       fmt::format("quarantined: {} was overtaken by epoch {} on {}; its members here are being stopped", local,
                   group.epoch, group.primary));
  if (!Isolate(group, *record) || !Fence(group, *record)) return false;
  record->set_epoch(group.epoch);
  record->set_quarantine_epoch(0);
  *record->mutable_confirmed_at() = ToProto(context_.clock.Now());
  if (!Save(*record).ok() || !guard_.Learn(group.document.id(), group.epoch).ok()) return false;
  Warn(group.document.id(), record->quarantined_servers().empty()
                                ? ""
                                : fmt::format("quarantined: members left on {} are stopped and locked", local));
  return true;
}

bool Quarantine::Isolate(const Group& group, op::StandingRecord& record) {
  if (record.pending_servers().empty()) return true;
  const Call call(context_.timeouts.call);
  const auto here = context_.ports.For(context_.sites.LocalSite());
  if (!here.ok()) return false;
  // The epoch that this site has confirmed so far: the new one is confirmed by the end of the quarantine, not before.
  const int64_t epoch = std::max<int64_t>({group.known, 1});
  bool all = true;
  for (const std::string& server : record.pending_servers()) {
    peer::StopServerRequest stop;
    *stop.mutable_authority() = AuthorityFor(group.document.id(), epoch);
    stop.set_server_id(server);
    stop.set_hard(true);
    const auto stopped = here->cloud->StopServer(call, stop);
    if (!stopped.ok() && stopped.status().code() != absl::StatusCode::kNotFound) {
      logger_.Warning("a member that was overtaken cannot be stopped yet", stopped.status(), {{"server", server}});
      all = false;
      continue;
    }
    if (!stopped.ok()) continue;
    peer::ServerRequest lock;
    *lock.mutable_authority() = AuthorityFor(group.document.id(), epoch);
    lock.set_server_id(server);
    lock.set_reason(fmt::format("quarantine: the group is on {} since epoch {}", group.primary, group.epoch));
    const auto locked = here->cloud->LockServer(call, lock);
    if (!locked.ok() && locked.status().code() != absl::StatusCode::kNotFound) all = false;
  }
  if (!all) return false;
  peer::DescribeResourcesRequest ask;
  ask.set_group_id(group.document.id());
  for (const std::string& server : record.pending_servers()) ask.add_server_ids(server);
  const auto states = here->cloud->DescribeResources(call, ask);
  if (!states.ok()) return false;
  for (const peer::ResourceState& state : states->servers()) {
    if (state.exists() && (state.status() != "SHUTOFF" || !state.task_state().empty())) return false;
  }
  for (const std::string& server : record.pending_servers()) record.add_quarantined_servers(server);
  record.clear_pending_servers();
  return Save(record).ok();
}

bool Quarantine::Fence(const Group& group, op::StandingRecord& record) {
  if (record.fenced()) return true;
  const std::string& local = context_.sites.LocalSite();
  const auto here = context_.ports.For(local);
  if (!here.ok()) return false;
  storage::FenceVolumesRequest request;
  *request.mutable_authority() = AuthorityFor(group.document.id(), group.epoch);
  request.set_name(StorageName(group.document, local));
  request.set_replication_type(group.document.replication_type());
  request.set_quiesce(false);
  for (const groups::Member& member : group.document.members()) {
    const groups::Placement* placement = FindPlacement(member, local);
    if (placement == nullptr) continue;
    for (const groups::VolumePlacement& volume : placement->volumes()) {
      if (volume.serial().empty()) continue;
      storage::Disk& disk = *request.add_disks();
      disk.set_member_id(member.id());
      disk.set_index(volume.index());
      disk.set_serial(volume.serial());
    }
  }
  if (!request.disks().empty()) {
    const auto fenced = here->array->FenceVolumes(Call(context_.timeouts.call), request);
    if (!fenced.ok() && fenced.status().code() != absl::StatusCode::kNotFound) {
      logger_.Warning("volumes of a group that was overtaken cannot be fenced yet", fenced.status(),
                      {{"group", group.document.name()}});
      return false;
    }
    if (fenced.ok() && !fenced->fenced()) return false;
  }
  record.set_fenced(true);
  return Save(record).ok();
}

void Quarantine::Loop() {
  while (true) {
    const bool done = Check();
    std::unique_lock lock(mutex_);
    if (stopping_) return;
    wake_.wait_for(lock, done ? std::chrono::seconds(5) : std::chrono::seconds(1),
                   [this] { return stopping_ || poked_; });
    poked_ = false;
    if (stopping_) return;
  }
}

void Quarantine::Stop() {
  std::lock_guard lock(mutex_);
  stopping_ = true;
  wake_.notify_all();
}

void Quarantine::Poke() {
  std::lock_guard lock(mutex_);
  poked_ = true;
  wake_.notify_all();
}

}  // namespace protector::orchestrator
