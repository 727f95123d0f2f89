// The site's state: tables of JSON documents, kept in memory and, when a directory is given, in an append-only journal.
//
// Threads: one lock for the whole site (`Store::Lock`); every table access needs it. Handlers hold it for microseconds,
// nobody holds it across I/O. Durability: what was changed under a lock is written as one journal line when the lock
// ends, that is before the answer leaves the process; a torn last line is dropped when the journal is read. The kernel
// keeps what was written when the process is killed, so there is no fsync. Failure: an unwritable journal ends the
// process (a simulator that forgets acknowledged state would falsify every test above it).
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace protector::ossim {

using json = nlohmann::json;

class Table {
 public:
  // Keeps an equality index on a top-level text member. To be called before the first Put.
  void Index(const std::string& field);

  const json* Find(const std::string& id) const;
  bool Has(const std::string& id) const { return Find(id) != nullptr; }
  void Put(const std::string& id, json doc);
  bool Erase(const std::string& id);
  size_t size() const { return rows_.size(); }

  // The ids whose indexed field has this value, oldest first.
  std::vector<std::string> Where(const std::string& field, const std::string& value) const;

  // Oldest first / newest first. The callee must not erase; changing the visited row is allowed.
  template <class F>
  void Each(F f) const {
    for (const auto& [order, id] : order_) f(id, rows_.at(id).doc);
  }
  template <class F>
  void EachNewest(F f) const {
    for (auto it = order_.rbegin(); it != order_.rend(); ++it) f(it->second, rows_.at(it->second).doc);
  }
  // Copies of all ids, for loops that erase.
  std::vector<std::string> Ids() const;

 private:
  friend class Store;
  struct Row {
    json doc;
    uint64_t order = 0;
  };
  void PutAt(const std::string& id, json doc, uint64_t order);
  bool Remove(const std::string& id);
  void Unindex(const std::string& id, const json& doc);

  std::unordered_map<std::string, Row> rows_;
  std::map<uint64_t, std::string> order_;
  uint64_t next_order_ = 1;
  std::map<std::string, std::unordered_map<std::string, std::set<uint64_t>>> indexes_;
  std::map<std::string, std::optional<Row>> before_;  // what was changed since the last commit, and what it was
};

class Store {
 public:
  Store() = default;
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Reads what is in `directory` (empty: memory only) and goes on writing there. Returns an error text or "".
  std::string Open(const std::string& directory);

  // Holds the site's lock; commits what was changed when it ends.
  class Lock {
   public:
    explicit Lock(Store& store) : store_(store), lock_(store.mutex_) {}
    ~Lock() { store_.Commit(); }
    // Takes back everything that was changed since the lock was taken: a refused request leaves no trace.
    void Rollback() { store_.Rollback(); }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

   private:
    Store& store_;
    std::lock_guard<std::mutex> lock_;
  };

  Table& table(const std::string& name) { return tables_[name]; }
  bool fresh() const { return fresh_; }  // nothing was there when it was opened

 private:
  void Commit();
  void Rollback();
  void WriteSnapshot();
  bool LoadLine(const std::string& line);

  std::mutex mutex_;
  std::map<std::string, Table> tables_;
  std::string directory_;
  int fd_ = -1;
  uint64_t journal_bytes_ = 0;
  uint64_t snapshot_bytes_ = 0;
  bool fresh_ = true;
};

}  // namespace protector::ossim
