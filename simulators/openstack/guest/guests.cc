#include "simulators/openstack/guest/guests.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "simulators/openstack/core/util.h"
#include "simulators/openstack/guest/scan.h"

namespace protector::ossim {
namespace {

constexpr size_t kBatch = 64;
constexpr size_t kThreads = 3;

int64_t SteadyUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

json SpanJson(const VolumeScan::Span& s) {
  return {{"writer", s.writer},     {"first", s.first},     {"last", s.last},
          {"first_ms", s.first_ms}, {"last_ms", s.last_ms}, {"count", s.count}};
}

}  // namespace

Guests::Guests(Array& array, Ledger& ledger, std::string initiator, int64_t interval_ms)
    : array_(array), ledger_(ledger), initiator_(std::move(initiator)), interval_ms_(interval_ms) {
  for (size_t i = 0; i < kThreads; ++i) threads_.emplace_back([this] { Work(); });
}

Guests::~Guests() {
  Shutdown();
}

void Guests::Shutdown() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    shutdown_ = true;
  }
  wake_.notify_all();
  for (std::thread& t : threads_) {
    if (t.joinable()) t.join();
  }
}

void Guests::Start(const std::string& server_id, const std::string& name, const std::vector<GuestDisk>& disks) {
  auto guest = std::make_shared<Guest>();
  guest->server_id = server_id;
  guest->name = name;
  guest->boot_id = RandomU64();
  guest->booted_ms = NowMs();
  for (const GuestDisk& d : disks) {
    Disk disk;
    disk.at = d;
    guest->disks.push_back(std::move(disk));
  }
  std::lock_guard<std::mutex> lock(mutex_);
  if (guests_.count(server_id) > 0) return;
  guests_[server_id] = std::move(guest);
  wake_.notify_one();
}

void Guests::Stop(const std::string& server_id) {
  std::unique_lock<std::mutex> lock(mutex_);
  auto it = guests_.find(server_id);
  if (it == guests_.end()) return;
  std::shared_ptr<Guest> guest = it->second;
  guest->stopping = true;
  idle_.wait(lock, [&] { return !guest->busy; });
  guests_.erase(server_id);
}

void Guests::Attach(const std::string& server_id, const GuestDisk& disk) {
  std::unique_lock<std::mutex> lock(mutex_);
  auto it = guests_.find(server_id);
  if (it == guests_.end()) return;
  std::shared_ptr<Guest> guest = it->second;
  idle_.wait(lock, [&] { return !guest->busy; });
  Disk added;
  added.at = disk;
  guest->disks.push_back(std::move(added));
  wake_.notify_one();
}

void Guests::Detach(const std::string& server_id, const std::string& volume_id) {
  std::unique_lock<std::mutex> lock(mutex_);
  auto it = guests_.find(server_id);
  if (it == guests_.end()) return;
  std::shared_ptr<Guest> guest = it->second;
  idle_.wait(lock, [&] { return !guest->busy; });
  auto& disks = guest->disks;
  disks.erase(std::remove_if(disks.begin(), disks.end(), [&](const Disk& d) { return d.at.volume_id == volume_id; }),
              disks.end());
}

bool Guests::Running(const std::string& server_id) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return guests_.count(server_id) > 0;
}

void Guests::SetInterval(int64_t ms) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    interval_ms_ = ms;
    for (auto& [id, g] : guests_) g->due_us = 0;
  }
  wake_.notify_all();
}

void Guests::Pause(const std::string& server_id, bool paused) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (server_id.empty()) paused_ = paused;
  for (auto& [id, g] : guests_) {
    if (server_id.empty() || id == server_id) g->paused = paused;
  }
  // What is being written when this is called is acknowledged before it returns.
  idle_.wait(lock, [&] {
    return std::none_of(guests_.begin(), guests_.end(),
                        [](const auto& e) { return e.second->paused && e.second->busy; });
  });
  lock.unlock();
  wake_.notify_all();
}

