#include "cli/protector/args/input.h"

#include <catch2/catch.hpp>

#include "cli/protector/args/arguments.h"

using namespace protector::cli;

TEST_CASE("words have to be UTF-8 without controls and of a sane size") {
  CHECK(CheckWords({"failover", "Zürich", ""}).ok());
  CHECK_FALSE(CheckWords({"a\xFF"}).ok());
  CHECK_FALSE(CheckWords({"a\x1b[0m"}).ok());
  CHECK_FALSE(CheckWords({std::string(70000, 'x')}).ok());
}

TEST_CASE("references and new names") {
  CHECK(CheckReference("group", "Any name").ok());
  CHECK_FALSE(CheckReference("group", "").ok());
  CHECK_FALSE(CheckReference("group", "  ").ok());
  CHECK_FALSE(CheckReference("group", std::string(256, 'x')).ok());
  CHECK(CheckNewName("group", "prod-web_app.1").ok());
  CHECK_FALSE(CheckNewName("group", "prod web").ok());
  CHECK_FALSE(CheckNewName("group", std::string(64, 'x')).ok());
}

TEST_CASE("addresses") {
  CHECK(CheckEndpoint("--x", "127.0.10.1:7101").ok());
  CHECK(CheckEndpoint("--x", "[::1]:7101").ok());
  for (const char* bad : {"host", "host:", ":1", "host:0", "host:70000", "host:1x"})
    CHECK_FALSE(CheckEndpoint("--x", bad).ok());
  CHECK(CheckUrl("--x", "https://cloud.example:5000/v3").ok());
  for (const char* bad : {"cloud.example", "ftp://x", "http://", "http:///v3", "http://a b"})
    CHECK_FALSE(CheckUrl("--x", bad).ok());
}

TEST_CASE("SITE=PROJECT") {
  const auto pair = ParseSiteProject("site-a=demo");
  REQUIRE(pair.ok());
  CHECK(pair->site == "site-a");
  CHECK(pair->project == "demo");
  for (const char* bad : {"demo", "=demo", "site-a="}) CHECK_FALSE(ParseSiteProject(bad).ok());
}

TEST_CASE("whole numbers in their range") {
  Arguments arguments;
  arguments.Add("n", "12");
  arguments.Add("bad", "12x");
  CHECK(*arguments.Int("n", 0, 1, 20) == 12);
  CHECK(*arguments.Int("absent", 7, 1, 20) == 7);
  CHECK_FALSE(arguments.Int("n", 0, 1, 10).ok());
  CHECK_FALSE(arguments.Int("bad", 0, 1, 20).ok());
}
