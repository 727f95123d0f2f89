#include "cli/protector/args/mapping.h"

#include <catch2/catch.hpp>

#include "libs/base/error.h"

using namespace protector::cli;

namespace {

absl::StatusOr<std::vector<Pair>> Parse(const std::vector<std::pair<std::string, std::string>>& given) {
  Arguments arguments;
  for (const auto& [name, value] : given) arguments.Add(name, value);
  return ParseMappings(arguments);
}

}  // namespace

TEST_CASE("pairs of several kinds") {
  const auto pairs =
      Parse({{"flavor-mapping", "m1.large=m2.large"}, {"network-mapping", "a=b"}, {"network-mapping", "c=d"}});
  REQUIRE(pairs.ok());
  CHECK(*pairs == std::vector<Pair>{{MapKind::kNetwork, "a", "b"},
                                    {MapKind::kNetwork, "c", "d"},
                                    {MapKind::kFlavor, "m1.large", "m2.large"}});
}

TEST_CASE("two kinds may map the same name") {
  CHECK(Parse({{"flavor-mapping", "x=y"}, {"network-mapping", "x=y"}}).ok());
}

TEST_CASE("malformed pairs are refused with the option's name") {
  for (const std::string word : {"ab", "=b", "a=", "=", "a=b=c", " =b", ""}) {
    CAPTURE(word);
    const auto pairs = Parse({{"network-mapping", word}});
    REQUIRE_FALSE(pairs.ok());
    CHECK(pairs.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK(protector::MessageOf(pairs.status()).find("--network-mapping") != std::string::npos);
  }
  CHECK_FALSE(Parse({{"network-mapping", std::string(256, 'a') + "=b"}}).ok());
}

TEST_CASE("a left side given twice is refused") {
  const auto pairs = Parse({{"network-mapping", "a=b"}, {"network-mapping", "a=c"}});
  REQUIRE_FALSE(pairs.ok());
  CHECK(protector::MessageOf(pairs.status()).find("'a' twice") != std::string::npos);
}
