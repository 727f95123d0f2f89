#include "libs/base/ids.h"

#include <catch2/catch.hpp>

namespace protector {

TEST_CASE("random ids are UUIDs and differ") {
  RandomIdGenerator ids;
  const std::string first = ids.NewUuid();
  CHECK(IsUuid(first));
  CHECK(first != ids.NewUuid());
}

TEST_CASE("derived ids are the same for the same text only") {
  CHECK(IsUuid(DerivedUuid("op-1/volume-2")));
  CHECK(DerivedUuid("op-1/volume-2") == DerivedUuid("op-1/volume-2"));
  CHECK(DerivedUuid("op-1/volume-2") != DerivedUuid("op-1/volume-3"));
  CHECK(DerivedMark("x", 8).size() == 8);
  CHECK(DerivedMark("x", 8).find('-') == std::string::npos);
}

TEST_CASE("text from outside is checked") {
  CHECK(IsPrintableUtf8("Zürich ✓"));
  CHECK_FALSE(IsPrintableUtf8("a\nb"));
  CHECK_FALSE(IsPrintableUtf8("\xff\xfe"));
  CHECK_FALSE(IsPrintableUtf8("\xc0\xaf"));
  CHECK_FALSE(IsPrintableUtf8("\xed\xa0\x80"));
  CHECK_FALSE(IsPrintableUtf8("\xe2\x82"));
  CHECK(IsResourceName("prod-web-app"));
  CHECK_FALSE(IsResourceName(""));
  CHECK_FALSE(IsResourceName("-x"));
  CHECK_FALSE(IsResourceName("../etc"));
  CHECK_FALSE(IsResourceName("a b"));
  CHECK_FALSE(IsResourceName(std::string(64, 'a')));
}

}  // namespace protector
