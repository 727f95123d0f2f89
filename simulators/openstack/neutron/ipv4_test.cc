#include "simulators/openstack/neutron/ipv4.h"

#include <catch2/catch.hpp>

namespace protector::ossim {
namespace {

TEST_CASE("addresses and ranges") {
  REQUIRE(FormatIpv4(*ParseIpv4("10.10.1.254")) == "10.10.1.254");
  for (const char* bad : {"", "10.10.1", "10.10.1.256", "10.10.1.1/24", "ten"}) REQUIRE_FALSE(ParseIpv4(bad));
  auto cidr = ParseCidr("10.10.1.77/24");
  REQUIRE(cidr);
  REQUIRE(cidr->Text() == "10.10.1.0/24");
  REQUIRE(FormatIpv4(cidr->last()) == "10.10.1.255");
  REQUIRE(cidr->Contains(*ParseIpv4("10.10.1.0")));
  REQUIRE_FALSE(cidr->Contains(*ParseIpv4("10.10.2.0")));
  REQUIRE(ParseCidr("10.0.0.1/32")->first() == ParseCidr("10.0.0.1/32")->last());
  REQUIRE(ParseCidr("0.0.0.0/0")->Contains(*ParseIpv4("255.255.255.255")));
  for (const char* bad : {"10.10.1.0", "10.10.1.0/", "10.10.1.0/33", "10.10.1.0/x", "10.10.1.0/124"})
    REQUIRE_FALSE(ParseCidr(bad));
}

TEST_CASE("MAC addresses") {
  REQUIRE(*ParseMac("FA:16:3E:0a:0B:0c") == "fa:16:3e:0a:0b:0c");
  REQUIRE(*ParseMac("fa-16-3e-0a-0b-0c") == "fa:16:3e:0a:0b:0c");
  for (const char* bad : {"", "fa:16:3e:0a:0b", "fa:16:3e:0a:0b:0g", "fa:16:3e:0a:0b:0c:0d"})
    REQUIRE_FALSE(ParseMac(bad));
}

}  // namespace
}  // namespace protector::ossim
