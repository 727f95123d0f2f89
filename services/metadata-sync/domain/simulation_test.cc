// Two sites, every store write a place to die, every message a chance to be lost: whatever happens, what was
// acknowledged is on both sites, and the sites agree once they can talk.
#include <rapidcheck.h>
#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>
#include <set>

#include "services/metadata-sync/domain/test_support.h"

namespace protector::metadata_sync {
namespace {

struct World : Pair {
  Document document = MakeDocument("web");
  const std::string id = document.id();
  std::vector<pb::Version> acknowledged;  // as both-sites changes

  Site& primary() { return SiteOf(document.primary_site()); }
  Site& SiteOf(const std::string& name) { return name == "site-a" ? a : b; }
  Site& OtherOf(const std::string& name) { return name == "site-a" ? b : a; }

  void Calm() {
    for (Site* site : {&a, &b}) {
      site->wire.faults = {};
      site->KillAt(0);
      if (!site->up()) site->Start();
    }
  }
  // The document that `site` has; the base to build on.
  bool Read(Site& site, Document& head, int64_t& version) {
    const pb::Head at = site.Head(id);
    version = at.version();
    if (version == 0) {
      head = document;
      return true;
    }
    head = *site.process->repository.DocumentOf(*site.process->repository.Version(id, version));
    return true;
  }
  // One change or move by `site`; what it acknowledged is remembered.
  absl::Status Change(Site& site, const std::string& name, const std::string& description, bool move,
                      const std::string& request) {
    absl::Status status = absl::UnknownError("killed");
    site.Run([&](Process& process) {
      Document next;
      int64_t base = 0;
      Read(site, next, base);
      next.set_description(description);
      if (move) {
        if (base == 0 || next.primary_site() == name) return;
        next.set_primary_site(name);
        next.set_epoch(next.epoch() + 1);
      }
      const auto done = process.synchroniser.Commit(Request(next, base, request));
      status = done.status();
      if (done.ok()) acknowledged.push_back(done->version());
    });
    return status;
  }
  void Settle() {
    Calm();
    for (int i = 0; i < 4; ++i) {
      a.process->loop.Round();
      b.process->loop.Round();
    }
  }
  bool HasAll(Site& site) {
    for (const pb::Version& version : acknowledged) {
      if (!site.process->repository.OnChain(id, version.version(), version.hash())->has_value()) return false;
    }
    return true;
  }
  bool Agree() { return a.Head(id).hash() == b.Head(id).hash(); }
  bool NoDoubt() {
    return !a.process->repository.InDoubt(id)->has_value() && !b.process->repository.InDoubt(id)->has_value();
  }
  // The chain of a site is whole: numbers, parents and hashes.
  bool Whole(Site& site) {
    std::string parent;
    const int64_t last = site.Head(id).version();
    for (int64_t number = 1; number <= last; ++number) {
      const auto version = site.process->repository.Version(id, number);
      if (!version.ok() || version->parent_hash() != parent || version->hash() != VersionHash(*version)) return false;
      parent = version->hash();
    }
    return true;
  }
};

TEST_CASE(
    "P3 P8: a commit that is killed at any write, on either site, is whole or gone, and is finished by its repeat") {
  for (const char* victim : {"site-a", "site-b"}) {
    for (const bool move : {false, true}) {
      int moments = 0;
      for (int moment = 1; moment < 40; ++moment) {
        World world;
        REQUIRE(world.Change(world.a, "site-a", "first", false, "").ok());
        const std::string author = move ? "site-b" : "site-a";
        world.SiteOf(victim).KillAt(moment);
        const absl::Status status = world.Change(world.SiteOf(author), author, "second", move, "request-2");
        const bool reached = !world.SiteOf(victim).armed();
        if (!reached) break;
        ++moments;
        INFO(victim << " killed at moment " << moment << " of a " << (move ? "move" : "change") << ": "
                    << status.ToString());
        world.Settle();
        CHECK(world.Agree());
        CHECK(world.NoDoubt());
        CHECK(world.HasAll(world.a));
        CHECK(world.HasAll(world.b));
        const int64_t settled = world.a.Head(world.id).version();
        CHECK((settled == 1 || settled == 2));
        // The same request again: once, not twice.
        if (settled == 1 || !move) {
          CHECK(world.Change(world.SiteOf(author), author, "second", move, "request-2").ok());
        }
        CHECK(world.Agree());
        CHECK(world.a.Head(world.id).version() == 2);
      }
      // In doubt and taken at the author, taken at the peer: the places to die exist, before and after each write.
      CHECK(moments == ((victim == std::string("site-a")) == move ? 2 : 4));
    }
  }
}

TEST_CASE("P8: any mixture of lost messages, kills and moves leaves both sites with every acknowledged change") {
  CHECK(rc::check([] {
    World world;
    RC_ASSERT(world.Change(world.a, "site-a", "first", false, "").ok());
    const int steps = *rc::gen::inRange(1, 12);
    for (int step = 0; step < steps; ++step) {
      const auto flaw = [](bool lossy) {
        return
            [lossy, left = std::make_shared<int>(3)] { return lossy && (*left)-- > 0 && *rc::gen::inRange(0, 3) == 0; };
      };
      for (Site* site : {&world.a, &world.b}) {
        if (!site->up()) site->Start();
        site->wire.faults.down = *rc::gen::inRange(0, 5) == 0;
        site->wire.faults.lose_request = flaw(*rc::gen::arbitrary<bool>());
        site->wire.faults.lose_answer = flaw(*rc::gen::arbitrary<bool>());
        site->KillAt(*rc::gen::inRange(0, 3) == 0 ? *rc::gen::inRange(1, 8) : 0);
      }
      const std::string author = *rc::gen::element<std::string>("site-a", "site-b");
      const bool move = *rc::gen::inRange(0, 3) == 0;
      if (*rc::gen::inRange(0, 3) == 0) {
        Site& site = world.SiteOf(author);
        site.Run([](Process& process) { process.loop.Round(); });
      } else {
        world
            .Change(world.SiteOf(author), author, "step " + std::to_string(step), move,
                    "request-" + std::to_string(step))
            .IgnoreError();  // whatever came of it: what was acknowledged is remembered
      }
    }
    world.Settle();
    RC_ASSERT(world.Agree());
    RC_ASSERT(world.NoDoubt());
    RC_ASSERT(world.HasAll(world.a));
    RC_ASSERT(world.HasAll(world.b));
    RC_ASSERT(world.Whole(world.a));
    RC_ASSERT(world.Whole(world.b));
  }));
}

TEST_CASE("P5: two sites that commit on one head at the same moment end with one of them, and say so") {
  // site-a changes while site-b moves; each one's version is in doubt when the other's arrives.
  World world;
  REQUIRE(world.Change(world.a, "site-a", "first", false, "").ok());
  absl::Status moved;
  bool once = false;
  world.a.wire.faults.lose_request = [&] {
    // Between site-a's in-doubt record and its message: site-b moves the group.
    if (!once && world.a.process->repository.InDoubt(world.id)->has_value()) {
      once = true;
      moved = world.Change(world.b, "site-b", "moved", true, "");
    }
    return false;
  };
  const absl::Status changed = world.Change(world.a, "site-a", "changed", false, "");
  REQUIRE(once);
  INFO(changed.ToString() << " / " << moved.ToString());
  CHECK(moved.ok());
  CHECK_FALSE(changed.ok());
  world.Settle();
  CHECK(world.Agree());
  CHECK(world.a.Head(world.id).epoch() == 2);
}

}  // namespace
}  // namespace protector::metadata_sync
