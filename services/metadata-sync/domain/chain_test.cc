#include "services/metadata-sync/domain/chain.h"

#include <rapidcheck.h>
#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>

#include "libs/base/error.h"
#include "services/metadata-sync/domain/test_support.h"

namespace protector::metadata_sync {
namespace {

pb::Version Make(int64_t number, int64_t epoch, const std::string& parent, const std::string& author,
                 const std::string& content = "") {
  pb::Version version;
  version.set_group_id("g");
  version.set_version(number);
  version.set_epoch(epoch);
  version.set_parent_hash(parent);
  version.set_author_site(author);
  version.set_content(content);
  version.set_hash(VersionHash(version));
  return version;
}

TEST_CASE("P8: every part of a version is in its name") {
  const pb::Version version = Make(3, 2, "p", "site-a", "content");
  const auto differs = [&](const std::function<void(pb::Version&)>& change) {
    pb::Version other = version;
    change(other);
    return VersionHash(other) != version.hash();
  };
  CHECK(differs([](pb::Version& v) { v.set_group_id("h"); }));
  CHECK(differs([](pb::Version& v) { v.set_version(4); }));
  CHECK(differs([](pb::Version& v) { v.set_epoch(3); }));
  CHECK(differs([](pb::Version& v) { v.set_parent_hash("q"); }));
  CHECK(differs([](pb::Version& v) { v.set_content("other"); }));
  CHECK(version.hash().size() == 64);
}

TEST_CASE("P5: on one head there is one possible author per epoch") {
  CHECK(rc::check([] {
    const std::string primary = *rc::gen::element<std::string>("site-a", "site-b");
    const auto epoch = *rc::gen::inRange<int64_t>(1, 50);
    const pb::Version head = Make(*rc::gen::inRange<int64_t>(1, 50), epoch, "p", primary);
    const auto next_epoch = *rc::gen::inRange<int64_t>(1, 52);
    const pb::Version from_a = Make(head.version() + 1, next_epoch, head.hash(), "site-a");
    const pb::Version from_b = Make(head.version() + 1, next_epoch, head.hash(), "site-b");
    const bool a = Continues(HeadOf(head), from_a);
    const bool b = Continues(HeadOf(head), from_b);
    RC_ASSERT(!(a && b));
    RC_ASSERT((a || b) == (next_epoch == epoch || next_epoch == epoch + 1));
  }));
}

TEST_CASE("the first version has number 1, epoch 1 and no parent") {
  pb::Head none;
  CHECK(Continues(none, Make(1, 1, "", "site-a")));
  CHECK_FALSE(Continues(none, Make(1, 1, "x", "site-a")));
  CHECK_FALSE(Continues(none, Make(1, 2, "", "site-a")));
  CHECK_FALSE(Continues(none, Make(2, 1, "", "site-a")));
}

TEST_CASE("what becomes of an arriving version") {
  const pb::Version head = Make(4, 2, "p", "site-a");
  ApplyInput input;
  input.head = HeadOf(head);
  const pb::Version next = Make(5, 2, head.hash(), "site-a", "next");
  CHECK(DecideApply(input, next) == ApplyAction::kAppend);
  CHECK(DecideApply(input, Make(5, 3, head.hash(), "site-b")) == ApplyAction::kAppend);
  CHECK(DecideApply(input, Make(6, 2, next.hash(), "site-a")) == ApplyAction::kBehind);
  CHECK(DecideApply(input, Make(5, 2, "other", "site-a")) == ApplyAction::kRefuseDiverged);
  CHECK(DecideApply(input, Make(4, 1, "other", "site-a")) == ApplyAction::kRefuseStale);
  input.known = true;
  CHECK(DecideApply(input, head) == ApplyAction::kAlreadyHad);
}

TEST_CASE("what becomes of an arriving version while one is in doubt") {
  const pb::Version head = Make(4, 2, "p", "site-a");
  const pb::Version doubt = Make(5, 2, head.hash(), "site-a", "doubt");
  ApplyInput input;
  input.head = HeadOf(head);
  input.in_doubt = doubt;
  CHECK(DecideApply(input, doubt) == ApplyAction::kTakeInDoubt);
  CHECK(DecideApply(input, Make(6, 3, doubt.hash(), "site-b")) == ApplyAction::kTakeInDoubtThenAppend);
  const pb::Version move = Make(5, 3, head.hash(), "site-b");
  CHECK(DecideApply(input, move) == ApplyAction::kAppendDroppingInDoubt);
  // The same two versions seen from the other side: exactly one of them can win.
  ApplyInput other = input;
  other.in_doubt = move;
  CHECK(DecideApply(other, doubt) == ApplyAction::kRefuseDiverged);
}

TEST_CASE("P9: a diverged head is replaced by force only, and only by a higher epoch") {
  const pb::Version common = Make(3, 1, "p", "site-a");
  const pb::Version loser = Make(4, 1, common.hash(), "site-a", "loser");
  const pb::Version winner = Make(4, 2, common.hash(), "site-b", "winner");
  ApplyInput input;
  input.head = HeadOf(loser);
  input.parent = common;
  CHECK(DecideApply(input, winner) == ApplyAction::kRefuseDiverged);
  input.force = true;
  CHECK(DecideApply(input, winner) == ApplyAction::kReplace);
  input.head = HeadOf(winner);
  CHECK(DecideApply(input, loser) == ApplyAction::kRefuseStale);
}

TEST_CASE("of two sites whose heads differ exactly one may force") {
  CHECK(rc::check([] {
    const auto head = [] {
      // Who wrote a version is in its document, and so in its hash.
      const std::string author = *rc::gen::element<std::string>("site-a", "site-b");
      return HeadOf(Make(*rc::gen::inRange<int64_t>(1, 4), *rc::gen::inRange<int64_t>(1, 4), "", author,
                         author + *rc::gen::element<std::string>("x", "y")));
    };
    const pb::Head at_a = head();
    const pb::Head at_b = head();
    const bool a = MayForce("site-a", at_a, at_b);
    const bool b = MayForce("site-b", at_b, at_a);
    RC_ASSERT((a != b) == (at_a.hash() != at_b.hash()));
    if (at_a.epoch() > at_b.epoch()) RC_ASSERT(a);
  }));
}

TEST_CASE("P9: in one epoch the copy of its primary site wins, however long the chains are") {
  const pb::Version common = Make(3, 1, "p", "site-a");
  const pb::Version once = Make(4, 2, common.hash(), "site-b", "once");
  const pb::Version more = Make(5, 2, once.hash(), "site-b", "more");
  const pb::Version twice = Make(4, 2, common.hash(), "site-b", "twice");
  ApplyInput input;
  input.force = true;
  input.parent = common;
  input.head = HeadOf(more);
  input.from = "site-b";
  CHECK(DecideApply(input, twice) == ApplyAction::kReplace);
  input.from = "site-a";
  CHECK(DecideApply(input, twice) == ApplyAction::kRefuseDiverged);
}

TEST_CASE("who may commit what") {
  Document document = MakeDocument("web");
  pb::Head none;
  CHECK(DecideCommit("site-a", none, document, 0).ok());
  CHECK(DetailOf(DecideCommit("site-b", none, document, 0)).reason == "NOT_PRIMARY");
  CHECK(DetailOf(DecideCommit("site-a", none, document, 3)).reason == "VERSION_MISMATCH");

  const pb::Head head = HeadOf(Make(4, 2, "p", "site-b"));
  document.set_epoch(2);
  CHECK(DetailOf(DecideCommit("site-a", head, document, 4)).reason == "NOT_PRIMARY");
  document.set_epoch(3);
  CHECK(DecideCommit("site-a", head, document, 4).ok());
  document.set_epoch(1);
  CHECK(DetailOf(DecideCommit("site-a", head, document, 4)).reason == "STALE_EPOCH");
  document.set_epoch(4);
  CHECK(DetailOf(DecideCommit("site-a", head, document, 4)).reason == "INVALID_ARGUMENT");
  document.set_primary_site("site-b");
  document.set_epoch(3);
  CHECK(DetailOf(DecideCommit("site-b", head, document, 4)).reason == "INVALID_ARGUMENT");
  document.set_epoch(2);
  CHECK(DecideCommit("site-b", head, document, 4).ok());
}

}  // namespace
}  // namespace protector::metadata_sync
