// Attacks changes of groups where they touch two arrays and two metadata stores: refused commits, lost answers, crashes
// in between.
#include "services/orchestrator/domain/groups/groups.h"

#include <catch2/catch.hpp>

#include "libs/store/memory_store.h"
#include "services/orchestrator/domain/groups/fakes.h"

namespace protector::orchestrator {
namespace {

struct World {
  ManualClock clock{absl::FromUnixSeconds(1'800'000'000)};
  store::MemoryStore store{clock};
  RandomIdGenerator ids;
  testing::FakeSites sites;
  testing::FakePorts ports;
  testing::FakeMembers members;
  Groups groups{{sites, ports, members, store, clock, ids}};
  Call call{absl::Seconds(5)};

  absl::StatusOr<op::Group> Create(const std::string& name, const std::string& request_id = "") {
    op::CreateGroupRequest request;
    request.set_name(name);
    request.set_replication_type(groups::ASYNC);
    request.mutable_project()->set_name("demo");
    request.set_request_id(request_id);
    return groups.Create(call, request);
  }
  absl::StatusOr<op::Group> Add(const std::vector<std::string>& servers) {
    op::AddMembersRequest request;
    request.set_group("web");
    for (const auto& server : servers) request.add_servers(server);
    return groups.AddMembers(call, request);
  }
  std::string Reason(const absl::Status& status) { return DetailOf(status).reason; }
  const testing::FakeArray& Source() const { return ports.array_a; }
};

}  // namespace

TEST_CASE("a group is created with defaults, once for a request id, once for a name") {
  World world;
  const auto group = world.Create("web", "11111111-1111-4111-8111-111111111111");
  REQUIRE(group.ok());
  CHECK(group->document().home_site() == "site-a");
  CHECK(group->document().peer_site() == "site-b");
  CHECK(group->document().projects().at("site-b") == "demo-id-b");
  CHECK(group->document().policy().pure_pg_name() == "pg-web");
  CHECK(world.Create("web", "11111111-1111-4111-8111-111111111111")->document().id() == group->document().id());
  CHECK(world.ports.metadata.commits == 1);
  CHECK(world.Reason(world.Create("web").status()) == "GROUP_EXISTS");
}

TEST_CASE("bad input changes nothing") {
  World world;
  CHECK_FALSE(world.Create("no/slash").ok());
  CHECK_FALSE(world.Create(std::string(500, 'a')).ok());
  CHECK_FALSE(world.Create("\xff\xfe").ok());
  REQUIRE(world.Create("web").ok());
  CHECK(world.Reason(world.Add({"nobody"}).status()) == "SERVER_NOT_FOUND");
  CHECK(world.Reason(world.Add({"web-1", "web-1"}).status()) == "MEMBER_EXISTS");
  CHECK(world.Reason(world.Add({""}).status()) == "INVALID_ARGUMENT");
  CHECK(world.ports.metadata.commits == 1);
  CHECK(world.Source().protected_serials.empty());
}

TEST_CASE("added members are protected on both arrays and paired by serial") {
  World world;
  REQUIRE(world.Create("web").ok());
  const auto group = world.Add({"web-1", "web-2"});
  REQUIRE(group.ok());
  CHECK(group->document().members_size() == 2);
  CHECK(group->document().volume_pairs_size() == 4);
  CHECK(group->document().volume_pairs(0).serials().at("site-a") == "SERIAL-web-1-v0");
  CHECK(world.Source().protected_serials.size() == 4);
  CHECK(world.ports.array_b.accepted == "array-a:pg-web");
  CHECK(world.Reason(world.Add({"web-1"}).status()) == "MEMBER_EXISTS");
}

TEST_CASE("a group is shown as protected when the array says so now, and with the cause when it does not") {
  World world;
  REQUIRE(world.Create("web").ok());
  REQUIRE(world.Add({"web-1"}).ok());
  op::GetGroupRequest request;
  request.set_group("web");
  const auto before = world.groups.Get(world.call, request);
  CHECK_FALSE(before->document().conditions().protected_());
  CHECK(before->document().conditions().reason() == "not protected: first transfer: 40%");
  world.ports.array_a.health = storage::Protection::HEALTHY;
  const auto after = world.groups.Get(world.call, request);
  CHECK(after->document().conditions().protected_());
  CHECK(after->document().conditions().reason().empty());
}

TEST_CASE("P8: with the other site away nothing is changed, neither metadata nor array") {
  World world;
  REQUIRE(world.Create("web").ok());
  world.ports.metadata.sync = metadata::UNREACHABLE;
  const auto refused = world.Add({"web-1"});
  CHECK(refused.status().code() == absl::StatusCode::kUnavailable);
  CHECK(MessageOf(refused.status()) == "Cannot modify protection group: remote site unreachable");
  CHECK_FALSE(DetailOf(refused.status()).remedy.empty());
  CHECK(world.Source().protected_serials.empty());
  CHECK(world.ports.metadata.commits == 1);
}

TEST_CASE("a commit that was refused puts the arrays back") {
  World world;
  REQUIRE(world.Create("web").ok());
  REQUIRE(world.Add({"web-1"}).ok());
  world.ports.metadata.fail_commit = absl::AbortedError("overtaken");
  CHECK_FALSE(world.Add({"web-2"}).ok());
  CHECK(world.Source().protected_serials == std::set<std::string>{"SERIAL-web-1-v0", "SERIAL-web-1-v1"});
}

TEST_CASE("a change that another commit overtook is made again on top of it, unless the caller gave an etag") {
  World world;
  REQUIRE(world.Create("web").ok());
  world.ports.metadata.overtaken = 1;
  REQUIRE(world.Add({"web-1", "web-2"}).ok());

  world.ports.metadata.overtaken = 1;
  op::SetPolicyRequest policy;
  policy.set_group("web");
  policy.add_fields("replication_interval");
  policy.mutable_policy()->set_replication_interval(900);
  REQUIRE(world.groups.SetPolicy(world.call, policy).ok());
  CHECK(world.Source().interval == 900);

  world.ports.metadata.overtaken = 1;
  op::RemoveMembersRequest removal;
  removal.set_group("web");
  removal.add_members("web-1");
  REQUIRE(world.groups.RemoveMembers(world.call, removal).ok());
  CHECK(world.Source().protected_serials == std::set<std::string>{"SERIAL-web-2-v0", "SERIAL-web-2-v1"});

  op::DeleteGroupRequest deletion;
  deletion.set_group("web");
  deletion.set_force(true);
  deletion.set_etag(world.groups.Find(world.call, "web", {})->etag());
  world.ports.metadata.overtaken = 1;
  CHECK(world.Reason(world.groups.Delete(world.call, deletion).status()) == "VERSION_MISMATCH");
  CHECK(world.Source().protected_serials.size() == 2);
  deletion.clear_etag();
  world.ports.metadata.overtaken = 1;
  REQUIRE(world.groups.Delete(world.call, deletion).ok());
  CHECK(world.Source().protected_serials.empty());
}

TEST_CASE("P1 P10: a change that was cut off half-way is found again and settled by the committed document") {
  World world;
  REQUIRE(world.Create("web").ok());
  SECTION("the commit happened, its answer was lost") {
    world.ports.metadata.lose_answer = absl::DeadlineExceededError("no answer");
    CHECK_FALSE(world.Add({"web-1"}).ok());
    world.ports.metadata.lose_answer = absl::OkStatus();
    REQUIRE(world.groups.Reconcile(world.call).ok());
    CHECK(world.Source().protected_serials.size() == 2);
  }
  SECTION("the commit did not happen, which nobody knows") {
    world.ports.metadata.fail_commit = absl::DeadlineExceededError("no answer");
    CHECK_FALSE(world.Add({"web-1"}).ok());
    CHECK(world.Source().protected_serials.size() == 2);
    world.ports.metadata.fail_commit = absl::OkStatus();
    Groups restarted({world.sites, world.ports, world.members, world.store, world.clock, world.ids});
    REQUIRE(restarted.Reconcile(world.call).ok());
    CHECK(world.Source().protected_serials.empty());
  }
  CHECK(world.store.ListAll("group-unsettled")->empty());
}

TEST_CASE("P1: when the intent cannot be written, the array is not touched") {
  World world;
  REQUIRE(world.Create("web").ok());
  world.store.BeforeWrite([](const store::Batch&) { return absl::ResourceExhaustedError("disk full"); });
  CHECK(world.Add({"web-1"}).status().code() == absl::StatusCode::kResourceExhausted);
  CHECK(world.Source().protected_serials.empty());
}

TEST_CASE("captures that have changed are committed, captures that have not are not") {
  World world;
  REQUIRE(world.Create("web").ok());
  const auto group = world.Add({"web-1"});
  REQUIRE(group.ok());
  groups::Member fresh = group->document().members(0);
  fresh.mutable_captured_at()->set_seconds(1'900'000'000);
  world.ports.cloud.members = {fresh};
  const int commits = world.ports.metadata.commits;
  REQUIRE(world.groups.RefreshCaptures(world.call).ok());
  CHECK(world.ports.metadata.commits == commits);

  (*world.ports.cloud.members[0].mutable_server()->mutable_metadata())["tier"] = "web";
  REQUIRE(world.groups.RefreshCaptures(world.call).ok());
  CHECK(world.ports.metadata.commits == commits + 1);
  CHECK(world.ports.metadata.reasons.back() == "captures refreshed");
  CHECK(world.groups.Find(world.call, "web", {})->document().members(0).server().metadata().at("tier") == "web");

  world.ports.cloud.fail = absl::UnavailableError("no cloud");
  CHECK_FALSE(world.groups.RefreshCaptures(world.call).ok());
}

TEST_CASE("removing the last member takes replication apart; deleting leaves a tombstone and frees the name") {
  World world;
  REQUIRE(world.Create("web").ok());
  REQUIRE(world.Add({"web-1"}).ok());
  op::DeleteGroupRequest deletion;
  deletion.set_group("web");
  CHECK(world.Reason(world.groups.Delete(world.call, deletion).status()) == "WRONG_STATUS");
  op::RemoveMembersRequest removal;
  removal.set_group("web");
  removal.add_members("web-1");
  REQUIRE(world.groups.RemoveMembers(world.call, removal).ok());
  CHECK(world.Source().protected_serials.empty());
  CHECK(world.ports.array_b.accepted.empty());
  REQUIRE(world.groups.Delete(world.call, deletion).ok());
  CHECK(world.Reason(world.groups.Find(world.call, "web", {}).status()) == "GROUP_NOT_FOUND");
  CHECK(world.Create("web").ok());
}

TEST_CASE("a group that an operation holds, or that lives on the other site, is not changed") {
  World world;
  const auto group = world.Create("web");
  REQUIRE(group.ok());
  auto& head = world.ports.metadata.documents[group->document().id()].back();
  head.set_active_operation_id("op-1");
  CHECK(world.Add({"web-1"}).status().code() == absl::StatusCode::kAborted);
  CHECK(DetailOf(world.Add({"web-1"}).status()).object == "operation op-1");
  head.clear_active_operation_id();
  head.set_primary_site("site-b");
  CHECK(world.Reason(world.Add({"web-1"}).status()) == "NOT_PRIMARY");
}

TEST_CASE("a group is freed by a human from an operation that neither site runs, and from no other") {
  World world;
  const auto group = world.Create("web");
  REQUIRE(group.ok());
  op::UpdateGroupRequest request;
  request.set_group("web");
  request.set_reset_status(true);
  CHECK(world.Reason(world.groups.Update(world.call, request).status()) == "INVALID_ARGUMENT");  // why?
  request.set_reason("put right by hand");
  CHECK(world.Reason(world.groups.Update(world.call, request).status()) == "WRONG_STATUS");

  auto& head = world.ports.metadata.documents[group->document().id()].back();
  head.set_active_operation_id("op-1");
  head.set_status(GENERATE(groups::ERROR, groups::FAILING_OVER));
  world.ports.cloud.running_operation = "op-1";
  CHECK(world.Reason(world.groups.Update(world.call, request).status()) == "GROUP_BUSY");
  world.ports.cloud.fail = absl::UnavailableError("no answer");
  const auto unknown = world.groups.Update(world.call, request);
  CHECK(MessageOf(unknown.status()).find("is not known") != std::string::npos);
  world.ports.cloud.fail = absl::OkStatus();
  world.ports.cloud.running_operation = "";
  const auto freed = world.groups.Update(world.call, request);
  REQUIRE(freed.ok());
  CHECK(freed->document().status() == groups::ACTIVE);
  CHECK(freed->document().active_operation_id().empty());
  CHECK(world.ports.metadata.reasons.back() == "status reset: put right by hand");
}

TEST_CASE("mappings are merged, replaced and reversed; a policy change reaches the array") {
  World world;
  REQUIRE(world.Create("web").ok());
  REQUIRE(world.Add({"web-1"}).ok());
  op::SetMappingsRequest mappings;
  mappings.set_group("web");
  auto* mapping = mappings.mutable_mappings()->add_mappings();
  mapping->set_kind(groups::NETWORK);
  mapping->set_source("net-a");
  mapping->set_target("net-b");
  mappings.set_both_directions(true);
  const auto mapped = world.groups.SetMappings(world.call, mappings);
  REQUIRE(mapped.ok());
  REQUIRE(mapped->document().mappings_size() == 2);
  CHECK(mapped->document().mappings(1).mappings(0).target() == "net-a");

  op::SetPolicyRequest policy;
  policy.set_group("web");
  policy.add_fields("replication_interval");
  policy.mutable_policy()->set_replication_interval(600);
  REQUIRE(world.groups.SetPolicy(world.call, policy).ok());
  CHECK(world.Source().interval == 600);
  policy.set_fields(0, "pure_pg_name");
  policy.mutable_policy()->set_pure_pg_name("other");
  CHECK(world.Reason(world.groups.SetPolicy(world.call, policy).status()) == "WRONG_STATUS");
  policy.set_fields(0, "colour");
  CHECK(world.Reason(world.groups.SetPolicy(world.call, policy).status()) == "INVALID_ARGUMENT");
}

}  // namespace protector::orchestrator
