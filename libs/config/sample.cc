#include <fmt/format.h>

#include <sstream>

#include "libs/config/config.h"

namespace protector::config {
namespace {

constexpr size_t kWidth = 110;

void Comment(const std::string& indent, const std::string& text, std::vector<std::string>& out) {
  std::istringstream words(text);
  std::string line;
  for (std::string word; words >> word;) {
    if (!line.empty() && indent.size() + 3 + line.size() + word.size() > kWidth) {
      out.push_back(indent + "# " + line);
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  if (!line.empty()) out.push_back(indent + "# " + line);
}

std::string Notes(const Key& key) {
  std::string notes = key.doc;
  if (!key.choices.empty()) notes += fmt::format(" One of: {}.", fmt::join(key.choices, ", "));
  if (key.minimum != INT64_MIN && key.maximum != INT64_MAX) {
    notes += fmt::format(" From {} to {}.", key.minimum, key.maximum);
  }
  if (key.required) {
    notes += " Required.";
  } else if (!key.default_value.empty()) {
    notes += fmt::format(" Default: {}.", key.default_value);
  }
  return notes;
}

void Keys(const std::vector<Key>& keys, const std::string& prefix, const std::string& indent,
          std::vector<std::string>& out);

// The keys of one entry; the dash goes to the first line that is no comment.
void Item(const Schema& item, const std::string& indent, std::vector<std::string>& out) {
  std::vector<std::string> lines;
  Keys(item.keys(), "", indent + "  ", lines);
  bool dash = false;
  for (std::string& line : lines) {
    const size_t text = line.find_first_not_of(' ');
    if (!dash && text != std::string::npos && line[text] != '#') {
      line[indent.size()] = '-';
      dash = true;
    }
    out.push_back(std::move(line));
  }
}

void OneKey(const Key& key, const std::string& name, const std::string& indent, std::vector<std::string>& out) {
  Comment(indent, Notes(key), out);
  if (key.type == Type::kList) {
    out.push_back(indent + name + ":");
    Item(*key.item, indent + "  ", out);
    return;
  }
  const bool has_default = !key.required && !key.default_value.empty();
  const std::string value = key.example.empty() ? key.default_value : key.example;
  // An optional key without a default is shown but not set.
  const std::string hidden = key.required || has_default ? "" : "# ";
  out.push_back(fmt::format("{}{}{}: {}", indent, hidden, name, value));
}

void Keys(const std::vector<Key>& keys, const std::string& prefix, const std::string& indent,
          std::vector<std::string>& out) {
  std::vector<std::string> groups;
  for (const Key& key : keys) {
    if (key.path.compare(0, prefix.size(), prefix) != 0) continue;
    const std::string rest = key.path.substr(prefix.size());
    const size_t dot = rest.find('.');
    if (dot == std::string::npos) {
      OneKey(key, rest, indent, out);
      if (indent.empty()) out.emplace_back();
      continue;
    }
    // A group is printed whole where its first key was declared.
    const std::string group = rest.substr(0, dot);
    bool printed = false;
    for (const std::string& known : groups) printed = printed || known == group;
    if (printed) continue;
    groups.push_back(group);
    out.push_back(indent + group + ":");
    Keys(keys, prefix + group + ".", indent + "  ", out);
    if (indent.empty()) out.emplace_back();
  }
}

}  // namespace

std::string Schema::Sample(const std::string& title) const {
  std::vector<std::string> lines;
  Comment("", title, lines);
  Comment(
      "",
      "A value may be ${ENV:NAME}, ${FILE:path} (relative to this file) or ${CREDENTIAL:name} (a systemd credential), "
      "which is how secrets stay out of it. A key without a default is shown as a comment unless it is required.",
      lines);
  lines.emplace_back();
  Keys(keys_, "", "", lines);
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return fmt::format("{}\n", fmt::join(lines, "\n"));
}

}  // namespace protector::config
