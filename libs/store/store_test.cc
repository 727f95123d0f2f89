// What every implementation of the store has to do, run against each of them.
#include "libs/store/store.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <thread>

#include "libs/base/error.h"
#include "libs/base/ids.h"
#include "libs/store/memory_store.h"
#include "libs/store/sqlite_store.h"

namespace protector::store {
namespace {

struct Memory {
  ManualClock clock{absl::FromUnixSeconds(1000)};
  MemoryStore memory{clock};
  Store& store = memory;
};

struct Sqlite {
  Sqlite() { REQUIRE(opened.ok()); }
  ~Sqlite() {
    opened->reset();
    std::filesystem::remove_all(directory);
  }
  ManualClock clock{absl::FromUnixSeconds(1000)};
  std::filesystem::path directory = std::filesystem::temp_directory_path() / ("store-" + RandomIdGenerator().NewUuid());
  absl::StatusOr<std::unique_ptr<Store>> opened = OpenSqlite({.path = (directory / "s.db").string()}, clock);
  Store& store = **opened;
};

TEMPLATE_TEST_CASE("a record is written at its expected version only", "", Memory, Sqlite) {
  TestType fixture;
  Store& store = fixture.store;
  CHECK(store.Get("b", "k").status().code() == absl::StatusCode::kNotFound);
  const auto first = store.PutIfVersion("b", "k", "one", kAbsent);
  REQUIRE(first.ok());
  CHECK(store.Get("b", "k")->value == "one");
  CHECK(store.Get("b", "k")->version == *first);
  CHECK(DetailOf(store.PutIfVersion("b", "k", "x", kAbsent).status()).reason == "VERSION_MISMATCH");
  const auto second = store.PutIfVersion("b", "k", std::string("t\0wo", 4), *first);
  REQUIRE(second.ok());
  CHECK(*second > *first);
  CHECK(store.Get("b", "k")->value == std::string("t\0wo", 4));
  CHECK(store.PutIfVersion("b", "k", "x", *first).status().code() == absl::StatusCode::kAborted);
  CHECK(store.Get("other", "k").status().code() == absl::StatusCode::kNotFound);
}

TEMPLATE_TEST_CASE("a record that was deleted and made again has a new version", "", Memory, Sqlite) {
  TestType fixture;
  Store& store = fixture.store;
  const int64_t first = *store.PutIfVersion("b", "k", "one", kAbsent);
  CHECK(store.Delete("b", "k", first + 1).code() == absl::StatusCode::kAborted);
  CHECK(store.Delete("b", "k", first).ok());
  CHECK(store.Delete("b", "k").ok());
  const int64_t again = *store.PutIfVersion("b", "k", "two", kAbsent);
  CHECK(again > first);
  CHECK(store.PutIfVersion("b", "k", "x", first).status().code() == absl::StatusCode::kAborted);
}

TEMPLATE_TEST_CASE("a transaction applies as a whole or not at all", "", Memory, Sqlite) {
  TestType fixture;
  Store& store = fixture.store;
  const int64_t version = *store.PutIfVersion("b", "guard", "g", kAbsent);
  CHECK(store.Transaction(Batch().Put("b", "x", "1").Check("b", "guard", version + 7)).status().code() ==
        absl::StatusCode::kAborted);
  CHECK(store.Get("b", "x").status().code() == absl::StatusCode::kNotFound);
  const auto done = store.Transaction(Batch()
                                          .Put("b", "x", "1")
                                          .Put("c", "y", "2")
                                          .Check("b", "guard", version)
                                          .Check("b", "absent", kAbsent)
                                          .Delete("b", "guard", version));
  REQUIRE(done.ok());
  CHECK(store.Get("b", "x")->version == *done);
  CHECK(store.Get("c", "y")->version == *done);
  CHECK_FALSE(store.Get("b", "guard").ok());
}

TEMPLATE_TEST_CASE("lists are ordered, by prefix and paged", "", Memory, Sqlite) {
  TestType fixture;
  Store& store = fixture.store;
  for (const char* key : {"g/2", "g/1", "h/1", "g/10", "f"}) REQUIRE(store.PutIfVersion("b", key, key, kAbsent).ok());
  const auto page = store.List("b", "g/", {.size = 2, .token = ""});
  REQUIRE(page.ok());
  REQUIRE(page->records.size() == 2);
  CHECK(page->records[0].key == "g/1");
  CHECK(page->records[1].key == "g/10");
  const auto rest = store.List("b", "g/", {.size = 2, .token = page->next_page_token});
  REQUIRE(rest->records.size() == 1);
  CHECK(rest->records[0].value == "g/2");
  CHECK(rest->next_page_token.empty());
  CHECK(store.ListAll("b")->size() == 5);
  CHECK(store.ListAll("nothing")->empty());
}

TEMPLATE_TEST_CASE("a lease ends by itself and each new holder has a greater fence", "", Memory, Sqlite) {
  TestType fixture;
  Store& store = fixture.store;
  const auto first = store.AcquireLease("op", "a", absl::Seconds(10));
  REQUIRE(first.ok());
  CHECK(DetailOf(store.AcquireLease("op", "b", absl::Seconds(10)).status()).reason == "LEASE_HELD");
  fixture.clock.Advance(absl::Seconds(5));
  const auto renewed = store.AcquireLease("op", "a", absl::Seconds(10));
  CHECK(renewed->fence == first->fence);
  CHECK(renewed->expires > first->expires);
  fixture.clock.Advance(absl::Seconds(11));
  const auto taken = store.AcquireLease("op", "b", absl::Seconds(10));
  REQUIRE(taken.ok());
  CHECK(taken->fence > first->fence);
  CHECK(store.ReleaseLease("op", "a").ok());  // not its any more: nothing happens
  CHECK_FALSE(store.AcquireLease("op", "c", absl::Seconds(10)).ok());
  CHECK(store.ReleaseLease("op", "b").ok());
  CHECK(store.AcquireLease("op", "c", absl::Seconds(10))->fence > taken->fence);
}

TEMPLATE_TEST_CASE("of many writers of one record exactly one wins each version", "", Memory, Sqlite) {
  TestType fixture;
  Store& store = fixture.store;
  REQUIRE(store.PutIfVersion("b", "n", "0", kAbsent).ok());
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&store] {
      for (int done = 0; done < 25;) {
        const Record record = *store.Get("b", "n");
        if (store.PutIfVersion("b", "n", std::to_string(std::stoi(record.value) + 1), record.version).ok()) ++done;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(store.Get("b", "n")->value == "200");
}

}  // namespace
}  // namespace protector::store
