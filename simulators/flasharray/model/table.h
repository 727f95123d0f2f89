// One kind of object by id, by name (case-insensitive, in order) and by the foreign keys it declares.
//
// Threads: the array's lock; the pointers handed out are immutable and may be kept after it is released. Ownership:
// shared. Failure: none; what is not there is a null pointer.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "simulators/flasharray/base/text.h"
#include "simulators/flasharray/model/objects.h"

namespace protector::fasim {

// The foreign keys of each kind, as "word:id".
std::vector<std::string> KeysOf(const Volume& volume);
std::vector<std::string> KeysOf(const Snapshot& snapshot);
std::vector<std::string> KeysOf(const ProtectionGroup& group);
std::vector<std::string> KeysOf(const GroupSnapshot& snapshot);
std::vector<std::string> KeysOf(const Transfer& transfer);
std::vector<std::string> KeysOf(const Host& host);
std::vector<std::string> KeysOf(const Connection& connection);
std::vector<std::string> KeysOf(const ReplicaLink& link);
std::vector<std::string> KeysOf(const Admin& admin);
template <class T>
std::vector<std::string> KeysOf(const T&) {
  return {};
}

// What the name index sorts by; kinds without a name of their own use the id.
template <class T>
std::string NameOf(const T& object) {
  if constexpr (requires { object.name; }) {
    return object.name;
  } else {
    return object.id;
  }
}

template <class T>
class Table {
 public:
  using Ptr = std::shared_ptr<const T>;
  using Rows = std::vector<Ptr>;

  Ptr Find(const std::string& id) const {
    const auto it = by_id_.find(id);
    return it == by_id_.end() ? nullptr : it->second;
  }
  Ptr ByName(const std::string& name) const {
    const auto it = by_name_.find(Lower(name));
    return it == by_name_.end() ? nullptr : it->second;
  }
  Rows Where(const std::string& key) const {
    Rows rows;
    const auto it = by_key_.find(key);
    if (it == by_key_.end()) return rows;
    rows.reserve(it->second.size());
    for (const auto& [name, row] : it->second) rows.push_back(row);
    return rows;
  }
  std::size_t CountWhere(const std::string& key) const {
    const auto it = by_key_.find(key);
    return it == by_key_.end() ? 0 : it->second.size();
  }
  // All, in the order of their lower-case names, or only those whose lower-case name starts with `prefix`.
  Rows All(const std::string& prefix = "") const {
    Rows rows;
    const std::string low = Lower(prefix);
    for (auto it = by_name_.lower_bound(low); it != by_name_.end() && StartsWith(it->first, low); ++it) {
      rows.push_back(it->second);
    }
    return rows;
  }
  std::size_t size() const { return by_id_.size(); }

  void Set(const std::string& id, Ptr row) {
    if (const auto it = by_id_.find(id); it != by_id_.end()) Unlink(it->second);
    if (!row) {
      by_id_.erase(id);
      return;
    }
    by_id_[id] = row;
    const std::string name = Lower(NameOf(*row));
    by_name_[name] = row;
    for (const std::string& key : KeysOf(*row)) by_key_[key][row->id] = row;
  }

 private:
  void Unlink(const Ptr& row) {
    const auto named = by_name_.find(Lower(NameOf(*row)));
    if (named != by_name_.end() && named->second->id == row->id) by_name_.erase(named);
    for (const std::string& key : KeysOf(*row)) {
      const auto it = by_key_.find(key);
      if (it == by_key_.end()) continue;
      it->second.erase(row->id);
      if (it->second.empty()) by_key_.erase(it);
    }
  }

  std::unordered_map<std::string, Ptr> by_id_;
  std::map<std::string, Ptr> by_name_;
  std::unordered_map<std::string, std::map<std::string, Ptr>> by_key_;
};

}  // namespace protector::fasim
