// Records on a volume, reading them back, the ledger, and guests on an array in memory.
#include <catch2/catch.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "simulators/openstack/array/array.h"
#include "simulators/openstack/core/store.h"
#include "simulators/openstack/core/util.h"
#include "simulators/openstack/guest/guests.h"
#include "simulators/openstack/guest/ledger.h"
#include "simulators/openstack/guest/record.h"
#include "simulators/openstack/guest/scan.h"

namespace protector::ossim {
namespace {

constexpr int64_t kVolume = 4LL << 20;
const char kHost[] = "iqn.test";

template <class F>
void Until(F done) {
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!done()) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::yield();
  }
}

struct World {
  World() { store.table("memory_array").Index("serial"); }
  std::string Volume(const std::string& name, int64_t bytes = kVolume) {
    REQUIRE(array->CreateVolume(name, bytes).ok());
    REQUIRE(array->Connect("host", kHost, name).ok());
    return array->GetVolume(name)->serial;
  }
  void Write(const std::string& serial, int64_t offset, const std::string& data) {
    REQUIRE(array->Write({{kHost, serial, offset, data}})[0].ok());
  }
  uint64_t Last(const std::string& server) {
    json v = ledger.Report({"", server, "", false, 0}).at("volumes");
    return v.empty() || v.back()["last_acknowledged"].is_null()
               ? 0
               : v.back()["last_acknowledged"]["sequence"].get<uint64_t>();
  }
  Store store;
  std::unique_ptr<Array> array = MakeMemoryArray(store, "test");
  Ledger ledger;
};

TEST_CASE("a record and a header come back as they were; a changed bit does not") {
  GuestRecord r{NewUuid(), NewUuid(), 0xfeedULL << 48, 123456789, 1700000000123};
  std::string bytes = Encode(r);
  REQUIRE(bytes.size() == kRecordBytes);
  auto back = DecodeRecord(bytes.data());
  REQUIRE(back);
  REQUIRE(back->lineage == r.lineage);
  REQUIRE(back->Writer() == r.Writer());
  REQUIRE(back->sequence == r.sequence);
  REQUIRE(back->time_ms == r.time_ms);
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string torn = bytes;
    torn[i] = static_cast<char>(torn[i] ^ 1);
    REQUIRE_FALSE(DecodeRecord(torn.data()));
  }
  VolumeHeader h{NewUuid(), SlotsFor(kVolume), 5};
  auto header = DecodeHeader(Encode(h));
  REQUIRE(header);
  REQUIRE(header->lineage == h.lineage);
  REQUIRE(header->slots == h.slots);
  REQUIRE_FALSE(DecodeHeader(std::string(kHeaderBytes, '\0')));
}

TEST_CASE("every slot lies inside the volume") {
  for (int64_t bytes : {int64_t{1} << 20, (int64_t{2} << 20) - 512, int64_t{2} << 20, int64_t{1} << 30}) {
    uint32_t slots = SlotsFor(bytes);
    REQUIRE(RecordOffset(bytes, slots, slots) + kRecordBytes <= bytes);
    REQUIRE(RecordOffset(bytes, slots, slots + 1) == RecordOffset(bytes, slots, 1));
  }
}

