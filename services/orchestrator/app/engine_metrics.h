#pragma once
// The engine's speed as Prometheus metrics:
//   protector_engine_slot_seconds_total{api}   time in which calls to an API held one of its slots (limits.*)
//   protector_engine_call_seconds_total{api}   time that those calls themselves took; the rest of the slot's time is
//   ours protector_engine_transition_seconds        end of a call -> outcome durable and what follows sent
//   protector_engine_journal_writable          1; 0: the journal cannot be written, and operations stand still
//
// Threads: the engine's. Ownership: the registry outlives it. Failure: none.

#include <array>

#include "libs/metrics/metrics.h"
#include "services/orchestrator/domain/engine/meter.h"

namespace protector::orchestrator {

class EngineMetrics final : public Meter {
 public:
  explicit EngineMetrics(metrics::Registry& registry);
  void Call(Api api, absl::Duration held, absl::Duration called) override;
  void Transition(absl::Duration took) override;
  void Journal(bool writable) override;

 private:
  struct Slots {
    metrics::Counter held, called;
  };
  static Slots SlotsOf(metrics::Registry& registry, Api api);
  std::array<Slots, static_cast<size_t>(Api::kCount)> slots_;
  metrics::Histogram transition_;
  metrics::Gauge journal_;
};

}  // namespace protector::orchestrator
