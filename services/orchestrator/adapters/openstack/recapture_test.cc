#include "services/orchestrator/adapters/openstack/recapture.h"

#include <catch2/catch.hpp>

#include "libs/base/error.h"

namespace protector::orchestrator {
namespace {

group::v1::Member WithVolumes(const std::vector<std::string>& ids) {
  group::v1::Member member;
  member.mutable_server()->set_name("web-1");
  auto* placement = member.add_placements();
  placement->set_site("site-a");
  placement->set_server_id("s-1");
  int index = 0;
  for (const auto& id : ids) {
    auto* spec = member.mutable_server()->add_volumes();
    spec->set_index(index);
    spec->set_name("name of " + id);
    auto* placed = placement->add_volumes();
    placed->set_index(index++);
    placed->set_volume_id(id);
  }
  return member;
}

}  // namespace

TEST_CASE("a volume keeps its index and serial when the devices come in another order") {
  group::v1::Member known = WithVolumes({"v-1", "v-2"});
  known.set_boot_order(3);
  known.mutable_placements(0)->mutable_volumes(0)->set_serial("S1");
  known.mutable_placements(0)->mutable_volumes(1)->set_serial("S2");
  const auto merged = MergeCapture(known, WithVolumes({"v-2", "v-1"}), "site-a");
  REQUIRE(merged.ok());
  CHECK(merged->boot_order() == 3);
  CHECK(merged->server().volumes(0).name() == "name of v-1");
  CHECK(merged->placements(0).volumes(0).serial() == "S1");
  CHECK(merged->placements(0).volumes(1).volume_id() == "v-2");
}

TEST_CASE("a volume that was attached or detached since is said, not lost") {
  const auto known = WithVolumes({"v-1", "v-2"});
  for (const auto& now : {WithVolumes({"v-1"}), WithVolumes({"v-1", "v-2", "v-3"}), WithVolumes({"v-1", "v-9"})}) {
    const auto merged = MergeCapture(known, now, "site-a");
    CHECK(DetailOf(merged.status()).reason == "MEMBER_CHANGED");
  }
}

}  // namespace protector::orchestrator
