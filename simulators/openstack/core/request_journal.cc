#include "simulators/openstack/core/request_journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <set>

#include <spdlog/spdlog.h>

#include "simulators/openstack/core/util.h"

namespace protector::ossim {
namespace {
constexpr size_t kKeep = 200000;
}

json Redacted(const json& body) {
  static const std::set<std::string> secret = {"password",          "adminPass",   "secret",
                                               "original_password", "private_key", "user_data"};
  if (body.is_object()) {
    json out = json::object();
    for (const auto& [key, value] : body.items()) {
      if (secret.count(key) > 0 && value.is_string()) {
        out[key] = "***";
      } else if (key == "token" && value.is_object() && value.contains("id")) {
        out[key] = {{"id", "***"}};
      } else {
        out[key] = Redacted(value);
      }
    }
    return out;
  }
  if (body.is_array()) {
    json out = json::array();
    for (const json& v : body) out.push_back(Redacted(v));
    return out;
  }
  return body;
}

RequestJournal::~RequestJournal() {
  if (fd_ >= 0) ::close(fd_);
}

void RequestJournal::Open(const std::string& directory) {
  if (directory.empty()) return;
  std::lock_guard<std::mutex> lock(mutex_);
  path_ = directory + "/requests.jsonl";
  std::ifstream in(path_);
  std::string line;
  while (std::getline(in, line)) {
    json entry = json::parse(line, nullptr, false);
    if (!entry.is_object()) continue;
    next_ = entry.value("n", next_) + 1;
    entries_.push_back(std::move(entry));
    if (entries_.size() > kKeep) entries_.pop_front();
  }
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd_ < 0) spdlog::error("cannot append to {}", path_);
}

void RequestJournal::Add(json entry) {
  std::lock_guard<std::mutex> lock(mutex_);
  entry["n"] = next_++;
  if (fd_ >= 0) {
    std::string line = entry.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
    if (::write(fd_, line.data(), line.size()) < 0) spdlog::error("cannot append to {}", path_);
  }
  entries_.push_back(std::move(entry));
  if (entries_.size() > kKeep) entries_.pop_front();
}

json RequestJournal::Since(int64_t n, const std::string& service, const std::string& method,
                           const std::string& path_glob) const {
  std::lock_guard<std::mutex> lock(mutex_);
  json out = json::array();
  for (const json& e : entries_) {
    if (e["n"] <= n) continue;
    if (!service.empty() && e["service"] != service) continue;
    if (!method.empty() && e["method"] != method) continue;
    if (!path_glob.empty() && !GlobMatch(path_glob, e["path"].get<std::string>())) continue;
    out.push_back(e);
  }
  return {{"next", next_ - 1}, {"entries", std::move(out)}};
}

void RequestJournal::Clear() {
  std::lock_guard<std::mutex> lock(mutex_);
  entries_.clear();
  if (fd_ >= 0 && ::ftruncate(fd_, 0) != 0) spdlog::error("cannot empty {}", path_);
}

int64_t RequestJournal::size() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return static_cast<int64_t>(entries_.size());
}

}  // namespace protector::ossim
