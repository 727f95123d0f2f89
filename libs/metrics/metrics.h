#pragma once
// Prometheus metrics: counters, gauges and histograms by name and labels, and the endpoint they are pulled from. The
// names follow Prometheus' conventions (protector_rpc_seconds, protector_operations_total).
//
// Threads: all methods may be called from any thread; Counter, Gauge and Histogram are handles that are cheap to copy
// and lock-free to use (look them up once, outside loops). Ownership: the Registry outlives its handles and its
// Endpoint. Failure: asking for one name as two kinds, or an invalid name, is a programming error and aborts.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
}  // namespace prometheus

namespace protector::metrics {

using Labels = std::map<std::string, std::string>;

class Counter {
 public:
  explicit Counter(prometheus::Counter* counter) : counter_(counter) {}
  void Increment(double by = 1.0) const;

 private:
  prometheus::Counter* counter_;
};

class Gauge {
 public:
  explicit Gauge(prometheus::Gauge* gauge) : gauge_(gauge) {}
  void Set(double value) const;
  void Add(double by) const;

 private:
  prometheus::Gauge* gauge_;
};

class Histogram {
 public:
  explicit Histogram(prometheus::Histogram* histogram) : histogram_(histogram) {}
  void Observe(double value) const;

 private:
  prometheus::Histogram* histogram_;
};

// Upper bounds in seconds from 1 ms to 10 minutes: fits RPCs and steps alike.
const std::vector<double>& DefaultSeconds();

class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  Counter GetCounter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge GetGauge(const std::string& name, const std::string& help, const Labels& labels = {});
  Histogram GetHistogram(const std::string& name, const std::string& help, const Labels& labels = {},
                         const std::vector<double>& bounds = DefaultSeconds());

  // Everything in Prometheus' text format.
  std::string Text() const;

  std::shared_ptr<prometheus::Registry> native() const { return registry_; }

 private:
  std::shared_ptr<prometheus::Registry> registry_;
};

// Serves GET /metrics until it is destroyed.
class Endpoint {
 public:
  virtual ~Endpoint() = default;
  // `address` is "ip:port". An address in use or not ours: UNAVAILABLE with the remedy.
  static absl::StatusOr<std::unique_ptr<Endpoint>> Start(const Registry& registry, const std::string& address);
};

}  // namespace protector::metrics
