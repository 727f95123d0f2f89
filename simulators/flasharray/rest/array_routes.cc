// /arrays, /arrays/space, /arrays/performance
#include "simulators/flasharray/rest/dispatcher.h"
#include "simulators/flasharray/rest/items.h"
#include "simulators/flasharray/rest/performance.h"
#include "simulators/flasharray/rest/pick.h"

namespace protector::fasim {
namespace {

constexpr std::uint64_t kCapacity = std::uint64_t{100} << 40;

Json ArrayItem(Tx& tx) {
  const ArrayInfo array = tx.array();
  return {{"id", array.array_id},
          {"name", array.name},
          {"_as_of", tx.now()},
          {"banner", array.banner},
          {"capacity", kCapacity},
          {"console_lock_enabled", false},
          {"encryption",
           {{"data_at_rest", {{"algorithm", "AES-256-CTR"}, {"enabled", true}}}, {"module_version", "FA-1.4"}}},
          {"eradication_config",
           {{"disabled_delay", array.eradication_delay},
            {"enabled_delay", array.eradication_delay},
            {"eradication_delay", array.eradication_delay},
            {"manual_eradication", "all-enabled"}}},
          {"idle_timeout", array.idle_timeout},
          {"ntp_servers", array.ntp_servers},
          {"ntp_symmetric_key", nullptr},
          {"os", "Purity//FA"},
          {"parity", 1.0},
          {"scsi_timeout", 60000},
          {"space", SpaceOf(AllocatedOn(tx), 0, ProvisionedOn(tx))},
          {"time_zone", array.time_zone},
          {"version", "6.5.0"}};
}

Answer One(const Call& call, std::function<Json()> build) {
  return ListRows(call, {{"array", std::move(build)}});
}

Answer Change(Tx& tx, const Call& call) {
  CheckAnyAttribute(call);
  ArrayInfo array = tx.array();
  if (const auto timeout = call.BodyInteger("idle_timeout")) {
    if (*timeout != 0 && (*timeout < 300000 || *timeout > 10800000)) {
      throw ApiError("Idle timeout must be between 5 minutes and 3 hours.");
    }
    array.idle_timeout = *timeout;
  }
  array.banner = call.BodyText("banner").value_or(array.banner);
  if (call.BodyHas("ntp_servers")) array.ntp_servers = TextsAt(call.body, "ntp_servers");
  if (call.BodyHas("eradication_config")) {
    const Json& config = call.body["eradication_config"];
    for (const char* key : {"eradication_delay", "enabled_delay", "disabled_delay"}) {
      array.eradication_delay = IntegerAt(config, key).value_or(array.eradication_delay);
    }
  }
  if (call.BodyHas("name")) throw ApiError(array.name, "The name of a simulated array is fixed.");
  tx.Put(array);
  Answer answer;
  answer.items.push_back(ArrayItem(tx));
  return answer;
}

// One row per `resolution` between start and end, newest last; at least one, because clients read item 0.
Answer Performance(Tx& tx, const Call& call) {
  const Millis end = call.Integer("end_time").value_or(tx.now());
  const Millis start = call.Integer("start_time").value_or(end);
  const Millis step = std::max<Millis>(1000, call.Integer("resolution").value_or(30000));
  std::vector<Row> rows;
  for (Millis at = start; (at <= end || rows.empty()) && rows.size() < 1000; at += step) {
    rows.push_back({fmt::format("{:020}", at), [&tx, at] {
                      Json item = QuietPerformance(at);
                      item["id"] = tx.array().array_id;
                      item["name"] = tx.array().name;
                      return item;
                    }});
  }
  return ListRows(call, std::move(rows));
}

}  // namespace

void AddArrayRoutes(Dispatcher* dispatcher) {
  dispatcher->Route("GET", "/arrays",
                    [](Tx& tx, const Call& call) { return One(call, [&tx] { return ArrayItem(tx); }); });
  dispatcher->Route("PATCH", "/arrays", Change);
  dispatcher->Route("GET", "/arrays/space", [](Tx& tx, const Call& call) {
    return One(call, [&tx] {
      Json item = ArrayItem(tx);
      item["time"] = tx.now();
      return item;
    });
  });
  dispatcher->Route("GET", "/arrays/performance", Performance);
}

}  // namespace protector::fasim
