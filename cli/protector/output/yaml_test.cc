#include "cli/protector/output/yaml.h"

#include <yaml-cpp/yaml.h>

#include <catch2/catch.hpp>

using namespace protector::cli;
namespace json = protector::json;

TEST_CASE("block style, lists at the level of their key") {
  const json::Value value = json::Value::Object(
      {{"name", "web"},
       {"steps", json::Value::Array({"a", "b"})},
       {"empty", json::Value::Array()},
       {"pairs", json::Value::Array({json::Value::Object({{"k", 1}, {"l", json::Value::Array({2})}})})}});
  CHECK(ToYaml(value) ==
        "name: web\n"
        "steps:\n"
        "- a\n"
        "- b\n"
        "empty: []\n"
        "pairs:\n"
        "- k: 1\n"
        "  l:\n"
        "  - 2\n");
}

TEST_CASE("text comes back as the same text, whatever it looks like") {
  for (const std::string text :
       {"yes",  "No",        "null",        "~",      "1",      "1e3",    "0x10", "2026-01-31", "2026-01-31T09:00:00Z",
        "a: b", "a #b",      "- x",         "",       " lead",  "trail ", "50%",  "%x",         "@x",
        "it's", "say \"x\"", "line\nbreak", "tab\tx", "Zürich", "!tag",   "&a",   "*a",         "[x]",
        "{x}",  "key:",      ".inf",        "=",      "site-a"}) {
    const YAML::Node back = YAML::Load(ToYaml(json::Value::Object({{"k", text}})));
    CAPTURE(text, ToYaml(json::Value(text)));
    CHECK(back["k"].as<std::string>() == text);
    // A plain scalar that is no plain word would be read as something else by typed readers.
    const bool plain = back["k"].Tag() == "?";
    if (text == "yes" || text == "1" || text == "null" || text == "2026-01-31" || text == "~") CHECK_FALSE(plain);
  }
}

TEST_CASE("scalars of other types stay bare") {
  CHECK(ToYaml(json::Value::Object({{"a", 1}, {"b", true}, {"c", nullptr}, {"d", 0.5}})) ==
        "a: 1\nb: true\nc: null\nd: 0.5\n");
}
