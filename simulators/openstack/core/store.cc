#include "simulators/openstack/core/store.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace protector::ossim {
namespace {

constexpr uint64_t kSnapshotAfterBytes = 64ULL << 20;

void WriteAll(int fd, const std::string& text) {
  size_t done = 0;
  while (done < text.size()) {
    ssize_t n = ::write(fd, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      spdlog::critical("the state journal cannot be written: {}", std::strerror(errno));
      std::abort();
    }
    done += static_cast<size_t>(n);
  }
}

std::string FieldText(const json& doc, const std::string& field) {
  auto it = doc.find(field);
  return it != doc.end() && it->is_string() ? it->get<std::string>() : std::string();
}

}  // namespace

void Table::Index(const std::string& field) {
  auto& index = indexes_[field];
  for (const auto& [id, row] : rows_) index[FieldText(row.doc, field)].insert(row.order);
}

const json* Table::Find(const std::string& id) const {
  auto it = rows_.find(id);
  return it == rows_.end() ? nullptr : &it->second.doc;
}

void Table::Put(const std::string& id, json doc) {
  auto it = rows_.find(id);
  uint64_t order = it == rows_.end() ? next_order_ : it->second.order;
  if (before_.count(id) == 0) {
    if (it == rows_.end()) {
      before_[id] = std::nullopt;
    } else {
      Unindex(id, it->second.doc);
      before_[id] = Row{std::move(it->second.doc), order};
      it->second.doc = nullptr;  // a document without fields: PutAt finds nothing more to take out of the indexes
    }
  }
  PutAt(id, std::move(doc), order);
}

void Table::PutAt(const std::string& id, json doc, uint64_t order) {
  auto [it, added] = rows_.try_emplace(id);
  if (!added) Unindex(id, it->second.doc);
  for (auto& [field, index] : indexes_) index[FieldText(doc, field)].insert(order);
  it->second.doc = std::move(doc);
  it->second.order = order;
  order_[order] = id;
  if (order >= next_order_) next_order_ = order + 1;
}

void Table::Unindex(const std::string& id, const json& doc) {
  for (auto& [field, index] : indexes_) {
    auto it = index.find(FieldText(doc, field));
    if (it == index.end()) continue;
    it->second.erase(rows_.at(id).order);
    if (it->second.empty()) index.erase(it);
  }
}

bool Table::Erase(const std::string& id) {
  auto it = rows_.find(id);
  if (it == rows_.end()) return false;
  if (before_.count(id) == 0) before_[id] = it->second;
  return Remove(id);
}

bool Table::Remove(const std::string& id) {
  auto it = rows_.find(id);
  if (it == rows_.end()) return false;
  Unindex(id, it->second.doc);
  order_.erase(it->second.order);
  rows_.erase(it);
  return true;
}

std::vector<std::string> Table::Where(const std::string& field, const std::string& value) const {
  std::vector<std::string> out;
  const auto& index = indexes_.at(field);
  auto it = index.find(value);
  if (it == index.end()) return out;
  for (uint64_t order : it->second) out.push_back(order_.at(order));
  return out;
}

std::vector<std::string> Table::Ids() const {
  std::vector<std::string> out;
  for (const auto& [order, id] : order_) out.push_back(id);
  return out;
}

Store::~Store() {
  if (fd_ >= 0) ::close(fd_);
}

bool Store::LoadLine(const std::string& line) {
  json changes = json::parse(line, nullptr, false);
  if (!changes.is_array()) return false;
  for (json& change : changes) {
    Table& t = table(change[0].get<std::string>());
    std::string id = change[1].get<std::string>();
    if (change.size() < 4) {
      t.Remove(id);
    } else {
      t.PutAt(id, std::move(change[3]), change[2].get<uint64_t>());
    }
  }
  return true;
}

std::string Store::Open(const std::string& directory) {
  if (directory.empty()) return "";
  directory_ = directory;
  std::error_code ec;
  std::filesystem::create_directories(directory, ec);
  if (ec) return fmt::format("cannot make the state directory {}: {}", directory, ec.message());
  for (const char* name : {"/snapshot.jsonl", "/state.jsonl"}) {
    std::ifstream in(directory + name);
    std::string line;
    while (std::getline(in, line)) {
      fresh_ = false;
      if (!LoadLine(line)) {
        spdlog::warn("{}{}: an unfinished last change is dropped", directory, name);
        break;
      }
    }
  }
  WriteSnapshot();  // also empties the journal, so that a torn tail is not appended to
  return fd_ < 0 ? fmt::format("cannot write to {}: {}", directory, std::strerror(errno)) : "";
}

void Store::WriteSnapshot() {
  std::string temporary = directory_ + "/snapshot.new";
  int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return;
  snapshot_bytes_ = 0;
  for (auto& [name, t] : tables_) {
    std::string lines;
    for (const auto& [order, id] : t.order_) {
      lines += json::array({json::array({name, id, order, t.rows_.at(id).doc})})
                   .dump(-1, ' ', false, json::error_handler_t::replace);
      lines += '\n';
    }
    WriteAll(fd, lines);
    snapshot_bytes_ += lines.size();
  }
  ::close(fd);
  // The journal is emptied after the snapshot has taken its place: replaying it once more changes nothing.
  std::rename(temporary.c_str(), (directory_ + "/snapshot.jsonl").c_str());
  if (fd_ >= 0) ::close(fd_);
  fd_ = ::open((directory_ + "/state.jsonl").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  journal_bytes_ = 0;
}

void Store::Rollback() {
  for (auto& [name, t] : tables_) {
    for (auto& [id, row] : t.before_) {
      t.Remove(id);
      if (row) t.PutAt(id, std::move(row->doc), row->order);
    }
    t.before_.clear();
  }
}

void Store::Commit() {
  std::string line;
  for (auto& [name, t] : tables_) {
    if (t.before_.empty()) continue;
    for (const auto& [id, row] : t.before_) {
      if (fd_ < 0) break;
      auto it = t.rows_.find(id);
      line += line.empty() ? '[' : ',';
      line += '[' + json(name).dump() + ',' + json(id).dump(-1, ' ', false, json::error_handler_t::replace);
      if (it != t.rows_.end()) {
        line += fmt::format(",{},{}", it->second.order,
                            it->second.doc.dump(-1, ' ', false, json::error_handler_t::replace));
      }
      line += ']';
    }
    t.before_.clear();
  }
  if (line.empty()) return;
  line += "]\n";
  WriteAll(fd_, line);
  journal_bytes_ += line.size();
  if (journal_bytes_ > kSnapshotAfterBytes && journal_bytes_ > 4 * snapshot_bytes_) WriteSnapshot();
}

}  // namespace protector::ossim
