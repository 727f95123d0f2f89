#include "simulators/flasharray/replication/pod_replicator.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "simulators/flasharray/model/pod_ops.h"
#include "simulators/flasharray/replication/peer_links.h"

namespace protector::fasim {
namespace {

constexpr Millis kHeartbeatMs = 250;
constexpr auto kFlushLimit = std::chrono::seconds(5);

const PodArray* Find(const Pod& pod, const std::string& id) {
  for (const PodArray& array : pod.arrays) {
    if (array.id == id) return &array;
  }
  return nullptr;
}

}  // namespace

void PodReplicator::Run(const std::string& peer) {
  std::unique_ptr<PeerClient> client;
  std::uint64_t seen = 0;
  while (!context_.settings->stopping) {
    std::vector<ReplicaLink> links;
    {
      Tx tx(context_.db);
      if (const auto connection = tx.tables().array_connections.ByName(peer)) {
        for (const auto& link : tx.tables().links.Where("remote:" + connection->id)) links.push_back(*link);
      }
    }
    for (const ReplicaLink& link : links) {
      try {
        if (!context_.peers->Online(peer)) {
          if (link.kind == "stretch") Decide(link.id);
          continue;
        }
        if (!client) client = std::make_unique<PeerClient>(context_.peers->AddressOf(peer), context_.options->name);
        ServeLink(*client, link);
      } catch (const Unreachable&) {
        client.reset();
      } catch (const std::exception& error) {
        spdlog::error("pod link {}: {}", link.id, error.what());
      }
    }
    // A burst of small writes is sent together, an idle link ticks.
    std::this_thread::sleep_for(std::chrono::milliseconds(links.empty() ? 100 : 40));
    context_.db->WaitForChange(&seen, kHeartbeatMs);
  }
}

void PodReplicator::ServeLink(PeerClient& client, const ReplicaLink& link) {
  bool quiescing = false;
  {
    Tx tx(context_.db);
    const auto pod = tx.tables().pods.Find(link.local_pod_id);
    if (!pod) return;
    quiescing = pod->quiescing;
    if (link.kind == "activedr" && !link.outbound) return;
    const PodArray* self = Find(*pod, tx.array().array_id);
    if (link.kind == "stretch" && (self == nullptr || self->status != "online")) return;
  }
  const PodSync::Result result = sync_.Cycle(client, link.id);
  Tx tx(context_.db);
  const auto row = tx.tables().links.Find(link.id);
  const auto pod = row ? tx.tables().pods.Find(row->local_pod_id) : nullptr;
  if (!pod || result != PodSync::Result::kInSync) return;
  if (link.kind == "stretch" && row->status != "replicating") {
    ReplicaLink settled = *row;
    settled.status = "replicating";
    tx.Put(settled);
  }
  // No write was taken since the pod began to demote, and nothing was left to send.
  if (quiescing && pod->quiescing && row->pending_uid.empty() && !row->base_uid.empty() && !row->paused) {
    FinishDemote(tx, pod);
    ReplicaLink settled = *row;
    settled.status = "quiesced";
    tx.Put(settled);
  }
  tx.Commit();
}

bool PodReplicator::WinsMediation(const Pod& pod, const ReplicaLink& link) {
  try {
    PeerClient client(context_.peers->AddressOf(link.remote_name), context_.options->name);
    const PeerReply reply = client.Send("mediator", {{"link_id", link.id}});
    if (reply.status != 200) return true;
    if (reply.body.value("solo", false)) return false;  // it has won already
  } catch (const Unreachable&) {
    return true;  // nobody is there
  }
  const auto prefers = [&](const std::string& name) {
    return std::find(pod.failover_preferences.begin(), pod.failover_preferences.end(), name) !=
           pod.failover_preferences.end();
  };
  if (prefers(context_.options->name) != prefers(link.remote_name)) return prefers(context_.options->name);
  const PodArray* peer = Find(pod, link.remote_id);
  return peer == nullptr || !peer->pre_elected;
}

void PodReplicator::Decide(const std::string& link_id) {
  ReplicaLink link;
  Pod pod;
  std::string own_id;
  {
    Tx tx(context_.db);
    const auto row = tx.tables().links.Find(link_id);
    const auto pod_row = row ? tx.tables().pods.Find(row->local_pod_id) : nullptr;
    if (!pod_row) return;
    own_id = tx.array().array_id;
    const PodArray* self = Find(*pod_row, own_id);
    const PodArray* peer = Find(*pod_row, row->remote_id);
    // An unfinished first copy decides nothing: the peer has nothing to go on with.
    if (self == nullptr || peer == nullptr || self->status != "online" || peer->status == "unknown") return;
    link = *row;
    pod = *pod_row;
  }
  // A peer that is still behind has nothing to go on with: only two sides in step have to ask who goes on.
  const bool in_step = Find(pod, link.remote_id)->status == "online" && !link.base_uid.empty();
  const bool wins = !in_step || WinsMediation(pod, link);
  Tx tx(context_.db);
  const auto row = tx.tables().pods.Find(pod.id);
  if (!row) return;
  Pod changed = *row;
  for (PodArray& array : changed.arrays) {
    if (array.id == link.remote_id) array.status = "unknown";
    if (array.id == own_id && !wins) {
      array.status = "offline";
      array.frozen_at = tx.now();
    }
    if (array.id == link.remote_id) array.mediator_status = wins ? "unreachable" : "online";
    if (array.id == link.remote_id && !wins) array.status = "online";
  }
  tx.Put(changed);
  if (const auto now = tx.tables().links.Find(link_id)) {
    ReplicaLink behind = *now;
    behind.status = "resyncing";  // the peer is not to think that it has everything
    tx.Put(behind);
  }
  tx.Commit();
}

bool PodReplicator::Flush(const std::vector<std::string>& pod_ids) {
  bool good = true;
  for (const std::string& id : pod_ids) good = FlushOne(id) && good;
  return good;
}

bool PodReplicator::FlushOne(const std::string& pod_id) {
  const auto deadline = std::chrono::steady_clock::now() + kFlushLimit;
  while (!context_.settings->stopping) {
    ReplicaLink link;
    {
      Tx tx(context_.db);
      const auto pod = tx.tables().pods.Find(pod_id);
      if (!pod || pod->arrays.size() < 2) return true;
      const PodArray* self = Find(*pod, tx.array().array_id);
      if (self == nullptr || self->status != "online") return false;
      const auto links = tx.tables().links.Where("pod:" + pod_id);
      if (links.empty()) return true;
      link = *links.front();
      const PodArray* peer = Find(*pod, link.remote_id);
      if (peer == nullptr || peer->status != "online") return true;  // alone, or still catching up
    }
    try {
      if (!context_.peers->MayTalk(link.remote_name)) throw Unreachable("cut");
      PeerClient client(context_.peers->AddressOf(link.remote_name), context_.options->name);
      if (sync_.Cycle(client, link.id) != PodSync::Result::kRetry) return true;
    } catch (const Unreachable&) {
      Decide(link.id);
      continue;
    }
    if (std::chrono::steady_clock::now() > deadline) Decide(link.id);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return false;
}

void PodReplicator::Refresh() {
  Tx tx(context_.db);
  for (const auto& pod : tx.tables().pods.All()) {
    if (pod->promotion_status != "promoting") continue;
    FinishPromote(tx, pod);
    for (const auto& row : tx.tables().links.Where("pod:" + pod->id)) {
      ReplicaLink link = *row;
      link.applied_uid.clear();  // the next demote has to put the recovery point back
      tx.Put(link);
    }
  }
  for (const auto& row : tx.tables().links.All()) {
    if (row->kind == "stretch") continue;
    const auto pod = tx.tables().pods.Find(row->local_pod_id);
    if (!pod) continue;
    std::string status = row->status;
    if (!context_.peers->Online(row->remote_name)) {
      status = "unhealthy";
    } else if (row->outbound) {
      if (row->paused) {
        status = "paused";
      } else if (pod->quiescing) {
        status = "quiescing";
      } else if (pod->promotion_status == "demoted") {
        status = row->status == "quiesced" ? "quiesced" : "idle";
      } else {
        status = row->base_uid.empty() ? "baselining" : "replicating";
      }
    }
    if (status == row->status) continue;
    ReplicaLink link = *row;
    link.status = status;
    tx.Put(link);
  }
  tx.Commit();
}

void PodReplicator::Recover() {
  Tx tx(context_.db);
  for (const auto& row : tx.tables().links.All()) {
    const auto pod_row = row->kind == "stretch" ? tx.tables().pods.Find(row->local_pod_id) : nullptr;
    if (!pod_row) continue;
    const PodArray* peer = Find(*pod_row, row->remote_id);
    if (peer == nullptr || peer->status == "unknown" || row->base_uid.empty()) continue;  // this side went on alone
    Pod pod = *pod_row;
    for (PodArray& array : pod.arrays) {
      if (array.id != tx.array().array_id) continue;
      array.status = "offline";
      array.frozen_at = tx.now();
    }
    tx.Put(pod);
  }
  tx.Commit();
}

}  // namespace protector::fasim
