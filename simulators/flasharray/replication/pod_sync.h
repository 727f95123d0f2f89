// Replicates pods to one peer: captures a consistent point of all volumes of a pod, sends the difference to what both
// sides hold, and moves that common point forward when the peer has taken it in.
//
// ActiveDR links send one way, all the time; stretched pods both ways and before a write is acknowledged. One cycle of
// one link runs at a time; a second caller waits and usually finds its change already sent.
//
// Threads: safe. Ownership: borrows the context. Failure: Unreachable passes through; the next cycle finds out whether
// the peer had taken the last one in (pending_uid) and goes on from there.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "simulators/flasharray/replication/peer_client.h"
#include "simulators/flasharray/rest/dispatcher.h"

namespace protector::fasim {

class PodSync {
 public:
  explicit PodSync(Context context) : context_(context) {}

  enum class Result { kInSync, kSent, kRetry };
  // One cycle of one link. kInSync: there was nothing to send.
  Result Cycle(PeerClient& client, const std::string& link_id);

  // The receiving side.
  PeerReply Probe(const Json& head);
  PeerReply Begin(const Json& head);
  PeerReply Data(const Json& head, const std::string& bytes);
  PeerReply Point(const Json& head);

  // Held while a cycle of the link runs here.
  std::shared_ptr<std::timed_mutex> LockOf(const std::string& link_id);

 private:
  struct Outgoing;
  struct Incoming {
    std::string new_uid;
    Millis time = 0;
    Json volumes;
  };
  bool ResolvePending(PeerClient& client, const std::string& link_id);
  bool Capture(const std::string& link_id, Outgoing* out);
  Result SendCycle(PeerClient& client, Outgoing& out);
  void Commit(const Outgoing& out);
  void Heartbeat(PeerClient& client, const Outgoing& out);
  void CommitIncoming(Tx& tx, ReplicaLink link, const Incoming& incoming);

  Context context_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<std::timed_mutex>> locks_;
  std::map<std::string, Incoming> incoming_;
};

// Brings the volumes of a demoted pod to the link's recovery point.
void ApplyToPod(Tx& tx, ReplicaLink* link);
std::string BaseKey(const std::string& link_id, const std::string& replica_uid);

}  // namespace protector::fasim
