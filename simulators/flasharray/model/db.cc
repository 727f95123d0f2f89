#include "simulators/flasharray/model/db.h"

#include <fmt/format.h>

#include <chrono>
#include <stdexcept>
#include <unordered_set>

#include "simulators/flasharray/store/wire.h"

namespace protector::fasim {
namespace {

constexpr char kObject = 'O', kGone = 'E', kImages = 'M';

}  // namespace

Db::Db(const std::string& state_dir, bool sync, SimClock* clock)
    : clock_(clock),
      sync_(sync),
      journal_(state_dir, sync),
      blocks_(std::make_unique<BlockFile>(journal_.BlockFilePath())),
      images_(blocks_.get()) {}

void Db::ApplyObject(const std::string& kind, const std::string& id, const std::string& json) {
  bool known = false;
  tables_.Each([&]<class T>(const char* name, Table<T>& table) {
    if (kind != name) return;
    known = true;
    table.Set(id, json.empty() ? nullptr : std::make_shared<const T>(Json::parse(json).template get<T>()));
  });
  if (!known) throw std::runtime_error("unknown kind in the journal: " + kind);
}

void Db::Recover() {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto apply = [&](const std::string& payload, bool checkpoint) {
    WireReader reader(payload);
    while (!reader.AtEnd()) {
      const char op = reader.Byte();
      if (op == kImages) {
        const std::string log = reader.Text();
        checkpoint ? images_.Load(log) : images_.Replay(log);
        continue;
      }
      const std::string kind = reader.Text();
      const std::string id = reader.Text();
      ApplyObject(kind, id, op == kObject ? reader.Text() : "");
    }
  };
  journal_.Recover([&](const std::string& payload) { apply(payload, true); },
                   [&](const std::string& payload) { apply(payload, false); });
  blocks_->RebuildFreeList();
}

std::vector<Effect> Db::CommitLocked() {
  std::vector<Effect> effects;
  std::string payload;
  std::unordered_set<std::string> seen;
  for (const Change& change : changes_) {
    if (!seen.insert(change.kind + "/" + change.id).second) continue;
    const std::string json = change.encode();
    effects.push_back({json.empty(), change.kind, change.id, change.name});
    PutByte(&payload, json.empty() ? kGone : kObject);
    PutText(&payload, change.kind);
    PutText(&payload, change.id);
    if (!json.empty()) PutText(&payload, json);
  }
  const std::string image_log = images_.TakeLog();
  if (!image_log.empty()) {
    PutByte(&payload, kImages);
    PutText(&payload, image_log);
  }
  changes_.clear();
  if (!payload.empty()) {
    if (sync_ && !image_log.empty()) blocks_->Sync();
    journal_.Append(payload);
    ++change_count_;
    changed_.notify_all();
  }
  blocks_->ReleasePending();
  if (journal_.WantsCheckpoint()) CheckpointLocked();
  return effects;
}

void Db::RollbackLocked() {
  for (auto it = changes_.rbegin(); it != changes_.rend(); ++it) it->undo();
  changes_.clear();
  images_.Rollback();
}

void Db::CheckpointLocked() {
  std::string payload;
  PutByte(&payload, kImages);
  std::string images;
  images_.Serialize(&images);
  PutText(&payload, images);
  tables_.Each([&]<class T>(const char* kind, Table<T>& table) {
    for (const auto& row : table.All()) {
      PutByte(&payload, kObject);
      PutText(&payload, kind);
      PutText(&payload, row->id);
      PutText(&payload, Json(*row).dump());
    }
  });
  if (sync_) blocks_->Sync();
  journal_.WriteCheckpoint(payload);
}

void Db::Checkpoint() {
  const std::lock_guard<std::mutex> lock(mutex_);
  CheckpointLocked();
}

Json Db::Dump() {
  const std::lock_guard<std::mutex> lock(mutex_);
  Json out;
  tables_.Each([&]<class T>(const char* kind, Table<T>& table) {
    if (std::string(kind) == "baselines") return;
    Json rows = Json::array();
    for (const auto& row : table.All()) {
      Json item = *row;
      if (item.contains("image")) item["allocated_bytes"] = images_.AllocatedBytes(item["image"].get<ImageId>());
      item.erase("api_token");
      item.erase("connection_key");
      item.erase("chap_host_password");
      item.erase("chap_target_password");
      rows.push_back(std::move(item));
    }
    out[kind] = std::move(rows);
  });
  out["clock"] = {{"now", clock_->Now()}, {"offset", clock_->offset()}, {"scale", clock_->scale()}};
  out["blocks_in_use"] = blocks_->used_slots();
  return out;
}

void Db::WaitForChange(std::uint64_t* seen, Millis at_most_ms) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(at_most_ms), [&] { return change_count_ != *seen; });
  *seen = change_count_;
}

