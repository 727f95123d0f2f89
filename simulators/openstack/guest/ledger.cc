#include "simulators/openstack/guest/ledger.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "simulators/openstack/core/util.h"

namespace protector::ossim {
namespace {

json ToJson(const std::optional<Found>& f) {
  if (!f) return nullptr;
  return {{"sequence", f->sequence}, {"time_ms", f->time_ms}, {"writer", f->writer}};
}

}  // namespace

Ledger::~Ledger() {
  if (fd_ >= 0) ::close(fd_);
}

std::string Ledger::Open(const std::string& directory) {
  if (directory.empty()) return "";
  std::lock_guard<std::mutex> lock(mutex_);
  std::string path = directory + "/ledger.jsonl";
  off_t good = 0;
  {
    std::ifstream in(path);
    std::string text;
    while (std::getline(in, text)) {
      json line = json::parse(text, nullptr, false);
      if (!line.is_array()) break;  // a torn tail
      Load(line);
      good += static_cast<off_t>(text.size() + 1);
    }
  }
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd_ < 0) return fmt::format("cannot write {}: {}", path, std::strerror(errno));
  if (::lseek(fd_, 0, SEEK_END) > good && ::ftruncate(fd_, good) != 0)
    return fmt::format("cannot cut the torn end off {}", path);
  return "";
}

void Ledger::Load(const json& line) {
  std::string kind = line[0].get<std::string>();
  if (kind == "s") {
    const json& d = line[1];
    Session s;
    s.info = {d["lineage"], d["serial"], d["volume_id"], d["server_id"],      d["server_name"],
              d["device"],  d["writer"], std::nullopt,   d["writers_on_disk"]};
    if (!d["found_at_boot"].is_null()) {
      s.info.found_at_boot =
          Found{d["found_at_boot"]["sequence"], d["found_at_boot"]["time_ms"], d["found_at_boot"]["writer"]};
    }
    sessions_.push_back(std::move(s));
    return;
  }
  auto index = line[1].get<size_t>();
  if (index >= sessions_.size()) return;
  if (kind == "a") sessions_[index].acks.emplace_back(line[2].get<uint64_t>(), line[3].get<int64_t>());
  if (kind == "e") {
    sessions_[index].io_errors = line[2].get<int64_t>();
    sessions_[index].last_error = line[3].get<std::string>();
    sessions_[index].last_error_ms = line[4].get<int64_t>();
  }
}

void Ledger::Append(const std::string& text) {
  if (fd_ < 0) return;
  size_t done = 0;
  while (done < text.size()) {
    ssize_t n = ::write(fd_, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      spdlog::critical("the ledger cannot be written: {}", std::strerror(errno));
      std::abort();
    }
    done += static_cast<size_t>(n);
  }
}

