// What guests had acknowledged: one session per boot of a server and volume, each acknowledged record with its time.
// Kept in memory and appended to ledger.jsonl before the guest goes on, so that it outlives servers, volumes and kill
// -9. Threads: any. Failure: an unwritable file ends the process (a ledger that forgets would prove nothing).
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace protector::ossim {

using json = nlohmann::json;

struct Found {
  uint64_t sequence = 0;
  int64_t time_ms = 0;
  std::string writer;
};

struct SessionInfo {
  std::string lineage, serial, volume_id, server_id, server_name, device, writer;
  std::optional<Found> found_at_boot;
  json writers_on_disk = json::array();
};

struct Acknowledged {
  int session = 0;
  uint64_t sequence = 0;
  int64_t time_ms = 0;
};

class Ledger {
 public:
  ~Ledger();
  std::string Open(const std::string& directory);
  int Begin(const SessionInfo& info);
  void Acknowledge(const std::vector<Acknowledged>& batch);
  void IoError(int session, const std::string& text);

  struct Query {
    std::string lineage, server_id, volume_id;
    bool detail = false;
    int64_t at_ms = 0;
  };
  json Report(const Query& query) const;
  // Acknowledged by this site for a lineage: sequence -> writer of the last acknowledgement.
  std::map<uint64_t, std::string> Acks(const std::string& lineage) const;
  std::set<std::string> ServersOf(const std::string& lineage) const;

 private:
  struct Session {
    SessionInfo info;
    std::vector<std::pair<uint64_t, int64_t>> acks;
    int64_t io_errors = 0;
    std::string last_error;
    int64_t last_error_ms = 0;
  };
  void Append(const std::string& text);
  void Load(const json& line);
  static json Summary(const Session& s);

  mutable std::mutex mutex_;
  std::vector<Session> sessions_;
  int fd_ = -1;
};

}  // namespace protector::ossim
