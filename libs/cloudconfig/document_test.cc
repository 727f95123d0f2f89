#include "libs/cloudconfig/document.h"

#include <catch2/catch.hpp>

#include "libs/base/error.h"

namespace protector::cloudconfig {
namespace {

TEST_CASE("plain scalars mean what YAML 1.1 says, as Python prints it") {
  CHECK(PlainScalar("~").IsNull());
  CHECK(PlainScalar("yes") == json::Value(true));
  CHECK(PlainScalar("off") == json::Value(false));
  const std::map<std::string, std::string> texts = {
      {"3", "3"},
      {"007", "7"},
      {"0x1F", "31"},
      {"1_000", "1000"},
      {"+5", "5"},
      {"-0", "0"},
      {"1:30", "90"},
      {"2.0", "2.0"},
      {"2.50", "2.5"},
      {"1e3", "1e3"},
      {"1.5e+3", "1500.0"},
      {"089", "089"},
      {"v3", "v3"},
      {"10.0.0.1", "10.0.0.1"},
      {"123456789012345678901234567890", "123456789012345678901234567890"}};
  for (const auto& [text, value] : texts) CHECK(PlainScalar(text).AsString() == value);
}

TEST_CASE("anchors, merge keys and quoted scalars") {
  const auto value = ParseDocument("c.yaml", R"(
base: &base {a: 1, b: "yes", c: yes}
other: {<<: *base, a: '007'}
)");
  REQUIRE(value.ok());
  CHECK(value->At("other")->DumpCanonical() == R"({"a":"007","b":"yes","c":true})");
}

TEST_CASE("a bad file is named with the line and without its content") {
  for (const std::string path : {"/x/clouds.yaml", "/x/clouds.json"}) {
    const absl::Status status = ParseDocument(path, "{\"a\": \"s3cret\n b: [").status();
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK_THAT(MessageOf(status), Catch::Contains(path) && Catch::Contains("line ") && !Catch::Contains("s3cret"));
  }
  CHECK(ParseDocument("x.yaml", "")->IsNull());
}

}  // namespace
}  // namespace protector::cloudconfig