TEST_CASE("a scan finds gaps, torn records and writers") {
  World w;
  std::string serial = w.Volume("v"), lineage = NewUuid(), a = NewUuid(), b = NewUuid();
  REQUIRE_FALSE(ScanVolume(*w.array, kHost, serial, kVolume)->header);
  uint32_t slots = SlotsFor(kVolume);
  w.Write(serial, HeaderOffset(kVolume), Encode(VolumeHeader{lineage, slots, 1}));
  for (uint64_t n : {1, 2, 4, 5})
    w.Write(serial, RecordOffset(kVolume, slots, n), Encode(GuestRecord{lineage, n < 4 ? a : b, 7, n, 100}));
  w.Write(serial, RecordOffset(kVolume, slots, 6), "rubbish");
  auto scan = ScanVolume(*w.array, kHost, serial, kVolume);
  REQUIRE(scan.ok());
  REQUIRE(scan->header->lineage == lineage);
  REQUIRE(scan->records.size() == 4);
  REQUIRE(scan->corrupt == 1);
  auto spans = scan->Spans();
  REQUIRE(spans.size() == 2);
  REQUIRE(spans[1].server_id == b);
  REQUIRE(spans[1].first == 4);
  REQUIRE(ScanVolume(*w.array, "iqn.stranger", serial, kVolume).status().code() ==
          absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("a ring that has gone round is read to its newest record") {
  World w;
  int64_t bytes = 64 << 10;
  std::string serial = w.Volume("v", bytes), lineage = NewUuid(), server = NewUuid();
  uint32_t slots = SlotsFor(bytes);
  w.Write(serial, HeaderOffset(bytes), Encode(VolumeHeader{lineage, slots, 1}));
  for (uint64_t n = 1; n <= slots + 10; ++n)
    w.Write(serial, RecordOffset(bytes, slots, n), Encode(GuestRecord{lineage, server, 7, n, 100}));
  auto scan = ScanVolume(*w.array, kHost, serial, bytes);
  REQUIRE(scan->records.size() == slots);
  REQUIRE(scan->records.back().sequence == slots + 10);
}

TEST_CASE("a guest goes on where it stopped, and writes nothing after Stop") {
  World w;
  std::string serial = w.Volume("v"), server = NewUuid();
  Guests guests(*w.array, w.ledger, kHost, 1);
  guests.Start(server, "web", {{"vol", serial, "/dev/vda", kVolume}});
  Until([&] { return w.Last(server) > 5; });
  guests.Stop(server);
  uint64_t end = w.Last(server);
  REQUIRE_FALSE(guests.Running(server));
  REQUIRE(ScanVolume(*w.array, kHost, serial, kVolume)->records.back().sequence == end);
  guests.Start(server, "web", {{"vol", serial, "/dev/vda", kVolume}});
  Until([&] { return w.Last(server) > end; });
  json volumes = w.ledger.Report({"", server, "", false, 0}).at("volumes");
  REQUIRE(volumes[1]["found_at_boot"]["sequence"] == end);
  REQUIRE(volumes[1]["acknowledged"][0]["first"] == end + 1);
  REQUIRE(volumes[1]["lineage"] == volumes[0]["lineage"]);
}

TEST_CASE("a guest whose connection goes counts errors, tries again and loses nothing") {
  World w;
  std::string serial = w.Volume("v"), server = NewUuid();
  Guests guests(*w.array, w.ledger, kHost, 1);
  guests.Start(server, "web", {{"vol", serial, "/dev/vda", kVolume}});
  Until([&] { return w.Last(server) > 2; });
  REQUIRE(w.array->Disconnect(kHost, "v").ok());
  auto errors = [&] { return w.ledger.Report({"", server, "", false, 0}).at("volumes")[0]["io_errors"].get<int>(); };
  Until([&] { return errors() > 3; });
  uint64_t at = w.Last(server);
  REQUIRE(w.array->Connect("host", kHost, "v").ok());
  Until([&] { return w.Last(server) > at; });
  guests.Stop(server);
  json row = guests.ReadBack(server, {{"vol", serial, "/dev/vda", kVolume}})[0];
  REQUIRE(row["gaps"].empty());
  REQUIRE(row["missing_acknowledged"].empty());
}

TEST_CASE("reading back while the guest writes finds nothing missing") {
  World w;
  std::string serial = w.Volume("v"), server = NewUuid();
  Guests guests(*w.array, w.ledger, kHost, 1);
  guests.Start(server, "web", {{"vol", serial, "/dev/vda", kVolume}});
  Until([&] { return w.Last(server) > 5; });
  for (int i = 0; i < 50; ++i) {
    json row = guests.ReadBack(server, {{"vol", serial, "/dev/vda", kVolume}})[0];
    REQUIRE(row["missing_acknowledged"].empty());
    REQUIRE(row["gaps"].empty());
  }
}

TEST_CASE("reading back tells of a second writer and of what it destroyed") {
  World w;
  std::string serial = w.Volume("v"), server = NewUuid(), stranger = NewUuid();
  Guests guests(*w.array, w.ledger, kHost, 1);
  guests.Start(server, "web", {{"vol", serial, "/dev/vda", kVolume}});
  Until([&] { return w.Last(server) > 10; });
  guests.Stop(server);
  auto scan = ScanVolume(*w.array, kHost, serial, kVolume);
  uint32_t slots = scan->header->slots;
  w.Write(serial, RecordOffset(kVolume, slots, 4), Encode(GuestRecord{scan->header->lineage, stranger, 9, 4, 100}));
  w.Write(serial, RecordOffset(kVolume, slots, 7), std::string(kRecordBytes, '\0'));
  json row = guests.ReadBack(server, {{"vol", serial, "/dev/vda", kVolume}})[0];
  REQUIRE(row["foreign_writers"].size() == 1);
  REQUIRE(row["interleaved"] == true);
  REQUIRE(row["gaps"] == json::array({json::array({7, 7})}));
  REQUIRE(row["missing_acknowledged"] == json::array({json::array({4, 4}), json::array({7, 7})}));
}

TEST_CASE("the ledger is there after a reopen, its torn tail is not") {
  std::string directory = std::filesystem::temp_directory_path() / ("ossim-ledger-" + NewUuid());
  std::filesystem::create_directories(directory);
  SessionInfo info;
  info.lineage = "L";
  info.server_id = "S";
  info.writer = "S/1";
  info.found_at_boot = Found{41, 7, "S/0"};
  {
    Ledger ledger;
    REQUIRE(ledger.Open(directory) == "");
    int session = ledger.Begin(info);
    ledger.Acknowledge({{session, 42, 1000}, {session, 43, 2000}});
    ledger.IoError(session, "not-connected");
  }
  std::ofstream(directory + "/ledger.jsonl", std::ios::app) << "[\"a\",0,4";
  {
    Ledger ledger;
    REQUIRE(ledger.Open(directory) == "");
    ledger.Acknowledge({{0, 44, 3000}});
  }
  Ledger ledger;
  REQUIRE(ledger.Open(directory) == "");
  json report = ledger.Report({"L", "", "", true, 2500});
  REQUIRE(report["lineages"]["L"]["records"] == json::parse("[[42,1000],[43,2000],[44,3000]]"));
  REQUIRE(report["lineages"]["L"]["at"]["sequence"] == 43);
  REQUIRE(report["volumes"][0]["io_errors"] == 1);
  REQUIRE(report["volumes"][0]["found_at_boot"]["sequence"] == 41);
  REQUIRE(ledger.Acks("L").size() == 3);
  std::filesystem::remove_all(directory);
}

TEST_CASE("ranges") {
  REQUIRE(Ranges({}).empty());
  REQUIRE(Ranges({1, 2, 3, 7, 9, 10}) == std::vector<std::pair<uint64_t, uint64_t>>{{1, 3}, {7, 7}, {9, 10}});
}

TEST_CASE(
    "what is missing between numbers is a gap unless it was overwritten before or written after the reading began") {
  using Spans = std::vector<std::pair<uint64_t, uint64_t>>;
  REQUIRE(Gaps({1, 2, 5, 9}, 1, 9) == Spans{{3, 4}, {6, 8}});
  REQUIRE(Gaps({1, 2, 5, 9}, 1, 6) == Spans{{3, 4}, {6, 6}});
  REQUIRE(Gaps({1, 2, 5, 9}, 4, 9) == Spans{{4, 4}, {6, 8}});
  REQUIRE(Gaps({1, 2, 5, 9}, 7, 5).empty());
  REQUIRE(Gaps({}, 1, 9).empty());
}

}  // namespace
}  // namespace protector::ossim
