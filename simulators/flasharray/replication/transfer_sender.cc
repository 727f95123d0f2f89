#include "simulators/flasharray/replication/transfer_sender.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "simulators/flasharray/model/group_ops.h"
#include "simulators/flasharray/model/naming.h"
#include "simulators/flasharray/replication/peer_links.h"

namespace protector::fasim {
namespace {

constexpr std::size_t kChunkBlocks = 256;  // 1 MiB
constexpr std::uint64_t kEnd = ~std::uint64_t{0};

struct Member {
  std::string volume_id, snapshot_id, base_name;
  std::uint64_t provisioned = 0;
  ImageId image = 0, base_image = 0;
  std::string base_uid;
  std::uint64_t next = 0;  // first block not yet sent; kEnd when all are
};

}  // namespace

struct TransferSender::Job {
  Transfer transfer;
  GroupSnapshot snapshot;
  std::vector<Member> members;
};

bool BusyGroups::Take(const std::string& group_id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return busy_.insert(group_id).second;
}

void BusyGroups::Release(const std::string& group_id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  busy_.erase(group_id);
}

TransferSender::TransferSender(Context context, std::string peer, std::shared_ptr<BusyGroups> busy)
    : context_(context), peer_(std::move(peer)), busy_(std::move(busy)) {}

void TransferSender::Run() {
  std::uint64_t seen = 0;
  std::unique_ptr<PeerClient> client;
  while (!context_.settings->stopping) {
    Job job;
    if (!context_.peers->Online(peer_) || !NextJob(&job)) {
      context_.db->WaitForChange(&seen, 200);
      continue;
    }
    bool done = false;
    try {
      if (!client) client = std::make_unique<PeerClient>(context_.peers->AddressOf(peer_), context_.options->name);
      done = Send(*client, job);
    } catch (const Unreachable&) {
      client.reset();
    } catch (const std::exception& error) {
      spdlog::error("transfer of {}: {}", job.snapshot.name, error.what());
      client.reset();
    }
    busy_->Release(job.transfer.group_id);
    if (!done) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

bool TransferSender::NextJob(Job* job) {
  Tx tx(context_.db);
  const auto peer = tx.tables().array_connections.ByName(peer_);
  if (!peer) return false;
  auto open = tx.tables().transfers.Where("open:" + peer->id);
  std::sort(open.begin(), open.end(), [](const auto& a, const auto& b) {
    return std::make_tuple(a->state != "active", !a->now, a->queued, a->id) <
           std::make_tuple(b->state != "active", !b->now, b->queued, b->id);
  });
  for (const auto& row : open) {
    if (!busy_->Take(row->group_id)) continue;
    const auto snapshot = tx.tables().group_snapshots.Find(row->group_snapshot_id);
    if (!snapshot) {  // eradicated before it was sent
      tx.Erase(*row);
      tx.Commit();
      busy_->Release(row->group_id);
      continue;
    }
    job->transfer = *row;
    job->snapshot = *snapshot;
    for (const auto& member : tx.tables().snapshots.Where("group_snapshot:" + snapshot->id)) {
      Member one{member->source_id,
                 member->id,
                 member->name.substr(snapshot->name.size() + 1),
                 member->provisioned,
                 member->image,
                 0,
                 "",
                 0};
      const auto base = tx.tables().baselines.Find(BaselineId(row->group_id, peer->id, member->source_id));
      if (base) {
        one.base_image = base->image;
        one.base_uid = base->uid;
      }
      job->members.push_back(std::move(one));
    }
    if (job->transfer.state != "active") {
      job->transfer.state = "active";
      if (job->transfer.started == 0) job->transfer.started = tx.now();
      tx.Put(job->transfer);
      tx.Commit();
    }
    return true;
  }
  return false;
}

bool TransferSender::Send(PeerClient& client, Job& job) {
  Json members = Json::array();
  for (const Member& member : job.members) {
    members.push_back({{"volume_id", member.volume_id},
                       {"snapshot_id", member.snapshot_id},
                       {"name", member.base_name},
                       {"provisioned", member.provisioned},
                       {"base_uid", member.base_uid}});
  }
  const Json head = {{"group_id", job.transfer.group_id}, {"snapshot_id", job.snapshot.id},
                     {"suffix", job.snapshot.suffix},     {"group_name", job.snapshot.source_name},
                     {"created", job.snapshot.created},   {"apply_retention", job.snapshot.apply_retention},
                     {"started", job.transfer.started},   {"members", members}};
  const PeerReply begun = client.Send("transfer/begin", head);
  if (begun.status == 409 && begun.body.value("error", "") == "not-allowed") {
    GiveUp(job);
    return true;
  }
  if (begun.status != 200) return false;
  if (begun.body.value("completed", false)) {
    Finish(job);
    return true;
  }
  std::uint64_t total = 0, done = 0;
  {
    Tx tx(context_.db);
    for (Member& member : job.members) {
      const Json& told = begun.body.at("members").at(member.volume_id);
      member.next = told.at("next").get<std::uint64_t>();
      if (!told.at("base_ok").get<bool>()) member.base_image = 0;
      const std::uint64_t all = tx.images().DiffCount(member.base_image, member.image);
      total += all;
      // What was received before an interruption counts as done.
      if (member.next == kEnd) {
        done += all;
      } else if (member.next > 0) {
        done += all - tx.images().Diff(member.base_image, member.image, member.next, ~std::size_t{0}).size();
      }
    }
    job.transfer.total_blocks = total;
    job.transfer.done_blocks = done;
    tx.Put(job.transfer);
    tx.Commit();
  }
  return SendBlocks(client, job);
}

bool TransferSender::SendBlocks(PeerClient& client, Job& job) {
  while (true) {
    Json parts = Json::array();
    std::string bytes;
    std::size_t blocks = 0;
    {
      Tx tx(context_.db);
      const auto still = tx.tables().transfers.Find(job.transfer.id);
      if (!still) return true;  // the target was removed or the snapshot eradicated
      const auto group = tx.tables().groups.Find(job.transfer.group_id);
      const bool allowed =
          group && std::any_of(group->targets.begin(), group->targets.end(),
                               [&](const GroupTarget& t) { return t.array_id == job.transfer.target_id && t.allowed; });
      if (!allowed) return false;  // the next begin gives it up properly
      for (Member& member : job.members) {
        if (member.next == kEnd) continue;
        if (blocks >= kChunkBlocks) break;
        const auto found = tx.images().Diff(member.base_image, member.image, member.next, kChunkBlocks - blocks);
        Json list = Json::array();
        char buffer[kBlockSize];
        for (const auto& block : found) {
          list.push_back({block.index, block.slot == 0 ? 0 : 1});
          if (block.slot == 0) continue;
          tx.images().ReadBlock(block.slot, buffer);
          bytes.append(buffer, kBlockSize);
        }
        member.next = found.size() < kChunkBlocks - blocks ? kEnd : found.back().index + 1;
        blocks += found.size();
        parts.push_back({{"volume_id", member.volume_id}, {"next", member.next}, {"blocks", list}});
      }
    }
    const bool last =
        std::all_of(job.members.begin(), job.members.end(), [](const Member& m) { return m.next == kEnd; });
    job.transfer.done_blocks += blocks;
    job.transfer.wire_bytes += bytes.size();
    context_.peers->Throttle(peer_, bytes.size() + 512);
    if (context_.settings->stopping || !context_.peers->MayTalk(peer_)) return false;
    const PeerReply reply = client.Send("transfer/data",
                                        {{"snapshot_id", job.snapshot.id},
                                         {"parts", parts},
                                         {"done", job.transfer.done_blocks},
                                         {"total", job.transfer.total_blocks},
                                         {"wire", job.transfer.wire_bytes},
                                         {"last", last}},
                                        bytes);
    if (reply.status != 200) return false;
    if (last) {
      Finish(job);
      return true;
    }
    Tx tx(context_.db);
    if (!tx.tables().transfers.Find(job.transfer.id)) return true;
    tx.Put(job.transfer);
    tx.Commit();
  }
}

void TransferSender::Finish(const Job& job) {
  Tx tx(context_.db);
  const auto row = tx.tables().transfers.Find(job.transfer.id);
  if (!row) return;
  Transfer transfer = job.transfer;
  transfer.state = "completed";
  transfer.completed = tx.now();
  tx.Put(transfer);
  for (const Member& member : job.members) {
    const auto snapshot = tx.tables().snapshots.Find(member.snapshot_id);
    if (!snapshot) continue;
    Baseline base;
    base.id = BaselineId(transfer.group_id, transfer.target_id, member.volume_id);
    if (const auto old = tx.tables().baselines.Find(base.id)) tx.images().Drop(old->image);
    base.uid = member.snapshot_id;
    base.image = tx.images().Clone(snapshot->image);
    tx.Put(base);
  }
  tx.Commit();
}

void TransferSender::GiveUp(const Job& job) {
  Tx tx(context_.db);
  if (const auto row = tx.tables().transfers.Find(job.transfer.id)) tx.Erase(*row);
  tx.Commit();
}

}  // namespace protector::fasim
