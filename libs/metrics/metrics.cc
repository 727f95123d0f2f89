#include "libs/metrics/metrics.h"

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/exposer.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "libs/base/error.h"

namespace protector::metrics {
namespace {

class CivetwebEndpoint final : public Endpoint {
 public:
  CivetwebEndpoint(const std::string& address, const std::shared_ptr<prometheus::Registry>& registry)
      : exposer_(address, /*num_threads=*/1) {
    exposer_.RegisterCollectable(registry);
  }

 private:
  prometheus::Exposer exposer_;
};

}  // namespace

void Counter::Increment(double by) const {
  counter_->Increment(by);
}
void Gauge::Set(double value) const {
  gauge_->Set(value);
}
void Gauge::Add(double by) const {
  gauge_->Increment(by);
}
void Histogram::Observe(double value) const {
  histogram_->Observe(value);
}

const std::vector<double>& DefaultSeconds() {
  static const std::vector<double> kBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                              1,     2.5,    5,     10,   30,    60,   120, 300,  600};
  return kBounds;
}

// The registry merges families of one name, so that asking twice gives the same instrument.
Registry::Registry() : registry_(std::make_shared<prometheus::Registry>(prometheus::Registry::InsertBehavior::Merge)) {}
Registry::~Registry() = default;

Counter Registry::GetCounter(const std::string& name, const std::string& help, const Labels& labels) {
  return Counter(&prometheus::BuildCounter().Name(name).Help(help).Register(*registry_).Add(labels));
}

Gauge Registry::GetGauge(const std::string& name, const std::string& help, const Labels& labels) {
  return Gauge(&prometheus::BuildGauge().Name(name).Help(help).Register(*registry_).Add(labels));
}

Histogram Registry::GetHistogram(const std::string& name, const std::string& help, const Labels& labels,
                                 const std::vector<double>& bounds) {
  return Histogram(&prometheus::BuildHistogram().Name(name).Help(help).Register(*registry_).Add(labels, bounds));
}

std::string Registry::Text() const {
  return prometheus::TextSerializer().Serialize(registry_->Collect());
}

absl::StatusOr<std::unique_ptr<Endpoint>> Endpoint::Start(const Registry& registry, const std::string& address) {
  try {
    return std::make_unique<CivetwebEndpoint>(address, registry.native());
  } catch (const std::exception& e) {
    return Error(absl::StatusCode::kUnavailable, "METRICS_ADDRESS_UNUSABLE",
                 fmt::format("cannot serve metrics on {}: {}", address, e.what()))
        .Object("address " + address)
        .Remedy("Set metrics.listen to a free address of this machine, or end the program that uses it.");
  }
}

}  // namespace protector::metrics
