// Every changing request that was received, in order, with secrets taken out. Kept in memory (bounded) and in
// requests.jsonl of the state directory, so that effects can be counted over restarts.
// Threads: any. Failure: an unwritable file is logged once; memory goes on.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>

#include <nlohmann/json.hpp>

namespace protector::ossim {

using json = nlohmann::json;

// The same document with passwords, tokens, secrets and private keys replaced by "***".
json Redacted(const json& body);

class RequestJournal {
 public:
  ~RequestJournal();
  void Open(const std::string& directory);
  void Add(json entry);
  json Since(int64_t n, const std::string& service, const std::string& method, const std::string& path_glob) const;
  void Clear();
  int64_t size() const;

 private:
  mutable std::mutex mutex_;
  std::deque<json> entries_;
  int64_t next_ = 1;
  int fd_ = -1;
  std::string path_;
};

}  // namespace protector::ossim
