#include "services/metadata-sync/domain/synchroniser.h"

#include <catch2/catch.hpp>

#include "services/metadata-sync/domain/test_support.h"

namespace protector::metadata_sync {
namespace {

std::string ReasonOf(const absl::Status& status) {
  return DetailOf(status).reason;
}

// A group at version 1 on both sites, primary site-a.
struct Group : Pair {
  Group() {
    REQUIRE(Commit(a, document, 0).ok());
    document = *a.process->repository.DocumentOf(*a.process->repository.Version(id, 1));
  }
  absl::StatusOr<pb::CommitResponse> Commit(Site& site, const Document& changed, int64_t base,
                                            const std::string& request = "", bool alone = false) {
    pb::CommitRequest commit = Request(changed, base, request);
    commit.set_allow_peer_unreachable(alone);
    return site.process->synchroniser.Commit(commit);
  }
  Document Changed(const std::string& description) const {
    Document changed = document;
    changed.set_description(description);
    return changed;
  }
  Document Moved(const std::string& to, int64_t epoch) const {
    Document moved = document;
    moved.set_primary_site(to);
    moved.set_epoch(epoch);
    moved.set_status(protector::group::v1::FAILED_OVER);
    return moved;
  }
  pb::SyncState State(Site& site) { return site.process->synchroniser.Status(id)->state(); }
  bool Equal() const { return a.Head(id).hash() == b.Head(id).hash() && a.Head(id).version() > 0; }