json Guests::State() const {
  std::unique_lock<std::mutex> lock(mutex_);
  json out = json::array();
  auto all = guests_;  // waiting below lets others change the map
  for (const auto& [id, g] : all) {
    json disks = json::array();
    // A worker changes the disks of a busy guest without the lock; a data plane that hangs must not hang this too.
    bool quiet = idle_.wait_for(lock, std::chrono::seconds(1), [&] { return !g->busy; });
    if (!quiet) {
      out.push_back({{"server_id", id},
                     {"name", g->name},
                     {"running", !g->stopping},
                     {"boot_id", fmt::format("{:016x}", g->boot_id)},
                     {"booted_ms", g->booted_ms},
                     {"paused", g->paused},
                     {"disks", nullptr}});
      continue;
    }
    for (const Disk& d : g->disks) {
      disks.push_back({{"volume_id", d.at.volume_id},
                       {"serial", d.at.serial},
                       {"device", d.at.device},
                       {"ready", d.ready},
                       {"lineage", d.header.lineage},
                       {"next_sequence", d.next},
                       {"last_error", d.last_error}});
    }
    out.push_back({{"server_id", id},
                   {"name", g->name},
                   {"running", !g->stopping},
                   {"boot_id", fmt::format("{:016x}", g->boot_id)},
                   {"booted_ms", g->booted_ms},
                   {"paused", g->paused},
                   {"disks", disks}});
  }
  return {{"interval_ms", interval_ms_}, {"paused", paused_}, {"guests", out}};
}

void Guests::Work() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!shutdown_) {
    int64_t now = SteadyUs(), earliest = now + 3600LL * 1000000;
    std::vector<std::shared_ptr<Guest>> batch;
    for (auto& [id, g] : guests_) {
      if (g->busy || g->stopping || g->paused || paused_ || interval_ms_ == 0 || g->disks.empty()) continue;
      if (g->due_us <= now && batch.size() < kBatch) {
        g->busy = true;
        batch.push_back(g);
      } else {
        earliest = std::min(earliest, std::max(g->due_us, now));
      }
    }
    if (batch.empty()) {
      wake_.wait_for(lock, std::chrono::microseconds(std::max<int64_t>(earliest - now, 200)));
      continue;
    }
    if (earliest <= now) wake_.notify_one();  // more is due than one batch takes
    lock.unlock();
    Tick(batch);
    lock.lock();
    for (auto& g : batch) {
      g->busy = false;
      g->due_us = std::max(SteadyUs(), g->due_us == 0 ? now + interval_ms_ * 1000 : g->due_us + interval_ms_ * 1000);
    }
    idle_.notify_all();
  }
}

// The guest's boot, as far as one disk goes: whose data is this, and how far does it reach?
void Guests::Prepare(Guest& guest, Disk& disk) {
  auto scan = ScanVolume(array_, initiator_, disk.at.serial, disk.at.bytes);
  SessionInfo info;
  info.serial = disk.at.serial;
  info.volume_id = disk.at.volume_id;
  info.server_id = guest.server_id;
  info.server_name = guest.name;
  info.device = disk.at.device;
  GuestRecord self;
  self.server_id = guest.server_id;
  self.boot_id = guest.boot_id;
  info.writer = self.Writer();
  if (!scan.ok()) {
    disk.last_error = std::string(scan.status().message());
    if (disk.session >= 0) ledger_.IoError(disk.session, disk.last_error);
    return;
  }
  disk.last_error.clear();
  if (scan->header) {
    disk.header = *scan->header;
    disk.header_written = true;
  } else {
    disk.header = {NewUuid(), SlotsFor(disk.at.bytes), NowMs()};
  }
  info.lineage = disk.header.lineage;
  if (!scan->records.empty()) {
    const GuestRecord& last = scan->records.back();
    info.found_at_boot = Found{last.sequence, last.time_ms, last.Writer()};
    disk.next = last.sequence + 1;
  }
  for (const auto& span : scan->Spans()) info.writers_on_disk.push_back(SpanJson(span));
  disk.session = ledger_.Begin(info);
  disk.ready = true;
}

