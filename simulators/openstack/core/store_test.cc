#include "simulators/openstack/core/store.h"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "simulators/openstack/core/util.h"

namespace protector::ossim {
namespace {

struct Directory {
  std::string path = std::filesystem::temp_directory_path() / ("ossim-store-" + NewUuid());
  ~Directory() { std::filesystem::remove_all(path); }
};

void Put(Store& store, const std::string& id, const json& doc) {
  Store::Lock lock(store);
  store.table("t").Put(id, doc);
}

TEST_CASE("committed changes are there after a reopen, without an orderly end") {
  Directory d;
  Store first;
  first.table("t").Index("colour");
  REQUIRE(first.Open(d.path) == "");
  REQUIRE(first.fresh());
  Put(first, "a", {{"colour", "red"}});
  Put(first, "b", {{"colour", "blue"}});
  Put(first, "a", {{"colour", "blue"}});
  {
    Store::Lock lock(first);
    first.table("t").Put("c", json::object());
    first.table("t").Erase("b");
  }
  // `first` is still open: nothing was closed or flushed for the second reader.
  Store second;
  second.table("t").Index("colour");
  REQUIRE(second.Open(d.path) == "");
  REQUIRE_FALSE(second.fresh());
  Store::Lock lock(second);
  REQUIRE(second.table("t").Ids() == std::vector<std::string>{"a", "c"});
  REQUIRE(second.table("t").Where("colour", "blue") == std::vector<std::string>{"a"});
  REQUIRE(second.table("t").Where("colour", "red").empty());
}

TEST_CASE("one lock is one change: a torn line takes nothing of it with it") {
  Directory d;
  {
    Store store;
    REQUIRE(store.Open(d.path) == "");
    Put(store, "whole", {{"n", 1}});
    Store::Lock lock(store);
    store.table("t").Put("x", {{"n", 2}});
    store.table("u").Put("y", {{"n", 3}});
  }
  std::string journal = d.path + "/state.jsonl";
  std::filesystem::resize_file(journal, std::filesystem::file_size(journal) - 4);
  Store store;
  REQUIRE(store.Open(d.path) == "");
  Store::Lock lock(store);
  REQUIRE(store.table("t").Has("whole"));
  REQUIRE_FALSE(store.table("t").Has("x"));
  REQUIRE_FALSE(store.table("u").Has("y"));
}

TEST_CASE("what is written after a torn tail is read again") {
  Directory d;
  {
    Store store;
    REQUIRE(store.Open(d.path) == "");
    Put(store, "a", {{"n", 1}});
  }
  std::ofstream(d.path + "/state.jsonl", std::ios::app) << "[[\"t\",\"torn";
  {
    Store store;
    REQUIRE(store.Open(d.path) == "");
    Put(store, "b", {{"n", 2}});
  }
  Store store;
  REQUIRE(store.Open(d.path) == "");
  Store::Lock lock(store);
  REQUIRE(store.table("t").Ids() == std::vector<std::string>{"a", "b"});
}

TEST_CASE("a rollback takes back puts, changes and erasures, order and indexes included") {
  Store store;
  Table& t = store.table("t");
  t.Index("k");
  Put(store, "a", {{"k", "1"}});
  Put(store, "b", {{"k", "1"}});
  {
    Store::Lock lock(store);
    t.Put("c", {{"k", "1"}});
    t.Put("a", {{"k", "2"}});
    t.Put("a", {{"k", "3"}});
    t.Erase("b");
    lock.Rollback();
  }
  Store::Lock lock(store);
  REQUIRE(t.Ids() == std::vector<std::string>{"a", "b"});
  REQUIRE(t.Where("k", "1") == std::vector<std::string>{"a", "b"});
  REQUIRE(t.Where("k", "3").empty());
  REQUIRE(t.Find("c") == nullptr);
}

TEST_CASE("newest first is the reverse of the order of creation, whatever changed since") {
  Store store;
  for (int i = 0; i < 5; ++i) Put(store, fmt::format("id{}", 9 - i), {{"n", i}});
  Put(store, "id9", {{"n", 100}});
  Store::Lock lock(store);
  std::string seen;
  store.table("t").EachNewest([&](const std::string& id, const json&) { seen += id + " "; });
  REQUIRE(seen == "id5 id6 id7 id8 id9 ");
}

}  // namespace
}  // namespace protector::ossim
