#include "simulators/openstack/core/faults.h"

#include <chrono>
#include <set>

#include <fmt/format.h>

#include "simulators/openstack/core/util.h"

namespace protector::ossim {
namespace {

const std::set<std::string>& Actions() {
  static const std::set<std::string> names = {
      "error", "delay", "cut_before", "execute_then_cut", "black_hole", "execute_then_hang"};
  return names;
}

const std::set<std::string>& Behaviours() {
  static const std::set<std::string> names = {
      "server_build_error",  "server_build_stuck", "ignore_graceful_stop", "stop_error",          "start_error",
      "server_delete_error", "manage_error",       "manage_stuck",         "volume_create_error", "volume_delete_error",
      "unmanage_error",      "attach_error",       "port_build_stuck"};
  return names;
}

bool Fits(const json& rule, const char* key, const std::string& value, bool anywhere) {
  auto it = rule.find(key);
  if (it == rule.end() || it->is_null()) return true;
  std::string pattern = it->get<std::string>();
  if (anywhere) pattern = "*" + pattern + "*";
  return GlobMatch(pattern, value);
}

std::string Padded(int64_t n) {
  return fmt::format("fault-{:04}", n);
}

}  // namespace

std::string Faults::Add(const json& rule, std::string* error) {
  if (!rule.is_object()) {
    *error = "a fault rule is a JSON object";
    return "";
  }
  std::string action = rule.value("action", ""), behaviour = rule.value("behaviour", "");
  if (behaviour.empty() ? Actions().count(action) == 0 : Behaviours().count(behaviour) == 0) {
    *error = behaviour.empty() ? fmt::format("unknown action '{}'", action)
                               : fmt::format("unknown behaviour '{}'", behaviour);
    return "";
  }
  static const std::set<std::string> keys = {"service", "method",      "path",      "body",   "nth",
                                             "count",   "probability", "action",    "status", "response",
                                             "headers", "delay_ms",    "behaviour", "match"};
  for (const auto& [key, value] : rule.items()) {
    if (keys.count(key) == 0) {
      *error = fmt::format("unknown member '{}'", key);
      return "";
    }
  }
  std::lock_guard<std::mutex> lock(mutex_);
  std::string id = Padded(next_++);
  rules_[id].spec = rule;
  return id;
}

bool Faults::Remove(const std::string& id) {
  bool gone;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    gone = rules_.erase(id) > 0;
  }
  changed_.notify_all();
  return gone;
}

void Faults::Clear() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    rules_.clear();
  }
  changed_.notify_all();
}

json Faults::List() const {
  std::lock_guard<std::mutex> lock(mutex_);
  json out = json::array();
  for (const auto& [id, rule] : rules_) {
    json entry = rule.spec;
    entry["id"] = id;
    entry["matched"] = rule.matched;
    entry["fired"] = rule.fired;
    out.push_back(std::move(entry));
  }
  return out;
}

bool Faults::Fire(Rule& rule) {
  ++rule.matched;
  if (rule.matched < rule.spec.value("nth", int64_t{1})) return false;
  int64_t count = rule.spec.value("count", int64_t{0});
  if (count > 0 && rule.fired >= count) return false;
  double probability = rule.spec.value("probability", 1.0);
  if (probability < 1.0 && RandomUnit() >= probability) return false;
  ++rule.fired;
  return true;
}

std::optional<TransportFault> Faults::Match(const std::string& service, const std::string& method,
                                            const std::string& path, const std::string& body) {
  std::lock_guard<std::mutex> lock(mutex_);
  for (auto& [id, rule] : rules_) {
    const json& spec = rule.spec;
    if (spec.contains("behaviour")) continue;
    if (!Fits(spec, "service", service, false) || !Fits(spec, "method", method, false) ||
        !Fits(spec, "path", path, false) || !Fits(spec, "body", body, true)) {
      continue;
    }
    if (!Fire(rule)) continue;
    TransportFault fault;
    fault.id = id;
    fault.action = spec.at("action").get<std::string>();
    fault.status = spec.value("status", 500);
    fault.response = spec.value("response", json());
    fault.headers = spec.value("headers", json::object());
    fault.delay_ms = spec.value("delay_ms", int64_t{0});
    return fault;
  }
  return std::nullopt;
}

const Faults::Rule* Faults::Fires(const std::string& behaviour, const std::string& name, const std::string& id,
                                  std::string* rule_id) {
  for (auto& [rid, rule] : rules_) {
    if (rule.spec.value("behaviour", "") != behaviour) continue;
    json match = rule.spec.value("match", json::object());
    if (!Fits(match, "name", name, false) || !Fits(match, "id", id, false) || !Fire(rule)) continue;
    *rule_id = rid;
    return &rule;
  }
  return nullptr;
}

bool Faults::Behaves(const std::string& behaviour, const std::string& name, const std::string& id) {
  std::lock_guard<std::mutex> lock(mutex_);
  std::string rule_id;
  return Fires(behaviour, name, id, &rule_id) != nullptr;
}

bool Faults::Holds(const std::string& behaviour, const std::string& name, const std::string& id, int64_t limit_ms) {
  std::lock_guard<std::mutex> lock(mutex_);
  std::string key = behaviour + "|" + id;
  auto it = held_.find(key);
  if (it == held_.end()) {
    Held held;
    const Rule* rule = Fires(behaviour, name, id, &held.rule_id);
    if (rule == nullptr) return false;
    int64_t limit = rule->spec.value("delay_ms", limit_ms);
    held.until_ms = limit == 0 ? 0 : NowMs() + limit;
    held_[key] = held;
    return true;
  }
  bool holds = rules_.count(it->second.rule_id) > 0 && (it->second.until_ms == 0 || NowMs() < it->second.until_ms);
  if (!holds) held_.erase(it);
  return holds;
}

void Faults::Hold(const std::string& rule_id, int64_t delay_ms) {
  std::unique_lock<std::mutex> lock(mutex_);
  auto released = [&] { return shutdown_ || rules_.count(rule_id) == 0; };
  if (delay_ms > 0) {
    changed_.wait_for(lock, std::chrono::milliseconds(delay_ms), released);
  } else {
    changed_.wait(lock, released);
  }
}

void Faults::Shutdown() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    shutdown_ = true;
  }
  changed_.notify_all();
}

}  // namespace protector::ossim