void Guests::Tick(const std::vector<std::shared_ptr<Guest>>& batch) {
  struct Target {
    Disk* disk;
    bool header;
  };
  std::vector<BlockWrite> writes;
  std::vector<Target> targets;
  int64_t now = NowMs();
  for (const auto& g : batch) {
    for (Disk& d : g->disks) {
      if (!d.ready) Prepare(*g, d);
      if (!d.ready) continue;
      if (!d.header_written) {
        writes.push_back({initiator_, d.at.serial, HeaderOffset(d.at.bytes), Encode(d.header)});
        targets.push_back({&d, true});
        continue;  // the first record follows when the header is acknowledged
      }
      GuestRecord record{d.header.lineage, g->server_id, g->boot_id, d.next, now};
      writes.push_back({initiator_, d.at.serial, RecordOffset(d.at.bytes, d.header.slots, d.next), Encode(record)});
      targets.push_back({&d, false});
    }
  }
  if (writes.empty()) return;
  std::vector<absl::Status> results = array_.Write(writes);
  std::vector<Acknowledged> acks;
  int64_t acked_at = NowMs();
  for (size_t i = 0; i < targets.size(); ++i) {
    Disk& d = *targets[i].disk;
    if (!results[i].ok()) {
      d.last_error = std::string(results[i].message());
      ledger_.IoError(d.session, d.last_error);
    } else if (targets[i].header) {
      d.header_written = true;
      d.last_error.clear();
    } else {
      acks.push_back({d.session, d.next, acked_at});
      ++d.next;
      ++d.writes;
      d.last_error.clear();
    }
  }
  ledger_.Acknowledge(acks);
}

json Guests::ReadBack(const std::string& server_id, const std::vector<GuestDisk>& disks) {
  json out = json::array();
  for (const GuestDisk& d : disks) {
    json entry = {{"volume_id", d.volume_id}, {"serial", d.serial}, {"server_id", server_id}};
    // Taken before the reading, as the acknowledgements are: a guest that runs has more of them afterwards.
    bool writing = Running(server_id);
    std::map<uint64_t, std::string> acks;
    auto head = array_.Read(initiator_, d.serial, HeaderOffset(d.bytes), kHeaderBytes);
    if (head.ok()) {
      if (auto header = DecodeHeader(*head)) acks = ledger_.Acks(header->lineage);
    }
    auto scan = ScanVolume(array_, initiator_, d.serial, d.bytes);
    if (!scan.ok()) {
      entry["error"] = std::string(scan.status().message());
      out.push_back(std::move(entry));
      continue;
    }
    std::vector<uint64_t> have;
    std::map<uint64_t, std::string> writer_of;
    for (const GuestRecord& r : scan->records) {
      have.push_back(r.sequence);
      writer_of[r.sequence] = r.Writer();
    }
    have.erase(std::unique(have.begin(), have.end()), have.end());
    json gaps = json::array(), missing = json::array(), foreign = json::array(), spans = json::array();
    std::string lineage = scan->header ? scan->header->lineage : "";
    uint64_t last = have.empty() ? 0 : have.back();
    // While a guest writes, the reading passes some slots before and others after they are written. So no gap is what
    // came after its last acknowledgement, nor what has been overwritten since in a ring that goes round.
    uint64_t settled = !writing ? last : acks.empty() ? 0 : acks.rbegin()->first;
    uint64_t oldest = scan->header && last > scan->header->slots ? last - scan->header->slots + 1 : 1;
    for (const auto& [from, to] : Gaps(have, oldest, settled)) gaps.push_back({from, to});
    std::vector<uint64_t> lost;
    for (const auto& [sequence, writer] : acks) {
      auto it = writer_of.find(sequence);
      if (sequence >= oldest && (it == writer_of.end() || it->second != writer)) lost.push_back(sequence);
    }
    for (const auto& [from, to] : Ranges(lost)) missing.push_back({from, to});
    std::set<std::string> ours = ledger_.ServersOf(lineage), seen;
    bool interleaved = false;
    for (const auto& span : scan->Spans()) {
      spans.push_back(SpanJson(span));
      if (ours.count(span.server_id) == 0) foreign.push_back(SpanJson(span));
      if (!seen.insert(span.writer).second) interleaved = true;
    }
    entry.update({{"lineage", lineage},
                  {"records", have.size()},
                  {"first", have.empty() ? json() : json(have.front())},
                  {"last", have.empty() ? json() : json(last)},
                  {"gaps", gaps},
                  {"missing_acknowledged", missing},
                  {"foreign_writers", foreign},
                  {"writers", spans},
                  {"interleaved", interleaved},
                  {"corrupt", scan->corrupt}});
    out.push_back(std::move(entry));
  }
  return out;
}

}  // namespace protector::ossim
