// A document that is read can be written and read again, and is the same then; but for half surrogates, which are
// written as U+FFFD.
#include "libs/json/json.h"

#include "tests/fuzz/fuzz.h"

using protector::fuzz::Require;
namespace json = protector::json;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto value = json::Parse(protector::fuzz::Text(data, size));
  if (!value.ok()) return 0;
  for (const std::string& text : {value->Dump(), value->DumpCanonical(), value->DumpPretty()}) {
    const auto again = json::Parse(text);
    Require(again.ok(), "what was written can be read");
    Require(again->DumpCanonical() == value->DumpCanonical(), "what was written is what was read");
  }
  value->At("a.b.0.c");
  value->GetStringMap("metadata");
  value->GetStrings("tags");
  return 0;
}
