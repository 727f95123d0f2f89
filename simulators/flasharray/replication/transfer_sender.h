// Sends group snapshots to one peer: differences to what the peer already has, in chunks, resumed where it stopped.
//
// Threads: Run is the body of a sender thread; several may run for one peer and share the wire. Ownership: borrows the
// context. Failure: an unreachable peer is tried again for ever; a transfer that is no longer allowed is given up.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "simulators/flasharray/replication/peer_client.h"
#include "simulators/flasharray/rest/dispatcher.h"

namespace protector::fasim {

// Which groups have a transfer under way to a peer: transfers of one group go one after the other.
class BusyGroups {
 public:
  bool Take(const std::string& group_id);
  void Release(const std::string& group_id);

 private:
  std::mutex mutex_;
  std::set<std::string> busy_;
};

class TransferSender {
 public:
  TransferSender(Context context, std::string peer, std::shared_ptr<BusyGroups> busy);

  // Works until the settings say stopping.
  void Run();

 private:
  struct Job;
  bool NextJob(Job* job);
  // False: not finished, try again later.
  bool Send(PeerClient& client, Job& job);
  bool SendBlocks(PeerClient& client, Job& job);
  void Finish(const Job& job);
  void GiveUp(const Job& job);

  Context context_;
  std::string peer_;
  std::shared_ptr<BusyGroups> busy_;
};

}  // namespace protector::fasim
