// What an operator types: words between zero bytes, with mappings, names, URLs and endpoints among them.
#include <algorithm>

#include "cli/protector/args/complete.h"
#include "cli/protector/args/input.h"
#include "cli/protector/args/mapping.h"
#include "cli/protector/args/parse.h"
#include "cli/protector/client/site_address.h"
#include "libs/base/error.h"
#include "tests/fuzz/fuzz.h"

using namespace protector::cli;
using protector::fuzz::Require;

namespace {

Program Commands() {
  Program program;
  program.globals = GlobalOptions();
  program.groups = {{"protection-group", "Groups."}};
  std::vector<Option> options = {{.name = "group", .help = "Name.", .required = true, .names = Names::kGroup},
                                 {.name = "--type", .value = "TYPE", .choices = {"planned", "unplanned"}},
                                 {.name = "--force"},
                                 {.name = "--timeout", .value = "SECONDS"}};
  for (const Option& option : MappingOptions()) options.push_back(option);
  program.commands = {
      {.path = {"protection-group", "failover"}, .summary = "Move.", .description = "Moves.", .options = options},
      {.path = {"protection-group", "add-member"},
       .summary = "Add.",
       .description = "Adds.",
       .options = {{.name = "group", .required = true}, {.name = "server", .required = true, .repeat = true}}}};
  return program;
}

void CheckPair(const std::string& word) {
  const auto pair = ParsePair(MapKind::kNetwork, word);
  if (!pair.ok()) {
    Require(!protector::DetailOf(pair.status()).remedy.empty(), "a refused mapping says what to do");
    return;
  }
  Require(!pair->source.empty() && !pair->target.empty(), "a mapping has two sides");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Program program = Commands();
  const auto words = protector::fuzz::Pieces(protector::fuzz::Text(data, size), '\0');
  const auto parsed = ParseArguments(program, words);
  if (parsed.ok()) {
    const auto mappings = ParseMappings(parsed->arguments);
    if (!mappings.ok()) Require(!mappings.status().message().empty(), "a failure has a text");
    parsed->arguments.Int("timeout", 1, 0, 100).IgnoreError();
  } else {
    Require(!parsed.status().message().empty(), "a failure has a text");
  }
  for (const auto& word : words) {
    CheckPair(word);
    ParseSiteProject(word).IgnoreError();
    CheckReference("name", word).IgnoreError();
    CheckNewName("name", word).IgnoreError();
    CheckUuid("id", word).IgnoreError();
    CheckEndpoint("endpoint", word).IgnoreError();
    CheckUrl("url", word).IgnoreError();
  }
  return 0;
}
