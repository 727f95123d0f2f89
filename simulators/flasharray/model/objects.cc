#include "simulators/flasharray/model/objects.h"

namespace protector::fasim {
namespace {

template <class T>
void PutOptional(Json& json, const char* key, const std::optional<T>& value) {
  json[key] = value ? Json(*value) : Json(nullptr);
}

template <class T>
void GetOptional(const Json& json, const char* key, std::optional<T>* value) {
  const auto it = json.find(key);
  *value = it == json.end() || it->is_null() ? std::nullopt : std::optional<T>(it->get<T>());
}

}  // namespace

void to_json(Json& json, const Schedule& schedule) {
  json = Json{{"enabled", schedule.enabled}, {"frequency", schedule.frequency}};
  PutOptional(json, "at", schedule.at);
  PutOptional(json, "blackout_start", schedule.blackout_start);
  PutOptional(json, "blackout_end", schedule.blackout_end);
}

void from_json(const Json& json, Schedule& schedule) {
  schedule.enabled = json.value("enabled", false);
  schedule.frequency = json.value("frequency", std::int64_t{0});
  GetOptional(json, "at", &schedule.at);
  GetOptional(json, "blackout_start", &schedule.blackout_start);
  GetOptional(json, "blackout_end", &schedule.blackout_end);
}

void to_json(Json& json, const ArrayConnection& connection) {
  json = Json{{"id", connection.id},
              {"name", connection.name},
              {"management_address", connection.management_address},
              {"control_address", connection.control_address},
              {"type", connection.type},
              {"transport", connection.transport},
              {"version", connection.version},
              {"replication_addresses", connection.replication_addresses}};
  PutOptional(json, "default_limit", connection.default_limit);
  PutOptional(json, "window_start", connection.window_start);
  PutOptional(json, "window_end", connection.window_end);
  PutOptional(json, "window_limit", connection.window_limit);
}

void from_json(const Json& json, ArrayConnection& connection) {
  connection.id = json.value("id", "");
  connection.name = json.value("name", "");
  connection.management_address = json.value("management_address", "");
  connection.control_address = json.value("control_address", "");
  connection.type = json.value("type", "async-replication");
  connection.transport = json.value("transport", "ip");
  connection.version = json.value("version", "");
  connection.replication_addresses = json.value("replication_addresses", std::vector<std::string>{});
  GetOptional(json, "default_limit", &connection.default_limit);
  GetOptional(json, "window_start", &connection.window_start);
  GetOptional(json, "window_end", &connection.window_end);
  GetOptional(json, "window_limit", &connection.window_limit);
}

void to_json(Json& json, const Pod& pod) {
  json = Json{{"id", pod.id},
              {"name", pod.name},
              {"source_id", pod.source_id},
              {"source_name", pod.source_name},
              {"destroyed", pod.destroyed},
              {"eradicate_at", pod.eradicate_at},
              {"mediator", pod.mediator},
              {"promotion_status", pod.promotion_status},
              {"requested_promotion_state", pod.requested_promotion_state},
              {"arrays", pod.arrays},
              {"failover_preferences", pod.failover_preferences},
              {"quiescing", pod.quiescing},
              {"undo_of", pod.undo_of},
              {"stretch_uid", pod.stretch_uid},
              {"default_protection", pod.default_protection}};
  PutOptional(json, "quota_limit", pod.quota_limit);
}

void from_json(const Json& json, Pod& pod) {
  pod.id = json.value("id", "");
  pod.name = json.value("name", "");
  pod.source_id = json.value("source_id", "");
  pod.source_name = json.value("source_name", "");
  pod.destroyed = json.value("destroyed", false);
  pod.eradicate_at = json.value("eradicate_at", Millis{0});
  pod.mediator = json.value("mediator", "purestorage");
  pod.promotion_status = json.value("promotion_status", "promoted");
  pod.requested_promotion_state = json.value("requested_promotion_state", "promoted");
  pod.arrays = json.value("arrays", std::vector<PodArray>{});
  pod.failover_preferences = json.value("failover_preferences", std::vector<std::string>{});
  pod.quiescing = json.value("quiescing", false);
  pod.undo_of = json.value("undo_of", "");
  pod.stretch_uid = json.value("stretch_uid", "");
  pod.default_protection = json.value("default_protection", std::vector<std::string>{});
  GetOptional(json, "quota_limit", &pod.quota_limit);
}

}  // namespace protector::fasim
