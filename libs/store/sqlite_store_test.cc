#include "libs/store/sqlite_store.h"

#include <SQLiteCpp/Database.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include "libs/base/error.h"
#include "libs/base/ids.h"

namespace protector::store {
namespace {

struct Directory {
  Directory() { std::filesystem::create_directories(path); }
  ~Directory() { std::filesystem::remove_all(path); }
  std::string File() const { return (path / "s.db").string(); }
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("sqlite-" + RandomIdGenerator().NewUuid());
};

void WriteFromThreads(Store& store, int threads, int each) {
  std::vector<std::thread> writers;
  std::atomic<int> failed = 0;
  for (int t = 0; t < threads; ++t) {
    writers.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        if (!store.PutIfVersion("journal", fmt::format("{}/{}", t, i), std::string(200, 'x'), kAbsent).ok()) ++failed;
      }
    });
  }
  for (auto& writer : writers) writer.join();
  CHECK(failed == 0);
}

TEST_CASE("what was acknowledged is there after opening again, versions go on") {
  Directory directory;
  SystemClock clock;
  int64_t version = 0;
  {
    auto store = OpenSqlite({.path = directory.File()}, clock);
    REQUIRE(store.ok());
    version = *(*store)->PutIfVersion("b", "k", "v", kAbsent);
    REQUIRE((*store)->Delete("b", "k").ok());
  }
  auto store = OpenSqlite({.path = directory.File()}, clock);
  REQUIRE(store.ok());
  CHECK(*(*store)->PutIfVersion("b", "k", "v", kAbsent) > version);
}

TEST_CASE("writes of many threads share commits") {
  Directory directory;
  SystemClock clock;
  std::atomic<size_t> commits = 0;
  std::atomic<size_t> transactions = 0;
  auto store = OpenSqlite({.path = directory.File(),
                           .on_commit =
                               [&](size_t n, absl::Duration) {
                                 ++commits;
                                 transactions += n;
                               }},
                          clock);
  REQUIRE(store.ok());
  WriteFromThreads(**store, 32, 50);
  CHECK(transactions == 1600);
  CHECK(commits < 800);
  CHECK((*store)->ListAll("journal")->size() == 1600);
}

TEST_CASE("a second process is kept out") {
  Directory directory;
  SystemClock clock;
  auto first = OpenSqlite({.path = directory.File()}, clock);
  REQUIRE(first.ok());
  const auto second = OpenSqlite({.path = directory.File()}, clock);
  CHECK(DetailOf(second.status()).reason == "STORE_IN_USE");
}

