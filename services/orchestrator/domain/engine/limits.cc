#include "services/orchestrator/domain/engine/limits.h"

#include <algorithm>

namespace protector::orchestrator {

Spender SpenderOf(Api api) {
  switch (api) {
    case Api::kNova:
    case Api::kCinder:
    case Api::kNeutron:
      return Spender::kCloud;
    case Api::kArray:
      return Spender::kArray;
    case Api::kPeer:
    case Api::kMetadata:
      return Spender::kPeer;
    default:
      return Spender::kOwn;
  }
}

const char* ApiName(Api api) {
  switch (api) {
    case Api::kNova:
      return "nova";
    case Api::kCinder:
      return "cinder";
    case Api::kNeutron:
      return "neutron";
    case Api::kArray:
      return "array";
    case Api::kPeer:
      return "peer";
    case Api::kMetadata:
      return "metadata";
    default:
      return "none";
  }
}

const char* SpenderName(Spender spender) {
  switch (spender) {
    case Spender::kCloud:
      return "cloud";
    case Spender::kArray:
      return "array";
    case Spender::kPeer:
      return "peer";
    default:
      return "own";
  }
}

Limits::Limits(const LimitOptions& options) {
  const auto set = [this](Api api, int limit) { At(api).limit = At(api).window = limit; };
  set(Api::kNone, 1 << 20);
  set(Api::kNova, options.nova);
  set(Api::kCinder, options.cinder);
  set(Api::kNeutron, options.neutron);
  set(Api::kArray, options.array);
  set(Api::kPeer, options.peer);
  set(Api::kMetadata, options.metadata);
}

void Limits::Succeeded(Api api) {
  Window& window = At(api);
  window.window = std::min(window.limit, window.window + 1.0 / std::max(1.0, window.window));
}

void Limits::Throttled(Api api, absl::Duration now) {
  Window& window = At(api);
  if (now - window.halved_at < absl::Seconds(1)) return;
  window.halved_at = now;
  window.window = std::max(1.0, window.window / 2);
}

size_t Limits::Total() const {
  size_t total = 0;
  for (size_t i = static_cast<size_t>(Api::kNova); i < windows_.size(); ++i) {
    total += static_cast<size_t>(windows_[i].limit);
  }
  return total;
}

}  // namespace protector::orchestrator
