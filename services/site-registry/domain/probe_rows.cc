#include "services/site-registry/domain/probe_rows.h"

#include <thread>

#include "libs/base/error.h"

namespace protector::site_registry {
namespace {

Row Make(Row::State state, const std::string& detail, const std::string& remedy) {
  Row row;
  row.set_state(state);
  row.set_detail(detail);
  row.set_remedy(remedy);
  return row;
}

}  // namespace

Row Good(const std::string& detail) {
  return Make(Row::OK, detail, "");
}
Row Warn(const std::string& detail, const std::string& remedy) {
  return Make(Row::WARNING, detail, remedy);
}
Row Bad(const std::string& detail, const std::string& remedy) {
  return Make(Row::FAILED, detail, remedy);
}
Row Skip(const std::string& detail) {
  return Make(Row::SKIPPED, detail, "");
}

Row Bad(const absl::Status& status, const std::string& remedy) {
  const std::string own = DetailOf(status).remedy;
  return Bad(MessageOf(status), own.empty() ? remedy : own);
}

std::vector<Row> RunProbes(const std::vector<Probe>& probes, Clock& clock) {
  std::vector<Row> rows(probes.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < probes.size(); ++i) {
    threads.emplace_back([&, i] {
      const absl::Duration started = clock.Monotonic();
      Row row = probes[i].run();
      row.set_probe(probes[i].name);
      if (row.target().empty()) row.set_target(probes[i].target);
      row.set_duration_ms(absl::ToInt64Milliseconds(clock.Monotonic() - started));
      rows[i] = std::move(row);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return rows;
}

}  // namespace protector::site_registry
