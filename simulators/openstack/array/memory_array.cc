// An array inside the process, for tests and demonstrations without one: names, connections and snapshots survive in
// the site's state, bytes live in memory only.
#include <map>
#include <mutex>

#include <fmt/format.h>

#include "simulators/openstack/array/array.h"
#include "simulators/openstack/core/store.h"
#include "simulators/openstack/core/util.h"

namespace protector::ossim {
namespace {

constexpr int64_t kPage = 4096;

class MemoryArray final : public Array {
 public:
  MemoryArray(Store& store, const std::string& name) : store_(store), prefix_(Sha256Hex(name).substr(0, 16)) {
    for (char& c : prefix_) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }

  absl::StatusOr<ArrayVolume> GetVolume(const std::string& name) override {
    Store::Lock lock(store_);
    const json* doc = Live(name);
    if (doc == nullptr) return Missing(name);
    return ToVolume(name, *doc);
  }
  absl::StatusOr<std::vector<ArrayVolume>> ListVolumes() override {
    Store::Lock lock(store_);
    std::vector<ArrayVolume> out;
    table().Each([&](const std::string& name, const json& doc) {
      if (!doc.value("destroyed", false) && !doc.contains("snapshot_of")) out.push_back(ToVolume(name, doc));
    });
    return out;
  }
  absl::Status CreateVolume(const std::string& name, int64_t bytes) override {
    Store::Lock lock(store_);
    return Add(name, bytes);
  }
  absl::Status CloneVolume(const std::string& name, const std::string& source) override {
    Store::Lock lock(store_);
    const json* from = Live(source);
    if (from == nullptr) return Missing(source);
    std::string serial = from->at("serial").get<std::string>();
    int64_t bytes = from->at("bytes").get<int64_t>();
    absl::Status s = Add(name, bytes);
    if (s.ok()) pages_[table().Find(name)->at("serial").get<std::string>()] = pages_[serial];
    return s;
  }
  absl::Status RenameVolume(const std::string& name, const std::string& new_name) override {
    Store::Lock lock(store_);
    const json* doc = Live(name);
    if (doc == nullptr) return Missing(name);
    if (table().Has(new_name)) return absl::AlreadyExistsError(new_name + ": Volume already exists.");
    json moved = *doc;
    table().Erase(name);
    table().Put(new_name, moved);
    return absl::OkStatus();
  }
  absl::Status ResizeVolume(const std::string& name, int64_t bytes) override {
    return Change(name, [&](json& doc) { doc["bytes"] = bytes; });
  }
  absl::Status DestroyVolume(const std::string& name) override {
    absl::Status s = Change(name, [&](json& doc) {
      doc["destroyed"] = true;
      doc["hosts"] = json::array();
    });
    return absl::IsNotFound(s) ? absl::OkStatus() : s;
  }
  absl::Status CreateSnapshot(const std::string& volume, const std::string& suffix) override {
    absl::Status s = CloneVolume(volume + "." + suffix, volume);
    if (!s.ok()) return s;
    return Change(volume + "." + suffix, [&](json& doc) { doc["snapshot_of"] = volume; });
  }
  absl::Status DestroySnapshot(const std::string& name) override { return DestroyVolume(name); }
  absl::Status AddToGroup(const std::string&, const std::string& volume) override {
    return Change(volume, [](json&) {});
  }
  absl::Status InReplicatedPod(const std::string&, bool* replicated) override {
    *replicated = false;
    return absl::OkStatus();
  }
  absl::Status Connect(const std::string&, const std::string& initiator, const std::string& volume) override {
    return Change(volume, [&](json& doc) {
      for (const json& h : doc["hosts"]) {
        if (h == initiator) return;
      }
      doc["hosts"].push_back(initiator);
    });
  }
  absl::Status Disconnect(const std::string& initiator, const std::string& volume) override {
    absl::Status s = Change(volume, [&](json& doc) {
      json left = json::array();
      for (const json& h : doc["hosts"]) {
        if (h != initiator) left.push_back(h);
      }
      doc["hosts"] = left;
    });
    return absl::IsNotFound(s) ? absl::OkStatus() : s;
  }