TEST_CASE("damaged, foreign, newer and unusable files are refused with a remedy") {
  Directory directory;
  SystemClock clock;
  const auto refused = [&](const SqliteOptions& options) {
    const auto store = OpenSqlite(options, clock);
    REQUIRE_FALSE(store.ok());
    INFO(store.status().ToString());
    CHECK_FALSE(DetailOf(store.status()).remedy.empty());
    return DetailOf(store.status()).reason;
  };
  SECTION("not a database") {
    std::ofstream(directory.File()) << std::string(8192, 'z');
    CHECK(refused({.path = directory.File()}) == "STORE_CORRUPTED");
  }
  SECTION("damaged in the middle") {
    {
      auto store = OpenSqlite({.path = directory.File()}, clock);
      WriteFromThreads(**store, 4, 200);
    }
    std::fstream file(directory.File(), std::ios::in | std::ios::out | std::ios::binary);
    for (int page = 4; page < 30; page += 2) {
      file.seekp(page * 4096 + 8);
      file << std::string(3000, '\xAA');
    }
    file.close();
    CHECK(refused({.path = directory.File()}) == "STORE_CORRUPTED");
  }
  SECTION("a byte of a value has become another, which leaves a sound database") {
    {
      auto store = OpenSqlite({.path = directory.File()}, clock);
      REQUIRE((*store)->PutIfVersion("b", "k", std::string(600, 'v') + "the needle", kAbsent).ok());
    }
    {
      SQLite::Database file(directory.File(), SQLite::OPEN_READWRITE);
      file.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    }
    std::fstream file(directory.File(), std::ios::in | std::ios::out | std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const size_t at = bytes.find("the needle");
    REQUIRE(at != std::string::npos);
    file.clear();
    file.seekp(static_cast<std::streamoff>(at));
    file << 'T';
    file.close();
    CHECK(refused({.path = directory.File()}) == "STORE_CORRUPTED");
    auto store = OpenSqlite({.path = directory.File(), .integrity_check = false}, clock);
    REQUIRE(store.ok());
    CHECK(DetailOf((*store)->Get("b", "k").status()).reason == "STORE_CORRUPTED");
    CHECK(DetailOf((*store)->List("b", "", {}).status()).reason == "STORE_CORRUPTED");
    REQUIRE((*store)->PutIfVersion("b", "other", "x", kAbsent).ok());
    CHECK((*store)->Get("b", "other")->value == "x");
  }
  SECTION("newer") {
    { REQUIRE(OpenSqlite({.path = directory.File(), .schema_version = 3}, clock).ok()); }
    CHECK(refused({.path = directory.File(), .schema_version = 2}) == "STORE_TOO_NEW");
    CHECK(OpenSqlite({.path = directory.File(), .schema_version = 4}, clock).ok());
  }
  SECTION("a directory that is a file") {
    std::ofstream(directory.path / "file") << "x";
    CHECK(refused({.path = (directory.path / "file" / "s.db").string()}) == "STORE_UNOPENABLE");
  }
}

TEST_CASE("a file from before records had sums is read, and what is written anew is checked") {
  Directory directory;
  SystemClock clock;
  {
    SQLite::Database old(directory.File(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    old.exec("CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL)");
    old.exec("INSERT INTO meta VALUES ('revision', 7), ('schema_version', 1)");
    old.exec(
        "CREATE TABLE records (bucket TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, version INTEGER NOT NULL, "
        "PRIMARY KEY (bucket, key))");
    old.exec("INSERT INTO records VALUES ('b', 'k', x'6f6c64', 7)");
  }
  {
    auto store = OpenSqlite({.path = directory.File()}, clock);
    REQUIRE(store.ok());
    CHECK((*store)->Get("b", "k")->value == "old");
    REQUIRE((*store)->PutIfVersion("b", "k", "new", 7).ok());
  }
  auto store = OpenSqlite({.path = directory.File()}, clock);
  REQUIRE(store.ok());
  CHECK((*store)->Get("b", "k")->value == "new");
}

TEST_CASE("a full disk refuses the write with a remedy and keeps what was there") {
  Directory directory;
  SystemClock clock;
  auto store = OpenSqlite({.path = directory.File()}, clock);
  REQUIRE((*store)->PutIfVersion("b", "k", "kept", kAbsent).ok());
  // A limit of the process on the size of files is what a full disk looks like to a write (with SIGXFSZ ignored).
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{256 * 1024, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const auto refused = (*store)->PutIfVersion("b", "large", std::string(2 << 20, 'x'), kAbsent);
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  REQUIRE_FALSE(refused.ok());
  CHECK_FALSE(DetailOf(refused.status()).remedy.empty());
  CHECK((*store)->Get("b", "large").status().code() == absl::StatusCode::kNotFound);
  CHECK((*store)->Get("b", "k")->value == "kept");
  CHECK((*store)->PutIfVersion("b", "after", "works again", kAbsent).ok());
}

TEST_CASE("rate of durable small writes with 64 writers", "[.bench]") {
  Directory directory;
  SystemClock clock;
  std::atomic<size_t> commits = 0;
  auto store = OpenSqlite({.path = directory.File(), .on_commit = [&](size_t, absl::Duration) { ++commits; }}, clock);
  REQUIRE(store.ok());
  const absl::Duration started = clock.Monotonic();
  WriteFromThreads(**store, 64, 500);
  const double seconds = absl::ToDoubleSeconds(clock.Monotonic() - started);
  std::cout << fmt::format("durable writes/s: {:.0f} (commits/s: {:.0f})\n", 32000 / seconds,
                           static_cast<double>(commits) / seconds);
  CHECK(32000 / seconds >= 5000);
}

}  // namespace
}  // namespace protector::store
