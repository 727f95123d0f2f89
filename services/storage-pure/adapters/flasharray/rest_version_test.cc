#include "services/storage-pure/adapters/flasharray/rest_version.h"

#include <catch2/catch.hpp>

namespace protector::storage::flasharray {

TEST_CASE("the highest version that both sides have is chosen, compared as numbers") {
  CHECK(Negotiate({"1.0", "1.19", "2.0", "2.4", "2.9", "2.10"})->Text() == "2.10");
  CHECK(Negotiate({"2.26", "2.38", "2.4"})->Text() == "2.26");
  CHECK(Negotiate({"2.56", "2.5", "nonsense", "2.x", ""})->Text() == "2.5");
}

TEST_CASE("an array that is too old or too new is refused with what it offers") {
  const auto old = Negotiate({"1.19", "2.0", "2.3"});
  REQUIRE_FALSE(old.ok());
  CHECK(std::string(old.status().message()).find("2.3") != std::string::npos);
  CHECK_FALSE(Negotiate({"2.27", "3.0"}).ok());
  CHECK_FALSE(Negotiate({}).ok());
}

}  // namespace protector::storage::flasharray
