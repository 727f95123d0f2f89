#pragma once
// The command line as data: every command, its options, what it is for. Parsing, --help, completion and the reference
// in docs/ are all made from this one table, so they cannot disagree.
//
// Threads: values, built once at start. Failure: none.

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace protector::cli {

class Context;

// What names a word stands for, so that completion can ask for them.
enum class Names { kNone, kSite, kGroup, kOperation, kMember, kTenantMapping, kCloud, kFile };

struct Option {
  std::string name;        // "--type"; without dashes a positional word: "group"
  std::string value = "";  // what the value is called in help ("A=B"); empty: a flag
  std::string help = "";
  bool required = false;
  bool repeat = false;                    // may be given several times; a positional: several words
  bool several_words = false;             // takes all words up to the next option, as `--network-mapping A=B C=D` does
  std::vector<std::string> choices = {};  // nothing else is accepted
  Names names = Names::kNone;
  std::string letter = "";  // short form: "-f"

  bool positional() const { return !name.starts_with("-"); }
  bool flag() const { return !positional() && value.empty(); }
};

enum class Shape { kNothing, kObject, kList };

struct Command {
  std::vector<std::string> path;  // {"protection-group", "failover"}
  std::string summary;            // one line
  std::string description;        // what it is for and what it changes
  std::vector<Option> options = {};
  std::vector<std::string> examples = {};
  Shape shape = Shape::kNothing;
  std::function<absl::Status(Context&)> run = {};
  std::string exit_codes = "";  // what is particular to this command
  bool hidden = false;

  std::string PathText() const;  // "protection-group failover"
};

struct Group {
  std::string name;
  std::string summary;
};

// The whole program.
struct Program {
  std::string name = "protector";
  std::string version;
  std::vector<Group> groups;  // first words that have commands below them
  std::vector<Command> commands;
  std::vector<Option> globals;  // may stand before and after the command

  const Command* Find(const std::vector<std::string>& path) const;
};

// The options that every command has.
std::vector<Option> GlobalOptions();

}  // namespace protector::cli