  Document document = MakeDocument("web");
  const std::string id = document.id();
};

TEST_CASE("P8: an acknowledged change is on both sites") {
  Group group;
  CHECK(group.Equal());
  const auto done = group.Commit(group.a, group.Changed("new"), 1);
  REQUIRE(done.ok());
  CHECK(done->version().version() == 2);
  CHECK(done->peer_has_it());
  CHECK(done->document().description() == "new");
  CHECK(group.Equal());
  CHECK(group.State(group.a) == pb::IN_SYNC);
  CHECK(group.State(group.b) == pb::IN_SYNC);
  CHECK(group.b.process->repository.DocumentOf(*group.b.process->repository.Version(group.id, 2))->description() ==
        "new");
}

TEST_CASE("a change is refused while the peer is away, with the remedy, and leaves nothing") {
  Group group;
  group.a.wire.faults.down = true;
  const absl::Status refused = group.Commit(group.a, group.Changed("new"), 1).status();
  CHECK(refused.code() == absl::StatusCode::kUnavailable);
  CHECK(ReasonOf(refused) == "REMOTE_SITE_UNREACHABLE");
  CHECK(MessageOf(refused).find("Cannot modify protection group: remote site unreachable") == 0);
  CHECK(DetailOf(refused).remedy.find("unplanned") != std::string::npos);
  CHECK(group.a.Head(group.id).version() == 1);
  CHECK_FALSE(group.a.process->repository.InDoubt(group.id)->has_value());
  CHECK(group.State(group.a) == pb::UNREACHABLE);
  // The flag does not help within an epoch that the peer has.
  CHECK(ReasonOf(group.Commit(group.a, group.Changed("new"), 1, "", true).status()) == "INVALID_ARGUMENT");
}

TEST_CASE("changes that do not fit are refused with their reason") {
  Group group;
  CHECK(ReasonOf(group.Commit(group.a, group.Changed("x"), 0).status()) == "VERSION_MISMATCH");
  CHECK(ReasonOf(group.Commit(group.b, group.Changed("x"), 1).status()) == "NOT_PRIMARY");
  Document taken = MakeDocument("web");
  taken.set_id(DerivedUuid("another"));
  CHECK(ReasonOf(group.Commit(group.a, taken, 0).status()) == "NAME_TAKEN");
  Document bad = group.Changed("x");
  bad.set_primary_site("site-c");
  CHECK(ReasonOf(group.Commit(group.a, bad, 1).status()) == "INVALID_ARGUMENT");
  CHECK(group.a.Head(group.id).version() == 1);
}

TEST_CASE("a repeat of a request, or of its content, answers as the first did") {
  Group group;
  const auto first = group.Commit(group.a, group.Changed("new"), 1, "request-1");
  REQUIRE(first.ok());
  CHECK(group.Commit(group.a, group.Changed("new"), 1, "request-1")->version().hash() == first->version().hash());
  CHECK(group.Commit(group.a, group.Changed("new"), 1)->version().hash() == first->version().hash());
  REQUIRE(group.Commit(group.a, group.Changed("newer"), 2).ok());
  CHECK(group.Commit(group.a, group.Changed("new"), 1, "request-1")->version().hash() == first->version().hash());
  CHECK(group.a.Head(group.id).version() == 3);
}

TEST_CASE("ids of old requests are forgotten, those of new ones are not") {
  Group group;
  REQUIRE(group.Commit(group.a, group.Changed("old"), 1, "request-old").ok());
  group.clock.Advance(absl::Hours(24 * 10));
  REQUIRE(group.Commit(group.a, group.Changed("new"), 2, "request-new").ok());
  CHECK(*group.a.process->repository.ForgetRequestsBefore(group.clock.Now() - absl::Hours(24)) == 1);
  CHECK_FALSE(group.a.process->repository.Requested("request-old")->has_value());
  CHECK(group.a.process->repository.Requested("request-new")->has_value());
}

TEST_CASE("a lost answer is an outcome of its own, settled before the next change") {
  Group group;
  int calls = 0;
  // Heads are asked for first; the second call is the version itself, then everything is silent.
  group.a.wire.faults.lose_answer = [&] { return ++calls >= 2; };
  const absl::Status unknown = group.Commit(group.a, group.Changed("new"), 1, "request-1").status();
  CHECK(ReasonOf(unknown) == "OUTCOME_UNKNOWN");
  CHECK(group.a.process->synchroniser.Status(group.id)->in_doubt_version() == 2);
  CHECK(group.a.Head(group.id).version() == 1);
  CHECK(group.b.Head(group.id).version() == 2);
  group.a.wire.faults = {};
  SECTION("by the same request again") {
    const auto done = group.Commit(group.a, group.Changed("new"), 1, "request-1");
    REQUIRE(done.ok());
    CHECK(done->version().version() == 2);
  }
  SECTION("by the retry loop") {
    CHECK(group.a.process->loop.Round());
  }
  SECTION("by the peer, which builds on it") {
    Document moved = group.Moved("site-b", 2);
    REQUIRE(group.Commit(group.b, moved, 2).ok());
    CHECK(group.a.Head(group.id).version() == 3);
  }
  SECTION("after a restart") {
    group.a.Start();
    CHECK(group.a.process->loop.Round());
  }
  CHECK(group.Equal());
  CHECK_FALSE(group.a.process->repository.InDoubt(group.id)->has_value());
}

TEST_CASE("a lost request is found not to have arrived and is dropped") {
  Group group;
  int calls = 0;
  group.a.wire.faults.lose_request = [&] { return ++calls >= 2; };
  CHECK(ReasonOf(group.Commit(group.a, group.Changed("new"), 1).status()) == "OUTCOME_UNKNOWN");
  group.a.wire.faults = {};
  const auto next = group.Commit(group.a, group.Changed("another"), 1);
  REQUIRE(next.ok());
  CHECK(next->version().version() == 2);
  CHECK(group.Equal());
  CHECK(group.b.process->queries
            .GetDocument([&] {
              pb::GetDocumentRequest request;
              request.set_group_id(group.id);
              return request;
            }())
            ->document()
            .description() == "another");
}

TEST_CASE("a version whose sender has stopped waiting is not taken: the sender has settled that it was not") {
  Group group;
  REQUIRE(group.Commit(group.a, group.Changed("new"), 1).ok());
  pb::Version next = *group.a.process->repository.Version(group.id, 2);
  next.set_version(3);
  next.set_parent_hash(next.hash());
  next.set_hash(VersionHash(next));
  const auto late = group.b.process->replica.Apply(next, false, "site-a", [] { return true; });
  CHECK(late.status().code() == absl::StatusCode::kCancelled);
  CHECK(group.b.Head(group.id).version() == 2);
  CHECK(group.b.process->replica.Apply(next, false, "site-a", [] { return false; }).ok());
  CHECK(group.b.Head(group.id).version() == 3);
}

TEST_CASE("an answer that is lost once is found out at once") {
  Group group;
  int calls = 0;
  group.a.wire.faults.lose_answer = [&] { return ++calls == 2; };
  CHECK(group.Commit(group.a, group.Changed("new"), 1).ok());
  CHECK(group.Equal());
}

TEST_CASE("P7: an unplanned move goes on alone and reaches the peer when it returns") {
  Group group;
  group.b.wire.faults.down = true;
  const auto moved = group.Commit(group.b, group.Moved("site-b", 2), 1, "", true);
  REQUIRE(moved.ok());
  CHECK_FALSE(moved->peer_has_it());
  CHECK(group.State(group.b) == pb::UNREACHABLE);
  // The epoch is ours alone: further changes in it go on as well.
  Document more = moved->document();
  more.set_failover_count(1);
  REQUIRE(group.Commit(group.b, more, 2, "", true).ok());
  CHECK_FALSE(group.b.process->loop.Round());
  const pb::SyncStatus away = *group.b.process->synchroniser.Status(group.id);
  CHECK(away.next_retry_time().seconds() > 0);
  CHECK_FALSE(away.last_error().empty());
  CHECK(away.remote().version() == 1);

  group.b.wire.faults.down = false;
  CHECK(group.b.process->loop.Round());
  CHECK(group.Equal());
  CHECK(group.a.Head(group.id).epoch() == 2);
  CHECK(group.State(group.b) == pb::IN_SYNC);
  // P5: the old primary is overtaken.
  CHECK(ReasonOf(group.Commit(group.a, group.Changed("late"), 1).status()) == "STALE_EPOCH");
}

TEST_CASE("P8: in an epoch that the peer has, nothing goes on alone") {
  Group group;
  const auto moved = group.Commit(group.b, group.Moved("site-b", 2), 1);
  REQUIRE(moved.ok());
  group.b.wire.faults.down = true;
  Document more = moved->document();
  more.set_failover_count(1);
  CHECK(ReasonOf(group.Commit(group.b, more, 2, "", true).status()) == "REMOTE_SITE_UNREACHABLE");
  CHECK(group.b.Head(group.id).version() == 2);
  // A new one is another matter, also for the site that was overtaken.
  group.a.wire.faults.down = true;
  CHECK(group.Commit(group.a, group.Moved("site-a", 3), 2, "", true).ok());
}

TEST_CASE("the overtaken site fetches what it missed when it is the one to call") {
  Group group;
  group.b.wire.faults.down = true;
  REQUIRE(group.Commit(group.b, group.Moved("site-b", 2), 1, "", true).ok());
  CHECK(group.a.process->loop.Round());
  CHECK(group.Equal());
  Document made = MakeDocument("other", "site-b");
  group.b.wire.faults.down = false;
  REQUIRE(group.Commit(group.b, made, 0).ok());
  CHECK(group.a.Head(made.id()).version() == 1);
}

TEST_CASE("a change whose author is in doubt and then overtaken is given up") {
  Group group;
  int calls = 0;
  group.a.wire.faults.lose_request = [&] { return ++calls >= 2; };
  REQUIRE_FALSE(group.Commit(group.a, group.Changed("never seen"), 1).ok());
  group.a.wire.faults = {};
  REQUIRE(group.Commit(group.b, group.Moved("site-b", 2), 1).ok());  // arrives at site-a while it is in doubt
  CHECK(group.Equal());
  CHECK_FALSE(group.a.process->repository.InDoubt(group.id)->has_value());
  CHECK(group.a.Head(group.id).epoch() == 2);
}

// site-a has one change that it could not be known to have lost; site-b moved on alone from the version before.
struct DivergedGroup : Group {
  DivergedGroup() {
    REQUIRE(Commit(a, Changed("only here"), 1).ok());
    // site-b's database goes back to version 1, as from a backup: the only way for acknowledged versions to be missing.
    Site fresh("site-b", "site-a", clock);
    REQUIRE(fresh.process->replica.Apply(*a.process->repository.Version(id, 1), false, "site-a").ok());
    for (const char* bucket : {"groups", "versions", "contents", "names", "sync"}) {
      const auto old_records = *b.store.ListAll(bucket);
      const auto records = *fresh.store.ListAll(bucket);
      for (const auto& record : old_records) REQUIRE(b.store.Delete(bucket, record.key).ok());
      for (const auto& record : records) {
        REQUIRE(b.store.PutIfVersion(bucket, record.key, record.value, store::kAnyVersion).ok());
      }
    }
    b.wire.faults.down = true;
    REQUIRE(Commit(b, Moved("site-b", 2), 1, "", true).ok());
    b.wire.faults.down = false;
  }
};

TEST_CASE("P8: diverged heads are told and not overwritten") {
  DivergedGroup group;
  CHECK(group.State(group.a) == pb::DIVERGED);
  CHECK(group.State(group.b) == pb::DIVERGED);
  group.a.process->loop.Round();
  group.b.process->loop.Round();
  CHECK_FALSE(group.Equal());
  CHECK(ReasonOf(group.Commit(group.a, group.Changed("more"), 2).status()) == "DIVERGED");
}

TEST_CASE("P9: force from the lower epoch is refused, from the higher one it keeps and shows what lost") {
  DivergedGroup group;
  CHECK(ReasonOf(group.a.process->synchroniser.ForceSync(group.id, "mistake").status()) == "LOWER_EPOCH");
  const auto forced = group.b.process->synchroniser.ForceSync(group.id, "after the outage");
  REQUIRE(forced.ok());
  CHECK(forced->versions_sent() == 1);
  REQUIRE(forced->superseded_size() == 1);
  CHECK(forced->superseded(0).author_site() == "site-a");
  CHECK(forced->status().state() == pb::IN_SYNC);
  CHECK(group.Equal());
  pb::ListHistoryRequest request;
  request.set_group_id(group.id);
  const auto history = group.a.process->queries.ListHistory(request);
  REQUIRE(history->entries_size() == 3);
  int superseded = 0;
  for (const auto& entry : history->entries()) superseded += entry.superseded() ? 1 : 0;
  CHECK(superseded == 1);
  CHECK(group.Commit(group.b, group.Moved("site-b", 2), 2).ok());
}

TEST_CASE("P9: a site that took over twice, its first time lost with its database, forces its present onto the other") {
  Group group;
  group.b.wire.faults.down = true;
  const auto once = group.Commit(group.b, group.Moved("site-b", 2), 1, "", true);
  REQUIRE(once.ok());
  // site-a has the first take-over; site-b comes back without it and takes over again.
  REQUIRE(group.a.process->loop.Round());
  Site again("site-b", "site-a", group.clock);
  again.wire.other = &group.a;
  group.a.wire.other = &again;
  REQUIRE(again.process->replica.Apply(*group.a.process->repository.Version(group.id, 1), false, "site-a").ok());
  again.wire.faults.down = true;
  Document twice = group.Moved("site-b", 2);
  twice.set_description("twice");
  REQUIRE(group.Commit(again, twice, 1, "", true).ok());
  again.wire.faults.down = false;
  CHECK(group.State(group.a) == pb::DIVERGED);
  CHECK(group.State(again) == pb::DIVERGED);
  CHECK(ReasonOf(group.a.process->synchroniser.ForceSync(group.id, "").status()) == "LOWER_EPOCH");
  REQUIRE(again.process->synchroniser.ForceSync(group.id, "").ok());
  CHECK(group.a.Head(group.id).hash() == again.Head(group.id).hash());
  CHECK(group.State(group.a) == pb::IN_SYNC);
}

TEST_CASE("force pushes what a reachable peer lacks and is refused while it is away or ahead") {
  Group group;
  group.b.wire.faults.down = true;
  REQUIRE(group.Commit(group.b, group.Moved("site-b", 2), 1, "", true).ok());
  CHECK(ReasonOf(group.b.process->synchroniser.ForceSync(group.id, "").status()) == "REMOTE_SITE_UNREACHABLE");
  CHECK(ReasonOf(group.a.process->synchroniser.ForceSync(group.id, "").status()) == "LOWER_EPOCH");
  group.b.wire.faults.down = false;
  const auto forced = group.b.process->synchroniser.ForceSync(group.id, "");
  REQUIRE(forced.ok());
  CHECK(forced->versions_sent() == 1);
  CHECK(group.Equal());
  CHECK(group.b.process->synchroniser.ForceSync(group.id, "")->versions_sent() == 0);
  CHECK(ReasonOf(group.b.process->synchroniser.ForceSync(DerivedUuid("none"), "").status()) == "GROUP_NOT_FOUND");
}

TEST_CASE("a client can carry versions between sites that do not reach each other") {
  Group group;
  group.a.wire.faults.down = group.b.wire.faults.down = true;
  REQUIRE(group.Commit(group.b, group.Moved("site-b", 2), 1, "", true).ok());
  const std::vector<pb::Version> carried = *group.b.process->repository.After(group.id, 1, 10);
  for (const pb::Version& version : carried) {
    const auto applied = group.a.process->replica.Apply(version, false, "cli");
    CHECK(applied->result() == pb::ApplyVersionResponse::APPLIED);
    CHECK(group.a.process->replica.Apply(version, false, "cli")->result() == pb::ApplyVersionResponse::ALREADY_HAD_IT);
  }
  CHECK(group.Equal());
}

TEST_CASE("a version that was altered on the way is not taken") {
  Group group;
  REQUIRE(group.Commit(group.a, group.Changed("new"), 1).ok());
  pb::Version version = *group.a.process->repository.Version(group.id, 2);
  version.set_version(3);
  version.set_parent_hash(group.a.Head(group.id).hash());
  CHECK(group.b.process->replica.Apply(version, false, "site-a").status().code() == absl::StatusCode::kInvalidArgument);
  version.set_content("garbage");
  version.set_hash(VersionHash(version));
  CHECK_FALSE(group.b.process->replica.Apply(version, false, "site-a").ok());
  CHECK(group.b.Head(group.id).version() == 2);
}

TEST_CASE("a tombstone frees the name and is kept") {
  Group group;
  Document gone = group.document;
  gone.set_deleted(true);
  REQUIRE(group.Commit(group.a, gone, 1).ok());
  CHECK(group.b.Head(group.id).deleted());
  Document again = MakeDocument("web");
  again.set_id(DerivedUuid("again"));
  CHECK(group.Commit(group.a, again, 0).ok());
  pb::ListDocumentsRequest request;
  request.set_project_id("project-b");
  CHECK(group.b.process->queries.ListDocuments(request)->documents_size() == 1);
  request.set_include_deleted(true);
  CHECK(group.b.process->queries.ListDocuments(request)->documents_size() == 2);
  CHECK(ReasonOf(group.Commit(group.a, group.Changed("x"), 2).status()) == "GROUP_NOT_FOUND");
}

TEST_CASE("the peer's refusal is told with its cause and leaves nothing in doubt") {
  Group group;
  // A name that is free at site-a only.
  Document other = MakeDocument("api");
  (*other.mutable_projects())["site-a"] = "project-x";
  other.set_name("web");
  const absl::Status refused = group.Commit(group.a, other, 0).status();
  CHECK(ReasonOf(refused) == "NAME_TAKEN");
  CHECK(DetailOf(refused).site == "site-b");
  CHECK(group.a.Head(other.id()).version() == 0);
  CHECK_FALSE(group.a.process->repository.InDoubt(other.id())->has_value());
}

TEST_CASE("watchers see each new head once it is durable") {
  Group group;
  std::vector<int64_t> seen;
  const int64_t id = group.b.process->hub.Subscribe([&](const pb::Head& head) { seen.push_back(head.version()); });
  REQUIRE(group.Commit(group.a, group.Changed("1"), 1).ok());
  REQUIRE(group.Commit(group.a, group.Changed("2"), 2).ok());
  group.b.process->hub.Unsubscribe(id);
  REQUIRE(group.Commit(group.a, group.Changed("3"), 3).ok());
  CHECK(seen == std::vector<int64_t>{2, 3});
}

}  // namespace
}  // namespace protector::metadata_sync
