#include "cli/protector/args/complete.h"

#include <algorithm>

namespace protector::cli {
namespace {

const Option* OptionNamed(const std::vector<Option>& options, const std::string& word) {
  for (const Option& option : options) {
    if (!option.positional() && (option.name == word || (!option.letter.empty() && option.letter == word)))
      return &option;
  }
  return nullptr;
}

// What has been typed so far.
struct Typed {
  std::vector<std::string> path;
  const Command* command = nullptr;
  const Option* open = nullptr;  // an option that still wants a word
  size_t positionals = 0;
};

bool Extends(const Program& program, const std::vector<std::string>& path) {
  if (program.Find(path) != nullptr) return true;
  return path.size() == 1 && std::any_of(program.groups.begin(), program.groups.end(),
                                         [&](const Group& group) { return group.name == path[0]; });
}

Typed Read(const Program& program, const std::vector<std::string>& words) {
  Typed typed;
  for (const std::string& word : words) {
    if (typed.open != nullptr && !word.starts_with("-")) {
      if (!typed.open->several_words) typed.open = nullptr;
      continue;
    }
    typed.open = nullptr;
    if (word.starts_with("-")) {
      const Option* option = typed.command == nullptr ? nullptr : OptionNamed(typed.command->options, word);
      if (option == nullptr) option = OptionNamed(program.globals, word);
      if (option != nullptr && !option->flag()) typed.open = option;
      continue;
    }
    std::vector<std::string> longer = typed.path;
    longer.push_back(word);
    if (typed.command == nullptr && Extends(program, longer)) {
      typed.path = longer;
      typed.command = program.Find(longer);
    } else {
      ++typed.positionals;
    }
  }
  return typed;
}

Completion OfOption(const Option& option) {
  return {option.choices, option.names};
}

}  // namespace

Completion Complete(const Program& program, const std::vector<std::string>& before, const std::string& current) {
  const Typed typed = Read(program, before);
  if (typed.open != nullptr && !current.starts_with("-")) return OfOption(*typed.open);
  Completion completion;
  if (current.starts_with("-")) {
    if (typed.command != nullptr) {
      for (const Option& option : typed.command->options) {
        if (!option.positional()) completion.words.push_back(option.name);
      }
    }
    for (const Option& option : program.globals) completion.words.push_back(option.name);
    completion.words.push_back("--help");
    return completion;
  }
  if (typed.command == nullptr) {
    for (const Group& group : program.groups) {
      if (typed.path.empty()) completion.words.push_back(group.name);
    }
    for (const Command& command : program.commands) {
      const bool below = command.path.size() == typed.path.size() + 1 &&
                         std::equal(typed.path.begin(), typed.path.end(), command.path.begin());
      if (below && !command.hidden) completion.words.push_back(command.path.back());
    }
    return completion;
  }
  size_t at = 0;
  for (const Option& option : typed.command->options) {
    if (!option.positional()) continue;
    if (at++ == typed.positionals || option.repeat) return OfOption(option);
  }
  return completion;
}

}  // namespace protector::cli
