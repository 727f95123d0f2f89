#include "cli/protector/args/help.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/protector/output/text_width.h"

namespace protector::cli {
namespace {

constexpr char kExitCodes[] =
    "0 done, 1 failed, 2 wrong usage, 3 refused by the state of things, 4 unreachable, 130 left with Ctrl-C";

std::string Paragraph(const std::string& text, int width, int indent) {
  std::string out;
  for (const std::string& line : WrapText(text, width - indent))
    out += std::string(static_cast<size_t>(indent), ' ') + line + "\n";
  return out;
}

// A term and its explanation beside it, or below it when the term is long.
std::string Entry(const std::string& term, const std::string& text, int column, int width) {
  std::string out = "  " + PadRight(term, column - 2);
  const auto lines = WrapText(text, std::max(20, width - column - 2));
  const std::string pad(static_cast<size_t>(column + 2), ' ');
  const bool below = TextWidth(term) > column - 2;
  out += below ? "\n" + pad : "  ";
  for (size_t i = 0; i < lines.size(); ++i) out += (i > 0 ? pad : "") + lines[i] + "\n";
  return out;
}

std::string Term(const Option& option) {
  if (option.positional()) return "<" + option.name + ">" + (option.repeat ? " ..." : "");
  std::string term = option.letter.empty() ? option.name : option.letter + ", " + option.name;
  if (!option.value.empty()) term += " " + option.value;
  if (option.several_words) term += " ...";
  return term;
}

std::string Explanation(const Option& option) {
  std::string text = option.help;
  if (!option.choices.empty() && text.find(option.choices.front()) == std::string::npos)
    text += fmt::format(" One of: {}.", fmt::join(option.choices, ", "));
  if (option.required && !option.positional()) text += " Required.";
  return text;
}

std::string Usage(const Command& command) {
  std::string usage = "protector " + command.PathText();
  for (const Option& option : command.options) {
    if (option.positional()) usage += " " + Term(option);
  }
  for (const Option& option : command.options) {
    if (!option.positional() && option.required) usage += " " + Term(option);
  }
  const bool more = std::any_of(command.options.begin(), command.options.end(),
                                [](const Option& option) { return !option.positional() && !option.required; });
  return usage + (more ? " [options]" : "");
}

std::string CommandHelp(const Program& program, const Command& command, int width) {
  std::string out =
      command.summary + "\n\n" + "Usage: " + Usage(command) + "\n\n" + Paragraph(command.description, width, 0);
  if (!command.options.empty()) out += "\nArguments and options:\n";
  for (const Option& option : command.options) out += Entry(Term(option), Explanation(option), 30, width);
  if (!command.examples.empty()) out += "\nExamples:\n";
  for (const std::string& example : command.examples) out += "  " + example + "\n";
  out += "\nExit codes: " + std::string(kExitCodes) + ".\n";
  if (!command.exit_codes.empty()) out += "  Here: " + command.exit_codes + ".\n";
  out += "\nOptions of every command (more with `protector --help`):\n";
  for (const Option& option : program.globals) {
    const bool usual = option.name == "--site" || option.name == "--os-cloud" || option.name == "--format" ||
                       option.name == "--column" || option.name == "--debug";
    if (usual) out += Entry(Term(option), option.help, 30, width);
  }
  return out;
}

std::string GroupHelp(const Program& program, const Group& group, int width) {
  std::string out = group.summary + "\n\nUsage: protector " + group.name + " <command> ...\n\nCommands:\n";
  for (const Command& command : program.commands) {
    if (command.path[0] == group.name && !command.hidden) out += Entry(command.path[1], command.summary, 22, width);
  }
  return out + fmt::format("\nMore of each with `protector {} <command> --help`.\n", group.name);
}

std::string ProgramHelp(const Program& program, int width) {
  std::string out =
      "Disaster recovery for OpenStack VMs on FlashArrays: groups of VMs that move between two sites as one.\n\n"
      "Usage: protector [options] <command> ...\n\nCommands:\n";
  for (const Group& group : program.groups) {
    out += "  " + group.name + " - " + group.summary + "\n";
    std::string words;
    for (const Command& command : program.commands) {
      if (command.path[0] == group.name && !command.hidden) words += (words.empty() ? "" : ", ") + command.path[1];
    }
    out += Paragraph(words, width, 6);
  }
  for (const Command& command : program.commands) {
    if (command.path.size() == 1 && !command.hidden) out += Entry(command.path[0], command.summary, 22, width);
  }
  out +=
      "  help [command]        This, or the help of a command; `help config` tells of files and credentials.\n\nOptions:\n";
  for (const Option& option : program.globals) out += Entry(Term(option), option.help, 34, width);
  out += Entry("-h, --help", "Help of the program or of a command.", 34, width) +
         Entry("--version", "Version.", 34, width);
  out +=
      "\nA first walk:\n"
      "  protector site list\n"
      "  protector site validate site-a\n"
      "  protector protection-group check prod-web-app\n"
      "  protector protection-group failover prod-web-app --wait\n";
  return out + "\nExit codes: " + std::string(kExitCodes) + ".\n";
}

std::string Cell(std::string text) {
  std::string out;
  for (char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string OptionTable(const std::vector<Option>& options) {
  std::string out = "| argument or option | meaning |\n|---|---|\n";
  for (const Option& option : options)
    out += fmt::format("| `{}` | {} |\n", Cell(Term(option)), Cell(Explanation(option)));
  return out + "\n";
}

}  // namespace

std::string HelpText(const Program& program, const std::vector<std::string>& path, int width) {
  width = std::clamp(width <= 0 ? 100 : width, 60, 120);
  if (const Command* command = program.Find(path)) return CommandHelp(program, *command, width);
  for (const Group& group : program.groups) {
    if (path.size() == 1 && group.name == path[0]) return GroupHelp(program, group, width);
  }
  return ProgramHelp(program, width);
}

std::string ConfigHelp(const std::string& sample) {
  return "Credentials are found as OpenStack's own clients find them: --os-* options, OS_* variables, clouds.yaml and secure.yaml (OS_CLOUD).\n"
         "Their auth_url names the site whose services are asked; these are expected on its host, ports 7101 to 7104. The other site is found in\n"
         "the local site's registry.\n\n"
         "Where that is not so, or to find a site whose registry is gone, a configuration file says where the services are. The first one that\n"
         "exists counts: --config FILE, $PROTECTOR_CONFIG, ~/.config/protector/protector.yaml, /etc/protector/protector.yaml.\n\n" +
         sample;
}

std::string ReferenceMarkdown(const Program& program) {
  std::string out =
      "# Command reference\n\nWritten by `protector __reference` from the program's own table of commands; do not edit.\n\n## Options of every command\n\n" +
      OptionTable(program.globals);
  for (const Command& command : program.commands) {
    if (command.hidden) continue;
    out += fmt::format("## protector {}\n\n{}\n\n    {}\n\n{}\n\n", command.PathText(), command.summary, Usage(command),
                       command.description);
    if (!command.options.empty()) out += OptionTable(command.options);
    for (const std::string& example : command.examples) out += "    " + example + "\n";
    if (!command.examples.empty()) out += "\n";
    if (!command.exit_codes.empty()) out += fmt::format("Exit codes: {}.\n\n", command.exit_codes);
  }
  return out;
}

}  // namespace protector::cli
