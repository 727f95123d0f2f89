#pragma once
// What the engine tells about its own speed, for whoever keeps figures of it.
//
// Threads: called from the engine's thread only. Ownership: outlives the engine. Failure: none; must not block.

#include "absl/time/time.h"
#include "services/orchestrator/domain/engine/limits.h"

namespace protector::orchestrator {

class Meter {
 public:
  virtual ~Meter() = default;
  // A call has ended: how long it held one of its API's slots, and how much of that the call itself took. The
  // difference is what the slot stood idle because of us (the intent's way to the disk, the outcome's way into the next
  // turn).
  virtual void Call(Api api, absl::Duration held, absl::Duration called) = 0;
  // From the end of a call to the moment when its outcome was durable and what follows from it was sent.
  virtual void Transition(absl::Duration took) = 0;
  // The journal can be written, or can no more: then operations stand still.
  virtual void Journal(bool writable) = 0;
};

class NoMeter final : public Meter {
 public:
  void Call(Api, absl::Duration, absl::Duration) override {}
  void Transition(absl::Duration) override {}
  void Journal(bool) override {}
};

}  // namespace protector::orchestrator
