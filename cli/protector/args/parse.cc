// The only unit that sees CLI11: its header costs seconds to compile.
#include "cli/protector/args/parse.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>

#include "cli/protector/args/suggest.h"
#include "cli/protector/args/usage.h"
#include "cli/protector/output/text_width.h"

namespace protector::cli {
namespace {

// Where CLI11 puts what it finds.
struct Slot {
  const Option* option = nullptr;
  std::vector<std::string> values;
};

struct Node {
  CLI::App* app = nullptr;
  const Command* command = nullptr;
  std::vector<std::string> path;
  std::vector<std::unique_ptr<Slot>> slots;
};

std::string Key(const Option& option) {
  return option.positional() ? option.name : option.name.substr(2);
}

void AddOption(CLI::App& app, const Option& option, std::vector<std::unique_ptr<Slot>>& slots) {
  slots.push_back(std::make_unique<Slot>());
  Slot* slot = slots.back().get();
  slot->option = &option;
  const std::string names = option.letter.empty() ? option.name : option.letter + "," + option.name;
  if (option.flag()) {
    app.add_flag(names, [slot](int64_t count) { slot->values.assign(static_cast<size_t>(count), "true"); });
    return;
  }
  CLI::Option* added = app.add_option(names, slot->values);
  if (option.positional() && !option.repeat) added->expected(1);
  // An option takes one word at a time; a positional only takes further words when this is on.
  added->allow_extra_args(option.positional() && option.repeat);
}

// CLI11 would split a word like "[a,b]" into two where several words are taken. A control character, which no word of a
// user can have (CheckWords), keeps it whole.
constexpr char kGuard = '\x01';

std::string Guarded(const std::string& word) {
  return word.starts_with("[") ? kGuard + word : word;
}

std::string Unguarded(const std::string& word) {
  return word.starts_with(kGuard) ? word.substr(1) : word;
}

class Builder {
 public:
  explicit Builder(const Program& program) : program_(program) {
    root_.set_help_flag("-h,--help");
    root_.set_help_all_flag();
    root_.add_flag("--version", version_);
    root_.require_subcommand(0, 1);
    for (const Option& option : program.globals) AddOption(root_, option, globals_);
    for (const Group& group : program.groups) Sub(root_, {group.name});
    for (const Command& command : program.commands) {
      CLI::App* parent = command.path.size() > 1 ? nodes_.at({command.path[0]})->app : &root_;
      Node& node = Sub(*parent, command.path);
      node.command = &command;
      for (const Option& option : command.options) AddOption(*node.app, option, node.slots);
    }
  }

  absl::StatusOr<Parsed> Parse(const std::vector<std::string>& words) {
    Parsed parsed;
    std::vector<std::string> reversed;
    for (auto word = words.rbegin(); word != words.rend(); ++word) reversed.push_back(Guarded(*word));
    absl::Status failed;
    try {
      root_.parse(reversed);
    } catch (const CLI::CallForHelp&) {
      parsed.help = true;
    } catch (const CLI::ExtrasError&) {
      failed = absl::InvalidArgumentError("extras");  // told apart below, once the command is known
    } catch (const CLI::ParseError& error) {
      failed = UsageError(Shorten(error.what(), 200)).Remedy("See `protector --help`.");
    }
    const Node* node = Deepest();
    if (node != nullptr) {
      parsed.path = node->path;
      parsed.command = node->command;
    }
    parsed.version = version_;
    if (parsed.help || parsed.version) return parsed;
    if (!failed.ok() && DetailOf(failed).reason.empty()) return Unexpected(node, Extras());
    PROTECTOR_RETURN_IF_ERROR(failed);
    if (parsed.command == nullptr) return Incomplete(node);
    PROTECTOR_RETURN_IF_ERROR(Take(globals_, *parsed.command, parsed.arguments));
    PROTECTOR_RETURN_IF_ERROR(Take(node->slots, *parsed.command, parsed.arguments));
    return parsed;
  }

 private:
  Node& Sub(CLI::App& parent, const std::vector<std::string>& path) {
    auto& node = nodes_[path];
    node = std::make_unique<Node>();
    node->app = parent.add_subcommand(path.back());
    node->app->fallthrough();
    node->path = path;
    return *node;
  }

  const Node* Deepest() const {
    const Node* deepest = nullptr;
    for (const auto& [path, node] : nodes_) {
      if (node->app->parsed() && (deepest == nullptr || path.size() > deepest->path.size())) deepest = node.get();
    }
    return deepest;
  }