int Ledger::Begin(const SessionInfo& info) {
  std::lock_guard<std::mutex> lock(mutex_);
  json d = {{"lineage", info.lineage},
            {"serial", info.serial},
            {"volume_id", info.volume_id},
            {"server_id", info.server_id},
            {"server_name", info.server_name},
            {"device", info.device},
            {"writer", info.writer},
            {"found_at_boot", ToJson(info.found_at_boot)},
            {"writers_on_disk", info.writers_on_disk}};
  Append(json::array({"s", d}).dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
  sessions_.push_back({info, {}, 0, "", 0});
  return static_cast<int>(sessions_.size()) - 1;
}

void Ledger::Acknowledge(const std::vector<Acknowledged>& batch) {
  if (batch.empty()) return;
  std::lock_guard<std::mutex> lock(mutex_);
  std::string text;
  for (const Acknowledged& a : batch) {
    sessions_[static_cast<size_t>(a.session)].acks.emplace_back(a.sequence, a.time_ms);
    if (fd_ >= 0) text += fmt::format("[\"a\",{},{},{}]\n", a.session, a.sequence, a.time_ms);
  }
  Append(text);
}

void Ledger::IoError(int session, const std::string& error) {
  std::lock_guard<std::mutex> lock(mutex_);
  Session& s = sessions_[static_cast<size_t>(session)];
  ++s.io_errors;
  bool news = s.last_error != error || s.io_errors % 100 == 1;
  s.last_error = error;
  s.last_error_ms = NowMs();
  if (news) {
    Append(json::array({"e", session, s.io_errors, error, s.last_error_ms})
               .dump(-1, ' ', false, json::error_handler_t::replace) +
           "\n");
  }
}

json Ledger::Summary(const Session& s) {
  json last, acked = json::array();
  if (!s.acks.empty()) {
    last = {{"sequence", s.acks.back().first}, {"time_ms", s.acks.back().second}};
    acked.push_back({{"writer", s.info.writer},
                     {"first", s.acks.front().first},
                     {"last", s.acks.back().first},
                     {"first_ms", s.acks.front().second},
                     {"last_ms", s.acks.back().second},
                     {"count", s.acks.size()}});
  }
  return {{"lineage", s.info.lineage},
          {"serial", s.info.serial},
          {"volume_id", s.info.volume_id},
          {"server_id", s.info.server_id},
          {"server_name", s.info.server_name},
          {"device", s.info.device},
          {"writer", s.info.writer},
          {"found_at_boot", ToJson(s.info.found_at_boot)},
          {"last_acknowledged", last},
          {"acknowledged", acked},
          {"io_errors", s.io_errors},
          {"last_io_error", s.io_errors > 0 ? json{{"text", s.last_error}, {"time_ms", s.last_error_ms}} : json()},
          {"writers_on_disk", s.info.writers_on_disk}};
}

json Ledger::Report(const Query& query) const {
  std::lock_guard<std::mutex> lock(mutex_);
  json volumes = json::array(), lineages = json::object();
  for (const Session& s : sessions_) {
    if (!query.lineage.empty() && s.info.lineage != query.lineage) continue;
    if (!query.server_id.empty() && s.info.server_id != query.server_id) continue;
    if (!query.volume_id.empty() && s.info.volume_id != query.volume_id) continue;
    json summary = Summary(s);
    json& lineage = lineages[s.info.lineage];
    if (lineage.is_null()) {
      lineage = {{"acknowledged", json::array()}, {"last_acknowledged", nullptr}, {"found_at_boot", json::array()}};
      if (query.detail) lineage["records"] = json::array();
      if (query.at_ms > 0) lineage["at"] = nullptr;
    }
    for (const json& range : summary["acknowledged"]) lineage["acknowledged"].push_back(range);
    if (!summary["last_acknowledged"].is_null()) lineage["last_acknowledged"] = summary["last_acknowledged"];
    lineage["found_at_boot"].push_back(summary["found_at_boot"]);
    for (const auto& [sequence, time] : s.acks) {
      if (query.detail) lineage["records"].push_back({sequence, time});
      if (query.at_ms > 0 && time <= query.at_ms) lineage["at"] = {{"sequence", sequence}, {"time_ms", time}};
    }
    volumes.push_back(std::move(summary));
  }
  return {{"volumes", volumes}, {"lineages", lineages}};
}

std::map<uint64_t, std::string> Ledger::Acks(const std::string& lineage) const {
  std::lock_guard<std::mutex> lock(mutex_);
  std::map<uint64_t, std::string> out;
  for (const Session& s : sessions_) {
    if (s.info.lineage != lineage) continue;
    for (const auto& [sequence, time] : s.acks) out[sequence] = s.info.writer;
  }
  return out;
}

std::set<std::string> Ledger::ServersOf(const std::string& lineage) const {
  std::lock_guard<std::mutex> lock(mutex_);
  std::set<std::string> out;
  for (const Session& s : sessions_) {
    if (s.info.lineage == lineage) out.insert(s.info.server_id);
  }
  return out;
}

}  // namespace protector::ossim
