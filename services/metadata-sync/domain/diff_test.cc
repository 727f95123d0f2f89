#include "services/metadata-sync/domain/diff.h"

#include <catch2/catch.hpp>

#include "services/metadata-sync/domain/test_support.h"

namespace protector::metadata_sync {
namespace {

const pb::FieldDiff* Find(const std::vector<pb::FieldDiff>& diffs, const std::string& path) {
  for (const auto& diff : diffs) {
    if (diff.path() == path) return &diff;
  }
  return nullptr;
}

Document WithMembers(const std::vector<std::string>& names) {
  Document document = MakeDocument("web");
  for (const std::string& name : names) {
    auto* member = document.add_members();
    member->set_id("id-" + name);
    member->mutable_server()->set_name(name);
    auto* placement = member->add_placements();
    placement->set_site("site-a");
    placement->set_server_id("server-" + name);
  }
  return document;
}

TEST_CASE("equal documents do not differ") {
  CHECK(DiffDocuments(WithMembers({"a"}), WithMembers({"a"})).empty());
}

TEST_CASE("members are matched by name, not by position") {
  const auto diffs = DiffDocuments(WithMembers({"web-1", "web-2", "db"}), WithMembers({"web-2", "db"}));
  CHECK(Find(diffs, "members[web-1]")->from() == "present");
  CHECK(Find(diffs, "members[web-1]")->to().empty());
  for (const auto& diff : diffs) CHECK(diff.path().rfind("members[web-1]", 0) == 0);
}

TEST_CASE("scalars, enums, maps, lists, times and nested entries have readable paths and texts") {
  Document from = WithMembers({"web-1"});
  Document to = from;
  to.set_epoch(2);
  to.set_status(protector::group::v1::FAILED_OVER);
  (*to.mutable_storage_names())["site-b"] = "pod-1";
  to.mutable_update_time()->set_seconds(1700000000);
  to.mutable_members(0)->mutable_placements(0)->set_server_id("new");
  to.mutable_members(0)->add_depends_on("x");
  auto* set = to.add_mappings();
  set->set_source_site("site-a");
  set->set_target_site("site-b");
  auto* mapping = set->add_mappings();
  mapping->set_kind(protector::group::v1::NETWORK);
  mapping->set_source("net-1");
  mapping->set_target("net-2");
  const auto diffs = DiffDocuments(from, to);
  CHECK(Find(diffs, "epoch")->from() == "1");
  CHECK(Find(diffs, "epoch")->to() == "2");
  CHECK(Find(diffs, "status")->to() == "FAILED_OVER");
  CHECK(Find(diffs, "storage_names[site-b]")->to() == "pod-1");
  CHECK(Find(diffs, "update_time")->to() == "2023-11-14T22:13:20Z");
  CHECK(Find(diffs, "members[web-1].placements[site-a].server_id")->to() == "new");
  CHECK(Find(diffs, "members[web-1].depends_on")->to() == "[x]");
  CHECK(Find(diffs, "mappings[site-a->site-b].mappings[NETWORK:net-1].target")->to() == "net-2");
}

}  // namespace
}  // namespace protector::metadata_sync