  std::vector<std::string> Extras() const { return root_.remaining(true); }

  // The words that may follow here.
  std::vector<std::string> Children(const Node* node) const {
    std::vector<std::string> children;
    if (node == nullptr) {
      for (const Group& group : program_.groups) children.push_back(group.name);
    }
    for (const Command& command : program_.commands) {
      const bool below =
          node == nullptr ? command.path.size() == 1 : command.path.size() == 2 && command.path[0] == node->path[0];
      if (below && !command.hidden) children.push_back(command.path.back());
    }
    return children;
  }

  static std::string Said(const Node* node) {
    std::string text = "protector";
    for (const std::string& word : node == nullptr ? std::vector<std::string>{} : node->path) text += " " + word;
    return text;
  }

  static std::string Suggestion(const std::string& nearest) {
    return nearest.empty() ? "" : fmt::format("Did you mean '{}'? ", nearest);
  }

  absl::Status Incomplete(const Node* node) const {
    return UsageError(fmt::format("'{}' needs a command", Said(node)))
        .Remedy(fmt::format("See `{} --help`.", Said(node)));
  }

  absl::Status Unexpected(const Node* node, const std::vector<std::string>& extras) const {
    const std::string word = extras.empty() ? "" : Shorten(Unguarded(extras.front()), 60);
    const std::string see = fmt::format("See `{} --help`.", Said(node));
    if (word.starts_with("-") && word.size() > 1) {
      const std::string name = word.substr(0, word.find('='));
      const Command* command = node == nullptr ? nullptr : node->command;
      return UsageError(fmt::format("'{}' has no option {}", Said(node), name))
          .Remedy(Suggestion(Nearest(name, OptionNames(program_, command))) + see);
    }
    if (node == nullptr || node->command == nullptr) {
      return UsageError(fmt::format("'{}' has no command '{}'", Said(node), word))
          .Remedy(Suggestion(Nearest(word, Children(node))) + see);
    }
    return UsageError(fmt::format("'{}' takes no further word, but got '{}'", Said(node), word)).Remedy(see);
  }

  static absl::Status Take(const std::vector<std::unique_ptr<Slot>>& slots, const Command& command,
                           Arguments& arguments) {
    const std::string see = fmt::format("See `protector {} --help`.", command.PathText());
    for (const auto& slot : slots) {
      const Option& option = *slot->option;
      const std::string shown = option.positional() ? "<" + option.name + ">" : option.name;
      if (slot->values.empty() && option.required) {
        return UsageError(fmt::format("'protector {}' needs {}", command.PathText(), shown))
            .Remedy(option.help + " " + see);
      }
      if (slot->values.size() > 1 && !option.repeat && !option.flag()) {
        return UsageError(fmt::format("{} was given {} times", shown, slot->values.size())).Remedy(see);
      }
      for (const std::string& guarded : slot->values) {
        const std::string value = Unguarded(guarded);
        if (!option.choices.empty() &&
            std::find(option.choices.begin(), option.choices.end(), value) == option.choices.end()) {
          return UsageError(fmt::format("{} cannot be '{}'", shown, Shorten(value, 60)))
              .Remedy(Suggestion(Nearest(value, option.choices)) +
                      fmt::format("It is one of: {}.", fmt::join(option.choices, ", ")));
        }
        arguments.Add(Key(option), value);
      }
    }
    return absl::OkStatus();
  }

  const Program& program_;
  CLI::App root_;
  bool version_ = false;
  std::vector<std::unique_ptr<Slot>> globals_;
  std::map<std::vector<std::string>, std::unique_ptr<Node>> nodes_;
};

}  // namespace

std::vector<std::string> OptionNames(const Program& program, const Command* command) {
  std::vector<std::string> names = {"--help"};
  for (const Option& option : command == nullptr ? std::vector<Option>{} : command->options) {
    if (!option.positional()) names.push_back(option.name);
  }
  for (const Option& option : program.globals) names.push_back(option.name);
  return names;
}

absl::StatusOr<Parsed> ParseArguments(const Program& program, const std::vector<std::string>& words) {
  try {
    return Builder(program).Parse(SpreadWords(program, words));
  } catch (const std::exception& error) {
    return UsageError(error.what());
  }
}

}  // namespace protector::cli
