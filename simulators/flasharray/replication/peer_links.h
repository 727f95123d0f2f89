// What this array knows about the others: where they are, whether they answer, how fast it may send to them.
//
// Threads: safe. Ownership: borrows options and settings. Failure: none.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "simulators/flasharray/control/settings.h"

namespace protector::fasim {

class PeerLinks {
 public:
  PeerLinks(const Options* options, const Settings* settings);

  // Every peer that has a control address: from the command line or from a connection that was made later.
  std::vector<std::string> names() const;
  std::string AddressOf(const std::string& name) const;
  void Learn(const std::string& name, const std::string& address);

  void Saw(const std::string& name, bool answered);
  // It answered within the last seconds and the link is not cut.
  bool Online(const std::string& name) const;
  // This array has power and the link is not cut.
  bool MayTalk(const std::string& name) const;

  // The peer's pods as it told them last, for /remote-pods.
  void SetPods(const std::string& name, const Json& pods);
  Json PodsOf(const std::string& name) const;

  // Waits as long as sending so many bytes to this peer takes at the set bandwidth.
  void Throttle(const std::string& name, std::uint64_t bytes);

 private:
  struct Peer {
    std::string address;
    Json pods = Json::array();
    bool answered = false;
    std::chrono::steady_clock::time_point last_answer{};
    std::chrono::steady_clock::time_point free_at{};  // when the wire is free again
  };
  const Settings* settings_;
  mutable std::mutex mutex_;
  std::map<std::string, Peer> peers_;
};

}  // namespace protector::fasim
