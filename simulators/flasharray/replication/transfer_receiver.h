// The target's side of group replication: partial snapshots that grow, become complete, or are thrown away.
//
// Threads: safe; each message is one transaction. Ownership: borrows the Db. Failure: a refused message is a status
// with a reason; a chunk is applied whole or not at all.
#pragma once

#include <string>

#include "simulators/flasharray/replication/peer_client.h"
#include "simulators/flasharray/rest/dispatcher.h"

namespace protector::fasim {

class TransferReceiver {
 public:
  explicit TransferReceiver(Context context) : context_(context) {}
  PeerReply Begin(const Json& head);
  PeerReply Data(const Json& head, const std::string& bytes);

 private:
  Context context_;
};

}  // namespace protector::fasim
