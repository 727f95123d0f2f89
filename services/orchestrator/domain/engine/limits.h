#pragma once
// How many calls may be under way for each API. A window for each: full at first, halved when the API throttles (at
// most once per second, so that one burst of refusals counts once), and growing by one for each window's worth of
// successes.
//
// Threads: one at a time (the engine's lock). Ownership: values. Failure: none.

#include <array>
#include <cstddef>

#include "absl/time/time.h"

namespace protector::orchestrator {

// Whose capacity a task uses. The peer's cloud is asked through the peer's orchestrator; arrays through storage-pure.
enum class Api { kNone, kNova, kCinder, kNeutron, kArray, kPeer, kMetadata, kCount };

// What an operation's time went to.
enum class Spender { kOwn, kCloud, kArray, kPeer, kCount };
Spender SpenderOf(Api api);
const char* ApiName(Api api);  // as in the configuration's limits.*; "none" for what asks nobody
const char* SpenderName(Spender spender);

struct LimitOptions {
  int nova = 32;
  int cinder = 20;
  int neutron = 16;
  int array = 16;
  int peer = 16;
  int metadata = 4;
};

class Limits {
 public:
  explicit Limits(const LimitOptions& options);

  bool HasRoom(Api api) const { return At(api).in_flight < static_cast<int>(At(api).window); }
  void Begin(Api api) { ++At(api).in_flight; }
  void End(Api api) { --At(api).in_flight; }
  void Succeeded(Api api);
  void Throttled(Api api, absl::Duration now);

  double window(Api api) const { return At(api).window; }
  int in_flight(Api api) const { return At(api).in_flight; }
  size_t Total() const;

 private:
  struct Window {
    double limit = 1;
    double window = 1;
    int in_flight = 0;
    absl::Duration halved_at = -absl::InfiniteDuration();
  };
  Window& At(Api api) { return windows_[static_cast<size_t>(api)]; }
  const Window& At(Api api) const { return windows_[static_cast<size_t>(api)]; }
  std::array<Window, static_cast<size_t>(Api::kCount)> windows_;
};

}  // namespace protector::orchestrator
