// One conversation with another array's control port.
//
// Threads: one thread per client. Ownership: owns its connection. Failure: Unreachable for anything but an HTTP answer;
// a refused message is an answer with its status.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "simulators/flasharray/base/types.h"

namespace protector::fasim {

class Unreachable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct PeerReply {
  int status = 0;
  Json body;
};

class PeerClient {
 public:
  PeerClient(const std::string& address, std::string own_name);
  ~PeerClient();

  // POST /sim/peer/<what>?from=<own name>, with a JSON head and bytes after it.
  PeerReply Send(const std::string& what, const Json& head, const std::string& bytes = "");

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Splits a received body into its head and the bytes after it.
Json SplitMessage(const std::string& body, std::string* bytes);

}  // namespace protector::fasim
