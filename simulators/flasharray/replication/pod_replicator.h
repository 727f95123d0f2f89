// Keeps pods replicated: runs the cycles of every link to a peer, ends quiescing demotes, decides who goes on when a
// stretched pod's arrays lose each other, and sends a stretched pod's writes before they are acknowledged.
//
// Threads: Run is the body of one thread per peer; Flush is called by whoever wrote; Refresh by the timekeeper.
// Ownership: borrows the context. Failure: an unreachable peer makes links unhealthy; nothing is thrown.
#pragma once

#include <string>
#include <vector>

#include "simulators/flasharray/replication/pod_sync.h"

namespace protector::fasim {

class PodReplicator {
 public:
  explicit PodReplicator(Context context) : context_(context), sync_(context) {}

  void Run(const std::string& peer);
  // Brings the other array of each stretched pod up to date. False: this array lost its pod and must not acknowledge.
  bool Flush(const std::vector<std::string>& pod_ids);
  // Promotions that are due, the shown status of every link.
  void Refresh();
  // At start: a stretched pod whose other array was with us when we went down may have gone on there.
  void Recover();

  // The messages of link/... and mediator.
  PeerReply Serve(const std::string& what, const Json& head, const std::string& bytes);

 private:
  void ServeLink(PeerClient& client, const ReplicaLink& link);
  void Decide(const std::string& link_id);
  bool WinsMediation(const Pod& pod, const ReplicaLink& link);
  bool FlushOne(const std::string& pod_id);
  PeerReply CreateLink(const Json& head);
  PeerReply DeleteLink(const Json& head);
  PeerReply CreateStretch(const Json& head);
  PeerReply RemoveStretch(const Json& head);

  Context context_;
  PodSync sync_;
};

// Ends this array's part of a stretched pod: with `keep` it goes on alone, else the pod becomes a destroyed .restretch
// copy.
void EndStretch(Tx& tx, const ReplicaLink& link, bool keep);
void EraseLink(Tx& tx, const ReplicaLink& link);

}  // namespace protector::fasim
