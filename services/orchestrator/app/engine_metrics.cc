#include "services/orchestrator/app/engine_metrics.h"

namespace protector::orchestrator {
namespace {

// Fine around the target of 5 ms.
const std::vector<double>& TransitionBounds() {
  static const std::vector<double> bounds = {0.0005, 0.001, 0.002, 0.003, 0.004, 0.005, 0.0075,
                                             0.01,   0.025, 0.05,  0.1,   0.5,   1,     10};
  return bounds;
}

}  // namespace

EngineMetrics::Slots EngineMetrics::SlotsOf(metrics::Registry& registry, Api api) {
  const metrics::Labels labels = {{"api", ApiName(api)}};
  return {
      registry.GetCounter("protector_engine_slot_seconds_total", "Time in which calls held one of the API's slots.",
                          labels),
      registry.GetCounter("protector_engine_call_seconds_total", "Time that calls in a slot took themselves.", labels)};
}

EngineMetrics::EngineMetrics(metrics::Registry& registry)
    : slots_{SlotsOf(registry, Api::kNone),    SlotsOf(registry, Api::kNova),  SlotsOf(registry, Api::kCinder),
             SlotsOf(registry, Api::kNeutron), SlotsOf(registry, Api::kArray), SlotsOf(registry, Api::kPeer),
             SlotsOf(registry, Api::kMetadata)},
      transition_(registry.GetHistogram("protector_engine_transition_seconds",
                                        "End of a call until its outcome was durable and what follows was sent.", {},
                                        TransitionBounds())),
      journal_(registry.GetGauge("protector_engine_journal_writable",
                                 "0: the journal cannot be written, and operations stand still until it can.")) {
  journal_.Set(1);
}

void EngineMetrics::Call(Api api, absl::Duration held, absl::Duration called) {
  const Slots& slots = slots_[static_cast<size_t>(api)];
  slots.held.Increment(absl::ToDoubleSeconds(held));
  slots.called.Increment(absl::ToDoubleSeconds(called));
}

void EngineMetrics::Transition(absl::Duration took) {
  transition_.Observe(absl::ToDoubleSeconds(took));
}

void EngineMetrics::Journal(bool writable) {
  journal_.Set(writable ? 1 : 0);
}

}  // namespace protector::orchestrator
