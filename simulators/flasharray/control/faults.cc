#include "simulators/flasharray/control/faults.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "simulators/flasharray/base/text.h"

namespace protector::fasim {

int Faults::Add(const Json& description) {
  static const std::array<const char*, 6> kActions{"error",         "delay",     "cut_before", "execute_then_cut",
                                                   "half_then_cut", "black_hole"};
  if (!description.is_object()) throw ApiError("A fault is an object with match and action.");
  Fault fault;
  fault.description = description;
  try {
    const Json match = description.value("match", Json::object());
    fault.plane = match.value("plane", "rest");
    fault.method = match.value("method", "");
    fault.path = match.value("path", "*");
    fault.body = match.value("body", "");
    if (StartsWith(fault.path, "regex:")) fault.regex = std::regex(fault.path.substr(6));
    const Json params = match.value("param", Json::object());
    for (const auto& [name, value] : params.items()) fault.params[name] = value.get<std::string>();
    // The numbers may stand beside the match or in it.
    const auto number = [&](const char* key) {
      return match.contains(key) ? match[key] : description.value(key, Json(nullptr));
    };
    if (!number("nth").is_null()) {
      fault.nth = std::max<std::uint64_t>(1, number("nth").get<std::uint64_t>());
      fault.count = 1;
    }
    if (!number("count").is_null()) fault.count = number("count").get<std::uint64_t>();
    if (!number("probability").is_null()) fault.probability = number("probability").get<double>();
    fault.action.action = description.value("action", "error");
    fault.action.status = description.value("status", 500);
    fault.action.message = description.value("message", "Internal error.");
    if (description.contains("context") && description["context"].is_string()) {
      fault.action.context = description["context"].get<std::string>();
    }
    fault.action.delay_ms = description.value("delay_ms", fault.action.action == "black_hole" ? 600000 : 0);
  } catch (const std::exception& error) {
    throw ApiError(std::string("Malformed fault: ") + error.what());
  }
  if (std::find(kActions.begin(), kActions.end(), fault.action.action) == kActions.end()) {
    throw ApiError("Unknown action: " + fault.action.action);
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  fault.action.id = next_++;
  faults_.push_back(std::move(fault));
  return faults_.back().action.id;
}

Json Faults::List() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  Json out = Json::array();
  for (const Fault& fault : faults_) {
    Json one = fault.description;
    one["id"] = fault.action.id;
    one["matches"] = fault.matches;
    one["hits"] = fault.hits;
    out.push_back(std::move(one));
  }
  return out;
}

void Faults::Remove(std::optional<int> id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  faults_.remove_if([&](const Fault& fault) { return !id || fault.action.id == *id; });
  changed_.notify_all();
}

bool Faults::Matches(const Fault& fault, const FaultTarget& target) {
  if (fault.plane != target.plane) return false;
  if (!fault.method.empty() && Upper(fault.method) != target.method) return false;
  if (fault.regex) {
    if (!std::regex_search(target.path, *fault.regex)) return false;
  } else if (!GlobMatch(fault.path, target.path) && !GlobMatch(fault.path, target.short_path)) {
    return false;
  }
  for (const auto& [name, pattern] : fault.params) {
    const auto it = target.params.find(name);
    if (it == target.params.end() || !GlobMatch(pattern, it->second)) return false;
  }
  return fault.body.empty() || target.body.find(fault.body) != std::string::npos;
}

std::optional<FaultAction> Faults::Hit(const FaultTarget& target) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (Fault& fault : faults_) {
    if (fault.count && fault.hits >= *fault.count) continue;
    if (!Matches(fault, target)) continue;
    ++fault.matches;
    if (fault.matches < fault.nth) continue;
    if (fault.probability < 1 && std::uniform_real_distribution<double>(0, 1)(random_) >= fault.probability) continue;
    ++fault.hits;
    return fault.action;
  }
  return std::nullopt;
}

void Faults::Wait(int id, Millis delay_ms) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(delay_ms), [&] {
    return stopped_ || std::none_of(faults_.begin(), faults_.end(), [&](const Fault& f) { return f.action.id == id; });
  });
}

void Faults::Stop() {
  const std::lock_guard<std::mutex> lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

}  // namespace protector::fasim
