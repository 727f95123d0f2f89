#include "libs/json/json.h"

#include <catch2/catch.hpp>

#include <limits>

namespace protector::json {
namespace {

Value Parsed(const std::string& text) {
  absl::StatusOr<Value> value = Parse(text);
  INFO(value.status().message());
  REQUIRE(value.ok());
  return *std::move(value);
}

TEST_CASE("values are read by key and by path") {
  const Value value =
      Parsed(R"({"server":{"id":"x","n":3,"f":2.0,"on":true,"tags":["a",7,"b"],"none":null},"a.b":"whole"})");
  CHECK(value.GetString("server.id") == "x");
  CHECK(value.GetInt("server.n") == 3);
  CHECK(value.GetDouble("server.n") == 3.0);
  CHECK(value.GetInt("server.f") == 2);
  CHECK(value.GetBool("server.on") == true);
  CHECK(value.GetString("server.tags.2") == "b");
  CHECK(value.GetString("a.b") == "whole");
  CHECK(value.GetStrings("server.tags") == std::vector<std::string>{"a", "b"});
  CHECK_FALSE(value.GetString("server.n").has_value());
  CHECK_FALSE(value.GetString("server.tags.9").has_value());
  CHECK_FALSE(value.GetString("server.none").has_value());
  CHECK(value.GetStringOr("nothing.at.all", "else") == "else");
  CHECK(value.GetItems("server.id").empty());
}

TEST_CASE("a required value that is not there is named, its content never") {
  const Value value = Parsed(R"({"a":{"password":"s3cret"}})");
  CHECK(value.RequireString("a.id").status().message() == "\"a.id\" is missing");
  CHECK(value.RequireInt("a.password").status().message() == "\"a.password\" is not an integer");
}

TEST_CASE("bad documents are refused with their place and without their content") {
  const auto message = [](const std::string& text) { return std::string(Parse(text).status().message()); };
  CHECK_THAT(message("{\n  \"a\": s3cret}"), Catch::Contains("line 2, column 8") && !Catch::Contains("s3cret"));
  CHECK_THAT(message(""), Catch::Contains("line 1, column 1"));
  CHECK_FALSE(Parse("{} {}").ok());
  CHECK_FALSE(Parse("\"\xff\"").ok());
  CHECK_FALSE(Parse("1e999").ok());
  CHECK(Parse("{\"a\":1}").ok());
}

TEST_CASE("depth is limited") {
  const auto nested = [](int depth) {
    return std::string(static_cast<size_t>(depth), '[') + std::string(static_cast<size_t>(depth), ']');
  };
  CHECK(Parse(nested(64)).ok());
  CHECK_THAT(std::string(Parse(nested(65)).status().message()), Catch::Contains("nested more than 64 deep"));
  CHECK_FALSE(Parse(nested(1000000)).ok());
  CHECK_FALSE(Parse(nested(3), 2).ok());
}

TEST_CASE("of repeated keys the last counts") {
  const Value value = Parsed(R"({"a":1,"b":2,"a":3})");
  CHECK(value.size() == 2);
  CHECK(value.Dump() == R"({"a":3,"b":2})");
}

TEST_CASE("building keeps the order, canonical text does not depend on it") {
  Value first = Value::Object({{"b", 1}, {"a", Value::Array({"x", nullptr, 2.5, true})}});
  Value second;
  second.Set("a", Value::Array({"x", nullptr, 2.5, true})).Set("b", 7).Set("b", 1);
  CHECK(first.Dump() == R"({"b":1,"a":["x",null,2.5,true]})");
  CHECK(first == second);
  CHECK(first.Dump() != second.Dump());
  CHECK(first.DumpCanonical() == second.DumpCanonical());
  CHECK(first.Erase("a"));
  CHECK_FALSE(first.Erase("a"));
  CHECK_FALSE(first == second);
  CHECK(first.SetIf(false, "no", 1).Dump() == R"({"b":1})");
}

TEST_CASE("integers keep all their digits") {
  CHECK(Parsed("9223372036854775807").AsInt() == std::numeric_limits<int64_t>::max());
  CHECK(Parsed("-9223372036854775808").Dump() == "-9223372036854775808");
  CHECK(Parsed("4294967296").AsInt() == 4294967296);
  CHECK_FALSE(Parsed("18446744073709551615").AsInt().has_value());
  CHECK_FALSE(Parsed("1.5").AsInt().has_value());
}

TEST_CASE("what is written is always JSON") {
  Value value;
  value.Set("nan", std::numeric_limits<double>::quiet_NaN())
      .Set("bad\xff", std::string("\xed\xa0\x80 \xc3\xa9 \x01\"", 9));
  const std::string text = value.Dump();
  const Value again = Parsed(text);
  CHECK(again.Find("nan")->IsNull());
  CHECK(again.GetString("bad\xEF\xBF\xBD") == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD \xc3\xa9 \x01\"");
}

TEST_CASE("string maps travel both ways") {
  const std::map<std::string, std::string> map = {{"k", "v"}, {"dotted.key", "w"}};
  const Value value = Value::Object({{"m", map}});
  CHECK(value.GetStringMap("m") == map);
  CHECK(value.GetString("m.k") == "v");
}

}  // namespace
TEST_CASE("numbers are read exactly, whatever they look like") {
  const auto number = [](const std::string& text) { return Parse("[" + text + "]")->items()[0]; };
  CHECK(number("0e308").AsDouble() == 0.0);
  CHECK(number("-0").AsInt() == 0);
  CHECK(number("0.1").AsDouble() == 0.1);
  CHECK(number("1E-400").AsDouble() == 0.0);
  CHECK(number("1.7976931348623157e308").AsDouble() == 1.7976931348623157e308);
  CHECK(number("9223372036854775807").AsInt() == INT64_MAX);
  CHECK(number("-9223372036854775808").AsInt() == INT64_MIN);
  CHECK(number("18446744073709551615").AsDouble() == 18446744073709551615.0);
  const std::string zeros(400, '0');
  CHECK(number("0." + zeros + "1").AsDouble() == 0.0);
  for (const std::string& huge : {"1" + zeros, "1" + zeros + "e-50"}) {
    INFO(huge);
    CHECK(std::string(Parse("[" + huge + "]").status().message()).find("too big") != std::string::npos);
  }
  for (const char* wrong : {"1e400", "01", "1.", ".5", "+1", "1e", "NaN", "Infinity", "0x10"}) {
    INFO(wrong);
    CHECK_FALSE(Parse(std::string("[") + wrong + "]").ok());
  }
}

}  // namespace protector::json