  absl::StatusOr<std::string> Read(const std::string& initiator, const std::string& serial, int64_t offset,
                                   int64_t length) override {
    Store::Lock lock(store_);
    absl::Status s = Allowed(initiator, serial);
    if (!s.ok()) return s;
    std::string out(static_cast<size_t>(length), '\0');
    auto& pages = pages_[serial];
    for (int64_t done = 0; done < length;) {
      int64_t at = offset + done, inside = at % kPage, n = std::min(kPage - inside, length - done);
      auto it = pages.find(at / kPage);
      if (it != pages.end())
        out.replace(static_cast<size_t>(done), static_cast<size_t>(n), it->second, static_cast<size_t>(inside),
                    static_cast<size_t>(n));
      done += n;
    }
    return out;
  }
  std::vector<absl::Status> Write(const std::vector<BlockWrite>& writes) override {
    Store::Lock lock(store_);
    std::vector<absl::Status> out;
    for (const BlockWrite& w : writes) {
      absl::Status s = Allowed(w.initiator, w.serial);
      out.push_back(s);
      if (!s.ok()) continue;
      auto& pages = pages_[w.serial];
      int64_t length = static_cast<int64_t>(w.data.size());
      for (int64_t done = 0; done < length;) {
        int64_t at = w.offset + done, inside = at % kPage, n = std::min(kPage - inside, length - done);
        std::string& page = pages[at / kPage];
        if (page.empty()) page.assign(kPage, '\0');
        page.replace(static_cast<size_t>(inside), static_cast<size_t>(n), w.data, static_cast<size_t>(done),
                     static_cast<size_t>(n));
        done += n;
      }
    }
    return out;
  }

 private:
  Table& table() { return store_.table("memory_array"); }
  static absl::Status Missing(const std::string& name) {
    return absl::NotFoundError(name + ": Volume does not exist.");
  }
  const json* Live(const std::string& name) {
    const json* doc = table().Find(name);
    return doc == nullptr || doc->value("destroyed", false) ? nullptr : doc;
  }
  static ArrayVolume ToVolume(const std::string& name, const json& doc) {
    ArrayVolume v;
    v.name = name;
    v.serial = doc.at("serial").get<std::string>();
    v.bytes = doc.at("bytes").get<int64_t>();
    v.connections = static_cast<int64_t>(doc.at("hosts").size());
    return v;
  }
  absl::Status Add(const std::string& name, int64_t bytes) {
    if (table().Has(name)) return absl::AlreadyExistsError(name + ": Volume already exists.");
    json counter = {{"n", 1}};
    if (const json* old = store_.table("settings").Find("memory_array")) counter["n"] = old->at("n").get<int64_t>() + 1;
    store_.table("settings").Put("memory_array", counter);
    table().Put(name, {{"serial", fmt::format("{}{:08X}", prefix_, counter["n"].get<int64_t>())},
                       {"bytes", bytes},
                       {"hosts", json::array()}});
    return absl::OkStatus();
  }
  template <class F>
  absl::Status Change(const std::string& name, F f) {
    Store::Lock lock(store_);
    const json* doc = Live(name);
    if (doc == nullptr) return Missing(name);
    json changed = *doc;
    f(changed);
    table().Put(name, changed);
    return absl::OkStatus();
  }
  absl::Status Allowed(const std::string& initiator, const std::string& serial) {
    std::vector<std::string> names = table().Where("serial", serial);
    if (names.empty()) return absl::FailedPreconditionError("no-such-volume: " + serial);
    for (const json& h : table().Find(names[0])->at("hosts")) {
      if (h == initiator) return absl::OkStatus();
    }
    return absl::FailedPreconditionError("not-connected: " + serial);
  }

  Store& store_;
  std::string prefix_;
  std::map<std::string, std::map<int64_t, std::string>> pages_;  // under the site's lock
};

}  // namespace

std::unique_ptr<Array> MakeMemoryArray(Store& store, const std::string& array_name) {
  return std::make_unique<MemoryArray>(store, array_name);
}

}  // namespace protector::ossim
