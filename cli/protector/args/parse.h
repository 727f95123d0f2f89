#pragma once
// From words to a command and its arguments. Tokenising is CLI11's, seen only by parse.cc; what is required, which
// choices there are and what to suggest is ours, so that every mistake gets a sentence and a remedy.
//
// Threads: pure functions. Failure: USAGE errors. A wish for help or the version is no failure, see Parsed.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/protector/args/arguments.h"
#include "cli/protector/args/spec.h"

namespace protector::cli {

struct Parsed {
  const Command* command = nullptr;  // null: help or version of the program or of a group was asked for
  std::vector<std::string> path;     // as far as it was recognised
  bool help = false;
  bool version = false;
  Arguments arguments;
};

absl::StatusOr<Parsed> ParseArguments(const Program& program, const std::vector<std::string>& words);

// `--network-mapping A=B C=D` becomes one occurrence of the option for each word that has a '='.
std::vector<std::string> SpreadWords(const Program& program, const std::vector<std::string>& words);

// The options that `command` (null: the program) knows, for suggestions and completion.
std::vector<std::string> OptionNames(const Program& program, const Command* command);

}  // namespace protector::cli
