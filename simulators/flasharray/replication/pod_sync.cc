#include "simulators/flasharray/replication/pod_sync.h"

#include <algorithm>
#include <chrono>

#include "simulators/flasharray/model/pod_ops.h"
#include "simulators/flasharray/replication/peer_links.h"

namespace protector::fasim {
namespace {

constexpr std::size_t kChunkBlocks = 256;

std::string PendingKey(const std::string& link_id, const std::string& uid) {
  return "pending/" + link_id + "/" + uid;
}

void PutBaseline(Tx& tx, const std::string& key, const std::string& uid, ImageId image) {
  if (const auto old = tx.tables().baselines.Find(key)) tx.images().Drop(old->image);
  tx.Put(Baseline{key, uid, image});
}

void DropAll(Tx& tx, const std::string& prefix) {
  for (const auto& row : tx.tables().baselines.All(prefix)) {
    tx.images().Drop(row->image);
    tx.Erase(*row);
  }
}

// The pending images become what both sides hold.
void AdoptPending(Tx& tx, ReplicaLink* link) {
  const std::string prefix = PendingKey(link->id, "");
  for (const auto& row : tx.tables().baselines.All(prefix)) {
    PutBaseline(tx, BaseKey(link->id, row->id.substr(prefix.size())), link->pending_uid, row->image);
    tx.Erase(*row);
  }
  link->base_uid = link->pending_uid;
  link->pending_uid.clear();
}

Json Describe(const Volume& volume, bool whole) {
  Json told = {{"replica_uid", volume.replica_uid},
               {"name", volume.name.substr(volume.name.find("::") + 2)},
               {"provisioned", volume.provisioned},
               {"destroyed", volume.destroyed},
               {"eradicate_at", volume.eradicate_at},
               {"created", volume.created},
               {"tags", volume.tags}};
  if (whole) told["volume"] = volume;  // a stretched pod's volume is the same object on both arrays
  return told;
}

}  // namespace

std::string BaseKey(const std::string& link_id, const std::string& replica_uid) {
  return LinkScope(link_id) + "/" + replica_uid;
}

struct PodSync::Outgoing {
  struct Changed {
    std::string replica_uid;
    ImageId base = 0, image = 0;
    std::uint64_t next = 0;
    bool done = false;
  };
  ReplicaLink link;
  std::string new_uid;
  Millis time = 0;
  Json volumes = Json::array();
  std::vector<Changed> changed;
  std::uint64_t total = 0, sent = 0;
  bool anything = false;
};

std::shared_ptr<std::timed_mutex> PodSync::LockOf(const std::string& link_id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto& place = locks_[link_id];
  if (!place) place = std::make_shared<std::timed_mutex>();
  return place;
}

PodSync::Result PodSync::Cycle(PeerClient& client, const std::string& link_id) {
  const auto one_at_a_time = LockOf(link_id);
  const std::lock_guard<std::timed_mutex> lock(*one_at_a_time);
  if (!ResolvePending(client, link_id)) return Result::kRetry;
  Outgoing out;
  if (!Capture(link_id, &out)) return Result::kInSync;
  if (!out.anything) {
    Heartbeat(client, out);
    return Result::kInSync;
  }
  return SendCycle(client, out);
}

bool PodSync::ResolvePending(PeerClient& client, const std::string& link_id) {
  {
    Tx tx(context_.db);
    const auto link = tx.tables().links.Find(link_id);
    if (!link || link->pending_uid.empty()) return link != nullptr;
  }
  const PeerReply reply = client.Send("link/probe", {{"link_id", link_id}});
  if (reply.status != 200) return false;
  Tx tx(context_.db);
  const auto row = tx.tables().links.Find(link_id);
  if (!row) return false;
  ReplicaLink link = *row;
  if (reply.body.value("base_uid", "") == link.pending_uid) {
    AdoptPending(tx, &link);
  } else {
    DropAll(tx, PendingKey(link_id, ""));
    link.pending_uid.clear();
  }
  tx.Put(link);
  tx.Commit();
  return true;
}

bool PodSync::Capture(const std::string& link_id, Outgoing* out) {
  Tx tx(context_.db);
  const auto row = tx.tables().links.Find(link_id);
  const auto pod = row ? tx.tables().pods.Find(row->local_pod_id) : nullptr;
  if (!pod || row->paused || pod->promotion_status == "demoted") return false;
  const bool stretch = row->kind == "stretch";
  out->link = *row;
  out->new_uid = NewUuid();
  out->time = tx.now();
  for (const auto& volume : tx.tables().volumes.Where("pod:" + pod->id)) {
    Json told = Describe(*volume, stretch);
    const auto base = tx.tables().baselines.Find(BaseKey(link_id, volume->replica_uid));
    const ImageId base_image = base && !row->base_uid.empty() ? base->image : 0;
    const bool differs = base_image == 0 || !tx.images().Diff(base_image, volume->image, 0, 1).empty();
    told["changed"] = differs;
    told["full"] = base_image == 0;
    out->volumes.push_back(std::move(told));
    if (differs) out->changed.push_back({volume->replica_uid, base_image, volume->image, 0, false});
  }
  Json described = out->volumes;
  for (Json& one : described) {
    one.erase("changed");
    one.erase("full");
  }
  const std::string description = described.dump();
  out->anything = !out->changed.empty() || description != row->sent_json || row->base_uid.empty();
  if (!out->anything) return true;
  for (Outgoing::Changed& one : out->changed) {
    one.image = tx.images().Clone(one.image);
    tx.Put(Baseline{PendingKey(link_id, one.replica_uid), out->new_uid, one.image});
    out->total += tx.images().DiffCount(one.base, one.image);
  }
  out->link.sent_json = description;
  ReplicaLink link = *row;
  link.pending_uid = out->new_uid;
  tx.Put(link);
  tx.Commit();
  return true;
}

PodSync::Result PodSync::SendCycle(PeerClient& client, Outgoing& out) {
  const PeerReply begun = client.Send("link/begin", {{"link_id", out.link.id},
                                                     {"base_uid", out.link.base_uid},
                                                     {"new_uid", out.new_uid},
                                                     {"time", out.time},
                                                     {"volumes", out.volumes}});
  if (begun.status == 409 && begun.body.value("error", "") == "base-mismatch") {
    // The peer holds another point than this side thinks: from the beginning.
    Tx tx(context_.db);
    const auto row = tx.tables().links.Find(out.link.id);
    if (!row) return Result::kRetry;
    ReplicaLink link = *row;
    DropAll(tx, PendingKey(link.id, ""));
    link.pending_uid.clear();
    // Of a stretched pod the other side may have moved the common point while this one waited; then it is only a new
    // try.
    if (link.base_uid == out.link.base_uid) {
      DropAll(tx, BaseKey(link.id, ""));
      link.base_uid.clear();
      link.sent_json.clear();
      link.status = "baselining";
    }
    tx.Put(link);
    tx.Commit();
    return Result::kRetry;
  }
  if (begun.status != 200) return Result::kRetry;
  while (true) {
    Json parts = Json::array();
    std::string bytes;
    std::size_t blocks = 0;
    {
      Tx tx(context_.db);
      const auto still = tx.tables().links.Find(out.link.id);
      if (!still || still->pending_uid != out.new_uid) return Result::kRetry;
      char buffer[kBlockSize];
      for (Outgoing::Changed& one : out.changed) {
        if (one.done) continue;
        if (blocks >= kChunkBlocks) break;
        const auto found = tx.images().Diff(one.base, one.image, one.next, kChunkBlocks - blocks);
        Json list = Json::array();
        for (const auto& block : found) {
          list.push_back({block.index, block.slot == 0 ? 0 : 1});
          if (block.slot == 0) continue;
          tx.images().ReadBlock(block.slot, buffer);
          bytes.append(buffer, kBlockSize);
        }
        one.done = found.size() < kChunkBlocks - blocks;
        if (!found.empty()) one.next = found.back().index + 1;
        blocks += found.size();
        parts.push_back({{"replica_uid", one.replica_uid}, {"blocks", list}});
      }
      out.sent += blocks;
      ReplicaLink link = *still;
      link.progress = out.total == 0 ? 1.0 : static_cast<double>(out.sent) / static_cast<double>(out.total);
      tx.Put(link);
      tx.Commit();
    }
    const bool last = std::all_of(out.changed.begin(), out.changed.end(), [](const auto& one) { return one.done; });
    context_.peers->Throttle(out.link.remote_name, bytes.size() + 512);
    if (context_.settings->stopping || !context_.peers->MayTalk(out.link.remote_name)) throw Unreachable("link is cut");
    const PeerReply reply = client.Send(
        "link/data", {{"link_id", out.link.id}, {"new_uid", out.new_uid}, {"parts", parts}, {"last", last}}, bytes);
    if (reply.status != 200) return Result::kRetry;
    if (last) break;
  }
  Commit(out);
  return Result::kSent;
}

void PodSync::Commit(const Outgoing& out) {
  Tx tx(context_.db);
  const auto row = tx.tables().links.Find(out.link.id);
  if (!row || row->pending_uid != out.new_uid) return;
  ReplicaLink link = *row;
  AdoptPending(tx, &link);
  link.sent_json = out.link.sent_json;
  link.recovery_point = out.time;
  link.progress = -1;
  tx.Put(link);
  tx.Commit();
}

void PodSync::Heartbeat(PeerClient& client, const Outgoing& out) {
  if (out.link.kind == "stretch") return;
  const PeerReply reply =
      client.Send("link/point", {{"link_id", out.link.id}, {"base_uid", out.link.base_uid}, {"time", out.time}});
  Tx tx(context_.db);
  const auto row = tx.tables().links.Find(out.link.id);
  if (!row) return;
  ReplicaLink link = *row;
  if (reply.status == 200) {
    link.recovery_point = out.time;
  } else {
    link.sent_json.clear();  // the peer knows another point: the next cycle begins anew and finds out
  }
  tx.Put(link);
  tx.Commit();
}

}  // namespace protector::fasim
