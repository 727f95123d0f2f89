#include "cli/protector/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "cli/protector/args/help.h"
#include "cli/protector/args/input.h"
#include "cli/protector/args/parse.h"
#include "cli/protector/client/cli_config.h"
#include "cli/protector/client/exit_code.h"
#include "cli/protector/client/report.h"
#include "cli/protector/commands/commands.h"
#include "libs/failpoint/failpoint.h"

namespace protector::cli {
namespace {

int Fail(const World& world, const absl::Status& status) {
  world.err << ErrorText(status) << std::flush;
  return ExitCode(status);
}

// `protector help a b` is `protector a b --help`.
std::vector<std::string> WithoutHelpWord(std::vector<std::string> words) {
  if (!words.empty() && words.front() == "help") {
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  return words;
}

}  // namespace

int Run(const std::vector<std::string>& words, const World& world) {
  if (const absl::Status checked = CheckWords(words); !checked.ok()) return Fail(world, checked);
  const Program program = BuildProgram(PROTECTOR_VERSION);
  if (words == std::vector<std::string>{"help", "config"}) {
    world.out << ConfigHelp(SampleCliConfig());
    return 0;
  }
  if (words == std::vector<std::string>{"--list-failpoints"}) {
    for (const std::string& point : failpoint::List()) world.out << point << "\n";
    return 0;
  }
  const auto parsed = ParseArguments(program, WithoutHelpWord(words));
  if (!parsed.ok()) return Fail(world, parsed.status());
  if (parsed->version) {
    world.out << "protector " << program.version << "\n";
    return 0;
  }
  if (parsed->help) {
    world.out << HelpText(program, parsed->path, world.terminal.Width());
    return 0;
  }
  failpoint::Activate("protector");
  Context context(program, world, parsed->arguments);
  absl::Status status = context.Prepare();
  if (status.ok()) status = parsed->command->run(context);
  if (context.arguments.Has("timing")) world.err << context.TimingText() << std::flush;
  return status.ok() ? 0 : Fail(world, status);
}

}  // namespace protector::cli
