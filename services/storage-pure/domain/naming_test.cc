#include "services/storage-pure/domain/naming.h"

#include <catch2/catch.hpp>
#include <cctype>

namespace protector::storage {

TEST_CASE("a recovery point's suffix is one that the array takes, and tells its operation") {
  const std::string uuid = "7f3a2b1c-0d1e-4f2a-8b3c-4d5e6f708192";
  for (const std::string& operation :
       {uuid, "op-" + uuid, std::string(300, 'x'), std::string("1"), std::string("a b/c")}) {
    const std::string suffix = PointSuffix(operation, "final");
    CHECK(suffix.size() <= 63);
    bool letter = false;
    for (const char c : suffix) {
      CHECK((std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-'));
      letter = letter || std::isalpha(static_cast<unsigned char>(c)) != 0;
    }
    CHECK(letter);
  }
  CHECK(OperationOfSuffix(PointSuffix(uuid, "presync")) == uuid);
  CHECK(OperationOfSuffix("17") == "");
  CHECK(PointSuffix("a", "final") != PointSuffix("a", "presync"));
  CHECK(PointSuffix("a", "final") == PointSuffix("a", "final"));
}

TEST_CASE("clone names are the same for the same disk and differ in every part") {
  const std::string name = CloneName("op", "group", "member", 0);
  CHECK(name == CloneName("op", "group", "member", 0));
  CHECK(name != CloneName("op2", "group", "member", 0));
  CHECK(name != CloneName("op", "group2", "member", 0));
  CHECK(name != CloneName("op", "group", "member2", 0));
  CHECK(name != CloneName("op", "group", "member", 1));
  CHECK(CloneName(std::string(200, 'a'), "g", std::string(200, 'm'), 99999).size() <= 63);
}

TEST_CASE("Cinder's ids are found under any prefix and in nothing else") {
  const std::string id = "7f3a2b1c-0d1e-4f2a-8b3c-4d5e6f708192";
  CHECK(CinderIdOf("volume-" + id + "-cinder") == id);
  CHECK(CinderIdOf("pod::volume-" + id + "-cinder") == id);
  CHECK(CinderIdOf("pod::vg/volume-" + id + "-cinder") == id);
  CHECK(CinderIdOf("volume-" + id + "-cinder-unmanaged").empty());
  CHECK(CinderIdOf("volume-x-cinder").empty());
  CHECK(CinderIdOf("volume-cinder").empty());
  CHECK(CinderName(id) == "volume-" + id + "-cinder");
}

TEST_CASE("pods of later epochs keep one base name") {
  CHECK(EpochPodName("web", 2) == "web-e2");
  CHECK(EpochPodName("web-e2", 3) == "web-e3");
  CHECK(EpochPodName("web-edge", 3) == "web-edge-e3");
  CHECK(EpochPodName("-e2", 3) == "-e2-e3");
  CHECK(PodFamily("web-e12") == "web");
  CHECK(PodFamily("web-e") == "web-e");
}

TEST_CASE("names are taken apart") {
  CHECK(BaseName("pod::vg/vol") == "vol");
  CHECK(BaseName("vol") == "vol");
  CHECK(SuffixOf("array-a:pg.op-1") == "op-1");
  CHECK(MillisOfPodPoint(PodPointName("p", 1234)) == 1234);
  CHECK(MillisOfPodPoint("p@x") == -1);
  CHECK(MillisOfPodPoint("p") == -1);
  CHECK(IsSerial("6C1B16CE1C034D1C00013918"));
  CHECK_FALSE(IsSerial("6C1B16CE1C034D1C0001391"));
  CHECK_FALSE(IsArrayObjectName("it's"));
  CHECK_FALSE(IsArrayObjectName(""));
}

}  // namespace protector::storage
