#pragma once
// Running many probes at once and keeping their rows in a fixed order.
//
// Threads: Run uses one thread per probe and returns when all have ended; each probe has to keep to its own deadline.
// Ownership: values. Failure: a probe's failure is its row.

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "libs/base/clock.h"
#include "protector/site/v1/site.pb.h"

namespace protector::site_registry {

using Row = protector::site::v1::ProbeResult;

struct Probe {
  std::string name;
  std::string target;
  std::function<Row()> run;  // fills state, detail and remedy (and a better target, if it learns one)
};

Row Good(const std::string& detail);
Row Warn(const std::string& detail, const std::string& remedy);
Row Bad(const std::string& detail, const std::string& remedy);
Row Skip(const std::string& detail);
// FAILED, with the message and remedy of a status; `remedy` when it has none.
Row Bad(const absl::Status& status, const std::string& remedy);

// Rows in the order of the probes, with name, target and duration.
std::vector<Row> RunProbes(const std::vector<Probe>& probes, Clock& clock);

}  // namespace protector::site_registry
