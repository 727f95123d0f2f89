#include <algorithm>

#include "cli/protector/args/parse.h"

namespace protector::cli {
namespace {

bool TakesSeveralWords(const Program& program, const std::string& option) {
  return std::any_of(program.commands.begin(), program.commands.end(), [&](const Command& command) {
    return std::any_of(command.options.begin(), command.options.end(),
                       [&](const Option& known) { return known.several_words && known.name == option; });
  });
}

// "-5" is a value, not an option: it is given to the option before it.
bool IsNegativeNumber(const std::string& word) {
  return word.size() > 1 && word[0] == '-' && word.find_first_not_of("0123456789", 1) == std::string::npos;
}

}  // namespace

std::vector<std::string> SpreadWords(const Program& program, const std::vector<std::string>& words) {
  std::vector<std::string> out;
  std::string spreading;  // the option whose further words are being read
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--") {
      out.insert(out.end(), words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
      return out;
    }
    if (IsNegativeNumber(word) && !out.empty() && out.back().starts_with("--") &&
        out.back().find('=') == std::string::npos) {
      out.back() += "=" + word;
    } else if (word.starts_with("-")) {
      spreading = word.substr(0, word.find('='));
      const bool several = word.starts_with("--") && TakesSeveralWords(program, spreading);
      out.push_back(word);
      // The first word belongs to the option whatever it looks like: a malformed pair is then reported as one.
      if (several && word == spreading && i + 1 < words.size() && !words[i + 1].starts_with("-"))
        out.push_back(words[++i]);
      if (!several) spreading.clear();
    } else if (!spreading.empty() && word.find('=') != std::string::npos) {
      out.push_back(spreading);
      out.push_back(word);
    } else {
      spreading.clear();
      out.push_back(word);
    }
  }
  return out;
}

}  // namespace protector::cli
