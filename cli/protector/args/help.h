#pragma once
// Help as text and as the reference page, made from the table of commands.
//
// Threads: pure functions.

#include <string>
#include <vector>

#include "cli/protector/args/spec.h"

namespace protector::cli {

// Of the program (empty path), of a group of commands, or of one command.
std::string HelpText(const Program& program, const std::vector<std::string>& path, int width);

// `protector help config`: the configuration file and where credentials come from.
std::string ConfigHelp(const std::string& sample);

// docs/cli-reference.md.
std::string ReferenceMarkdown(const Program& program);

}  // namespace protector::cli
