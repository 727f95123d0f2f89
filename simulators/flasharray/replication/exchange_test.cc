#include "simulators/flasharray/replication/exchange.h"

#include <catch2/catch.hpp>

#include "simulators/flasharray/model/group_ops.h"
#include "simulators/flasharray/replication/peer_links.h"

namespace protector::fasim {
namespace {

struct Side {
  Side(const std::string& name, const std::string& peer) : options(Make(name, peer)) {
    Tx tx(&db);
    ArrayInfo array = tx.array();
    array.array_id = UuidFrom(name);
    array.name = name;
    tx.Put(array);
    tx.Commit();
  }

  static Options Make(const std::string& name, const std::string& peer) {
    Options options;
    options.name = name;
    options.rest_address = name + ":443";
    options.control_address = name + ":9901";
    options.peers = {{peer, peer + ":9901"}};
    return options;
  }

  void Allow(bool allowed) {
    Tx tx(&db);
    for (const auto& group : tx.tables().groups.All()) {
      if (!group->is_local) SetAllowed(tx, group, allowed);
    }
    tx.Commit();
  }
  bool TargetAllows() {
    Tx tx(&db);
    return tx.tables().groups.ByName("pg")->targets.front().allowed;
  }

  SimClock clock;
  Options options;
  Settings settings;
  Db db{"", false, &clock};
  PeerLinks peers{&options, &settings};
  Exchange exchange{Context{&options, &settings, &db, nullptr, nullptr, nullptr, &peers}};
};

// Two arrays that know each other, and a group of the first that is to be replicated to the second.
struct TwoArrays {
  TwoArrays() {
    Talk();
    Tx tx(&a.db);
    CreateGroup(tx, "pg");
    AddTarget(tx, tx.tables().groups.ByName("pg"), "b");
    tx.Commit();
  }
  void Talk() {
    a.exchange.TakeIn(b.exchange.Message("a"));
    b.exchange.TakeIn(a.exchange.Message("b"));
    a.exchange.TakeIn(b.exchange.Message("a"));
  }
  Side a{"a", "b"}, b{"b", "a"};
};

}  // namespace

TEST_CASE("what a target allows reaches the source with the next exchange") {
  TwoArrays arrays;
  arrays.Talk();
  CHECK_FALSE(arrays.a.TargetAllows());
  arrays.b.Allow(true);
  CHECK_FALSE(arrays.a.TargetAllows());
  arrays.Talk();
  CHECK(arrays.a.TargetAllows());
}

TEST_CASE("a message that was overtaken by a newer one does not bring the older state back") {
  TwoArrays arrays;
  arrays.Talk();
  const Json old = arrays.b.exchange.Message("a");
  arrays.b.Allow(true);
  arrays.a.exchange.TakeIn(arrays.b.exchange.Message("a"));
  REQUIRE(arrays.a.TargetAllows());
  arrays.a.exchange.TakeIn(old);
  CHECK(arrays.a.TargetAllows());
}

TEST_CASE("an array that starts anew is heard although its messages begin anew") {
  TwoArrays arrays;
  for (int i = 0; i < 5; ++i) arrays.Talk();
  Exchange restarted{
      Context{&arrays.b.options, &arrays.b.settings, &arrays.b.db, nullptr, nullptr, nullptr, &arrays.b.peers}};
  arrays.b.Allow(true);
  arrays.a.exchange.TakeIn(restarted.Message("a"));
  CHECK(arrays.a.TargetAllows());
}

}  // namespace protector::fasim
