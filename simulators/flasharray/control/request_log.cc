#include "simulators/flasharray/control/request_log.h"

#include <filesystem>
#include <stdexcept>

namespace protector::fasim {
namespace {

constexpr std::size_t kKept = 50000;

}  // namespace

RequestLog::RequestLog(const std::string& state_dir) {
  if (state_dir.empty()) return;
  std::filesystem::create_directories(state_dir);
  path_ = state_dir + "/requests.jsonl";
  std::ifstream old(path_);
  for (std::string line; std::getline(old, line);) {
    Json entry = Json::parse(line, nullptr, false);
    if (!entry.is_object()) continue;  // the torn last line of a killed process
    next_ = entry.value("seq", next_) + 1;
    entries_.push_back(std::move(entry));
    if (entries_.size() > kKept) entries_.pop_front();
  }
  file_.open(path_, std::ios::app);
  if (!file_) throw std::runtime_error("cannot write " + path_);
}

void RequestLog::Add(Json entry) {
  const std::lock_guard<std::mutex> lock(mutex_);
  entry["seq"] = next_++;
  if (file_.is_open()) file_ << entry.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n' << std::flush;
  entries_.push_back(std::move(entry));
  if (entries_.size() > kKept) entries_.pop_front();
}

Json RequestLog::Since(std::uint64_t seq) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  Json out = Json::array();
  for (const Json& entry : entries_) {
    if (entry["seq"].get<std::uint64_t>() > seq) out.push_back(entry);
  }
  return out;
}

void RequestLog::Clear() {
  const std::lock_guard<std::mutex> lock(mutex_);
  entries_.clear();
  if (!file_.is_open()) return;
  file_.close();
  file_.open(path_, std::ios::trunc);
}

}  // namespace protector::fasim
