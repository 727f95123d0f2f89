#include "cli/protector/output/text_width.h"

#include <catch2/catch.hpp>

using namespace protector::cli;
using Lines = std::vector<std::string>;

TEST_CASE("width counts columns, not bytes") {
  CHECK(TextWidth("abc") == 3);
  CHECK(TextWidth("Zürich") == 6);
  CHECK(TextWidth("日本") == 4);
  CHECK(TextWidth("e\xCC\x81") == 1);         // e + combining acute
  CHECK(TextWidth("\xF0\x9F\x98\x80") == 2);  // an emoji
  CHECK(TextWidth("\xFF\xFE") == 2);          // not UTF-8: a column a byte
}

TEST_CASE("what a service answers cannot drive the terminal") {
  CHECK(Printable("a\x1b[2Jb") == "a?[2Jb");
  CHECK(Printable("a\tb\rc\nd") == "a b?c\nd");
  CHECK(Printable("\xC2\x9B"
                  "31m") == "?31m");  // C1 control: CSI
  CHECK(Printable("a\xE2\x80\xAE"
                  "b") == "a?b");  // right-to-left override
  CHECK(Printable("a\xFFz") == "a\xEF\xBF\xBDz");
  CHECK(Printable("Zürich 日本") == "Zürich 日本");
}

TEST_CASE("lines break at blanks, long words are cut, newlines always break") {
  CHECK(WrapText("one two three", 7) == Lines{"one two", "three"});
  CHECK(WrapText("abcdefghij", 4) == Lines{"abcd", "efgh", "ij"});
  CHECK(WrapText("a\nb", 0) == Lines{"a", "b"});
  CHECK(WrapText("", 5) == Lines{""});
  CHECK(WrapText("日本語", 4) == Lines{"日本", "語"});
  CHECK(WrapText("日", 1) == Lines{"日"});  // narrower than one character: it is not lost
  for (const std::string& line : WrapText("some rather long text with words of many sizes", 9))
    CHECK(TextWidth(line) <= 9);
}

TEST_CASE("shortening says that something is missing") {
  CHECK(Shorten("abc", 3) == "abc");
  CHECK(Shorten("abcd", 3) == "ab…");
  CHECK(Shorten("日本語", 4) == "日…");
  CHECK(Shorten("abc", 0).empty());
}

TEST_CASE("padding goes by columns") {
  CHECK(PadRight("日", 4) == "日  ");
  CHECK(PadLeft("7", 3) == "  7");
  CHECK(PadRight("long", 2) == "long");
}
