#include "simulators/flasharray/replication/peer_links.h"

#include <algorithm>
#include <thread>

namespace protector::fasim {
namespace {

constexpr auto kFresh = std::chrono::seconds(3);

}  // namespace

PeerLinks::PeerLinks(const Options* options, const Settings* settings) : settings_(settings) {
  for (const auto& [name, address] : options->peers) peers_[name].address = address;
}

std::vector<std::string> PeerLinks::names() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::string> out;
  for (const auto& [name, peer] : peers_) out.push_back(name);
  return out;
}

std::string PeerLinks::AddressOf(const std::string& name) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto it = peers_.find(name);
  return it == peers_.end() ? "" : it->second.address;
}

void PeerLinks::Learn(const std::string& name, const std::string& address) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!address.empty()) peers_[name].address = address;
}

void PeerLinks::Saw(const std::string& name, bool answered) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto it = peers_.find(name);
  if (it == peers_.end()) return;
  it->second.answered = answered;
  if (answered) it->second.last_answer = std::chrono::steady_clock::now();
}

bool PeerLinks::MayTalk(const std::string& name) const {
  return settings_->powered && !settings_->LinkCut(name);
}

bool PeerLinks::Online(const std::string& name) const {
  if (!MayTalk(name)) return false;
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto it = peers_.find(name);
  return it != peers_.end() && it->second.answered &&
         std::chrono::steady_clock::now() - it->second.last_answer < kFresh;
}

void PeerLinks::SetPods(const std::string& name, const Json& pods) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const auto it = peers_.find(name); it != peers_.end()) it->second.pods = pods;
}

Json PeerLinks::PodsOf(const std::string& name) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto it = peers_.find(name);
  return it == peers_.end() ? Json::array() : it->second.pods;
}

void PeerLinks::Throttle(const std::string& name, std::uint64_t bytes) {
  const double megabits = settings_->bandwidth_mbps;
  if (megabits <= 0) return;
  const auto takes =
      std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(bytes) * 8000.0 / megabits));
  std::chrono::steady_clock::time_point until;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    Peer& peer = peers_[name];
    until = std::max(peer.free_at, std::chrono::steady_clock::now()) + takes;
    peer.free_at = until;
  }
  while (!settings_->stopping && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::min<std::chrono::steady_clock::duration>(until - std::chrono::steady_clock::now(),
                                                                              std::chrono::milliseconds(100)));
  }
}

}  // namespace protector::fasim