void Db::Wake() {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++change_count_;
  changed_.notify_all();
}

Tx::Tx(Db* db) : db_(db), lock_(db->mutex_) {
  db_->images_.MarkStart();
}

Tx::~Tx() {
  db_->RollbackLocked();
}

std::vector<Effect> Tx::Commit() {
  return db_->CommitLocked();
}

Tables& Tx::tables() {
  return db_->tables_;
}
ImageStore& Tx::images() {
  return db_->images_;
}
Millis Tx::now() const {
  return db_->clock_->Now();
}

ArrayInfo Tx::array() {
  const auto row = db_->tables_.array.Find("array");
  return row ? *row : ArrayInfo{};
}

std::string Tx::NextSerial() {
  ArrayInfo info = array();
  ++info.serial_counter;
  std::string prefix;
  for (const char c : info.array_id) {
    if (c != '-' && prefix.size() < 16) prefix += c;
  }
  const std::string serial = Upper(prefix) + fmt::format("{:08X}", info.serial_counter);
  Put(info);
  return serial;
}

template <class T>
void Tx::Note(Table<T>& table, const std::string& id) {
  const auto before = table.Find(id);
  const char* kind = KindOf<T>();
  db_->changes_.push_back({kind, id, before ? NameOf(*before) : id, [&table, id, before] { table.Set(id, before); },
                           [&table, id]() -> std::string {
                             const auto row = table.Find(id);
                             return row ? Json(*row).dump() : std::string();
                           }});
}

template <class T>
void Tx::Put(T object) {
  Table<T>& table = TableOf<T>(db_->tables_);
  const std::string id = object.id;
  const std::string name = NameOf(object);
  Note(table, id);
  db_->changes_.back().name = name;
  table.Set(id, std::make_shared<const T>(std::move(object)));
}

template <class T>
void Tx::Erase(const T& object) {
  const std::string id = object.id;
  Table<T>& table = TableOf<T>(db_->tables_);
  Note(table, id);
  table.Set(id, nullptr);
}

#define FASIM_TABLE(Type, member, kind)         \
  template <>                                   \
  Table<Type>& TableOf<Type>(Tables & tables) { \
    return tables.member;                       \
  }                                             \
  template <>                                   \
  const char* KindOf<Type>() {                  \
    return kind;                                \
  }                                             \
  template void Tx::Put<Type>(Type);            \
  template void Tx::Erase<Type>(const Type&);

FASIM_TABLE(ArrayInfo, array, "array")
FASIM_TABLE(Volume, volumes, "volumes")
FASIM_TABLE(Snapshot, snapshots, "volume_snapshots")
FASIM_TABLE(ProtectionGroup, groups, "protection_groups")
FASIM_TABLE(GroupSnapshot, group_snapshots, "protection_group_snapshots")
FASIM_TABLE(Transfer, transfers, "transfers")
FASIM_TABLE(Baseline, baselines, "baselines")
FASIM_TABLE(Host, hosts, "hosts")
FASIM_TABLE(HostGroup, host_groups, "host_groups")
FASIM_TABLE(VolumeGroup, volume_groups, "volume_groups")
FASIM_TABLE(Connection, connections, "connections")
FASIM_TABLE(ArrayConnection, array_connections, "array_connections")
FASIM_TABLE(Pod, pods, "pods")
FASIM_TABLE(ReplicaLink, links, "pod_replica_links")
FASIM_TABLE(Admin, admins, "admins")
#undef FASIM_TABLE

}  // namespace protector::fasim
