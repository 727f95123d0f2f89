// What two connected arrays tell each other several times a second: who they are, which groups one replicates to the
// other (their faces), what is allowed. The message is the whole state of the relation, so nothing is lost when one of
// them was away. Messages go both ways at once, so one may be overtaken by a newer one of the same array: each carries
// its place in the order, and an older one than the last is not taken in.
//
// Threads: called from the peer threads and the control server; each call is one transaction. Ownership: borrows the
// context. Failure: a malformed message throws; nothing is committed then.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "simulators/flasharray/base/text.h"
#include "simulators/flasharray/rest/dispatcher.h"

namespace protector::fasim {

class Exchange {
 public:
  explicit Exchange(Context context) : context_(context) {}

  // What this array has to tell `peer_name` (which may not be known by id yet).
  Json Message(const std::string& peer_name);
  // Takes in what a peer says.
  void TakeIn(const Json& message);
  // The answer to POST /sim/peer/exchange.
  Json Answer(const Json& message);

 private:
  // False: a newer message of this array was taken in already. In a transaction.
  bool IsNewest(const Json& message, const std::string& peer_id);

  Context context_;
  const std::string started_ = NewUuid();  // names this start: after a restart the order begins anew
  // Both only in a transaction, which locks them.
  std::uint64_t told_ = 0;                                              // messages made since this array started
  std::map<std::string, std::pair<std::string, std::uint64_t>> heard_;  // peer id -> its start and last message
};

std::string ManagementAddress(const Options& options);

}  // namespace protector::fasim
