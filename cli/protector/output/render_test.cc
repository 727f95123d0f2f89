#include "cli/protector/output/render.h"

#include <catch2/catch.hpp>

#include "cli/protector/output/text_width.h"
#include "libs/base/error.h"

using namespace protector::cli;
namespace json = protector::json;

namespace {

Record Sample() {
  Record record;
  record.Add("name", "web")
      .Add("count", 3)
      .Add("clean", true)
      .Add("since", nullptr)
      .Add("steps", json::Value::Array({"a", "b"}));
  record.AddMachine("etag", "x1");
  return record;
}

Listing Sites() {
  Listing listing;
  listing.columns = {{"name"}, {"version"}, {"hash", true}};
  listing.rows = {{"site-b", 12, "h2"}, {"site-a", 9, "h1"}};
  return listing;
}

std::string Text(const absl::StatusOr<std::string>& rendered) {
  INFO(rendered.status().ToString());
  REQUIRE(rendered.ok());
  return *rendered;
}

Style Format(const std::string& format) {
  Style style;
  style.format = format;
  return style;
}

}  // namespace

TEST_CASE("an object's table") {
  CHECK(Text(Render(Sample(), Format("table"))) ==
        "+-------+------------+\n"
        "| Field | Value      |\n"
        "+-------+------------+\n"
        "| name  | web        |\n"
        "| count | 3          |\n"
        "| clean | True       |\n"
        "| since |            |\n"
        "| steps | [\"a\", \"b\"] |\n"
        "+-------+------------+\n");
}

TEST_CASE("a list's table aligns numbers to the right, also beside empty cells") {
  Listing listing = Sites();
  listing.rows.push_back({"site-c", nullptr, ""});
  CHECK(Text(Render(listing, Format("table"))) ==
        "+--------+---------+\n"
        "| name   | version |\n"
        "+--------+---------+\n"
        "| site-b |      12 |\n"
        "| site-a |       9 |\n"
        "| site-c |         |\n"
        "+--------+---------+\n");
}

TEST_CASE("an empty list's table shows its head") {
  Listing listing = Sites();
  listing.rows.clear();
  CHECK(Text(Render(listing, Format("table"))) == "+------+---------+\n| name | version |\n+------+---------+\n");
}

TEST_CASE("a table is no wider than asked, and nothing of a value is lost") {
  Record record;
  record.Add("steps_completed",
             json::Value::Array({"validate_sites", "verify_replication", "storage_failover", "recreate_vms"}));
  Style style = Format("table");
  style.max_width = 50;
  const std::string text = Text(Render(record, style));
  std::string values;
  for (const std::string& line : WrapText(text, 0)) {
    CHECK(TextWidth(line) <= 50);
    if (line.size() == 50 && line[0] == '|') values += line.substr(20, 28);
  }
  for (const char* step : {"\"validate_sites\"", "\"verify_replication\"", "\"storage_failover\"", "\"recreate_vms\""})
    CHECK(values.find(step) != std::string::npos);

  Listing listing;
  listing.columns = {{"a"}, {"b"}};
  listing.rows = {{"x", std::string(200, 'y')}};
  style.max_width = 40;
  for (const std::string& line : WrapText(Text(Render(listing, style)), 0)) CHECK(TextWidth(line) <= 40);
}

TEST_CASE("words are not cut where the columns can be narrowed without it, and lists of texts are joined") {
  Listing listing;
  listing.columns = {{"id"}, {"detail"}};
  listing.rows = {{"f013f87f-c6b4", "several words that can be wrapped"}, {"x", json::Value::Array({"a", "b"})}};
  Style style = Format("table");
  style.max_width = 36;
  CHECK(Text(Render(listing, style)) ==
        "+---------------+------------------+\n"
        "| id            | detail           |\n"
        "+---------------+------------------+\n"
        "| f013f87f-c6b4 | several words    |\n"
        "|               | that can be      |\n"
        "|               | wrapped          |\n"
        "| x             | a, b             |\n"
        "+---------------+------------------+\n");
}

TEST_CASE("wide characters keep the borders straight") {
  Record record;
  record.Add("name", "日本").Add("other", "abcd");
  const auto lines = WrapText(Text(Render(record, Format("table"))), 0);
  for (size_t i = 1; i + 1 < lines.size(); ++i) CHECK(TextWidth(lines[i]) == TextWidth(lines[0]));
}

TEST_CASE("json keeps types, order and the machine's fields") {
  CHECK(Text(Render(Sample(),
                    [] {
                      Style style = Format("json");
                      style.noindent = true;
                      return style;
                    }())) ==
        "{\"name\":\"web\",\"count\":3,\"clean\":true,\"since\":null,\"steps\":[\"a\",\"b\"],\"etag\":\"x1\"}\n");
  CHECK(Text(Render(Sites(), Format("json"))).find("\"version\": 12") != std::string::npos);
}

TEST_CASE("the option -c chooses and orders, also fields that tables do not show") {
  Style style = Format("value");
  style.columns = {"etag", "name"};
  CHECK(Text(Render(Sample(), style)) == "x1\nweb\n");
  style.columns = {"nmae"};
  const auto wrong = Render(Sample(), style);
  CHECK(wrong.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(protector::DetailOf(wrong.status()).remedy.find("name, count, clean") != std::string::npos);
}

TEST_CASE("sorting: numbers by value, text by letters, both ways") {
  Style style = Format("value");
  style.columns = {"name"};
  style.sort_columns = {"version"};
  CHECK(Text(Render(Sites(), style)) == "site-a\nsite-b\n");
  style.sort_columns = {"name"};
  style.sort_descending = true;
  CHECK(Text(Render(Sites(), style)) == "site-b\nsite-a\n");
}

TEST_CASE("csv and shell quote what has to be quoted") {
  Listing listing;
  listing.columns = {{"name"}, {"n"}};
  listing.rows = {{"a \"b\", c", 4}};
  CHECK(Text(Render(listing, Format("csv"))) == "\"name\",\"n\"\n\"a \"\"b\"\", c\",4\n");
  Record record;
  record.Add("some-name", "$(rm -rf x) `y` \"z\" \\");
  CHECK(Text(Render(record, Format("shell"))) == "some_name=\"\\$(rm -rf x) \\`y\\` \\\"z\\\" \\\\\"\n");
}

TEST_CASE("a format that does not fit the shape is refused") {
  CHECK_FALSE(Render(Sample(), Format("csv")).ok());
  CHECK_FALSE(Render(Sites(), Format("shell")).ok());
}
