// What two connected arrays tell each other several times a second: who they are, which groups one replicates to the
// other (their faces), what is allowed. The message is the whole state of the relation, so nothing is lost when one of
// them was away.
//
// Threads: called from the peer threads and the control server; each call is one transaction. Ownership: borrows the
// context. Failure: a malformed message throws; nothing is committed then.
#pragma once

#include <string>

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
  Context context_;
};

std::string ManagementAddress(const Options& options);

}  // namespace protector::fasim
