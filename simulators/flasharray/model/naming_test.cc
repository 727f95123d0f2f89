#include "simulators/flasharray/model/naming.h"

#include <catch2/catch.hpp>
#include <string>

#include "simulators/flasharray/base/types.h"

namespace protector::fasim {

TEST_CASE("volume names take letters, digits, _ and -, and need one that is not a digit") {
  for (const char* good : {"a", "vol-1", "A_b", "1a", "volume-00000000-0000-0000-0000-000000000000-cinder", "pod::vol",
                           "vg/vol", "pod::vg/vol"}) {
    INFO(good);
    CHECK_NOTHROW(CheckVolumeName(good));
  }
  for (const char* bad : {"", "123", "-a", "a-", "_a", "a.b", "a b", "pod::", "pod::1", "vg/", "a*", "\xc3\xa4"}) {
    INFO(bad);
    CHECK_THROWS_AS(CheckVolumeName(bad), ApiError);
  }
  CHECK_NOTHROW(CheckVolumeName(std::string(63, 'a')));
  CHECK_THROWS(CheckVolumeName(std::string(64, 'a')));
  CHECK_NOTHROW(CheckVolumeName("pod::" + std::string(63, 'a')));
}

TEST_CASE("suffixes have no underscore") {
  CHECK(IsSuffix("op-1"));
  CHECK(IsSuffix("snapshot-0a"));
  CHECK_FALSE(IsSuffix("a_b"));
  CHECK_FALSE(IsSuffix("12"));
  CHECK_FALSE(IsSuffix(""));
}

TEST_CASE("names split into pod, volume group and base and come back together") {
  const VolumeName name = ParseVolumeName("p::g/v");
  CHECK(name.pod == "p");
  CHECK(name.vgroup == "g");
  CHECK(name.base == "v");
  for (const char* full : {"v", "p::v", "g/v", "p::g/v"}) CHECK(ParseVolumeName(full).Full() == full);
  CHECK(ParsePodName("p::pg").pod == "p");
  CHECK(ParsePodName("pg").base == "pg");
}

}  // namespace protector::fasim
