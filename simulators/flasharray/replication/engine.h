// Runs everything that happens without a request: exchanges with peers, transfers, pod replication, the schedule.
//
// Threads: one that keeps time and starts the others, per peer one for exchanges, one for pods and two
// that send group snapshots. Ownership: owns its
// threads; Stop joins them. Failure: unreachable peers are tried again; errors are logged and the loop goes on.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "simulators/flasharray/replication/exchange.h"
#include "simulators/flasharray/replication/pod_replicator.h"
#include "simulators/flasharray/replication/transfer_receiver.h"
#include "simulators/flasharray/replication/transfer_sender.h"
#include "simulators/flasharray/rest/dispatcher.h"

namespace protector::fasim {

class Engine {
 public:
  explicit Engine(Context context);
  ~Engine();

  void Start();
  void Stop();
  // POST /sim/peer/...; false: the link to that peer is cut, close the connection.
  bool ServePeer(const HttpRequest& request, HttpResponse* response);
  PodReplicator& pods() { return pods_; }

 private:
  void KeepTime();
  void StartPeer(const std::string& name);
  void ExchangeWith(const std::string& name);
  PeerReply Dispatch(const std::string& what, const Json& head, const std::string& bytes);
  PeerReply Identity();
  PeerReply AcceptConnection(const Json& head);
  PeerReply Disconnect(const Json& head);

  Context context_;
  Exchange exchange_;
  TransferReceiver receiver_;
  PodReplicator pods_;
  std::mutex mutex_;
  std::set<std::string> started_;
  std::vector<std::thread> threads_;
};

}  // namespace protector::fasim
