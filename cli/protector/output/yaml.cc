#include "cli/protector/output/yaml.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace protector::cli {
namespace {

bool LooksLikeSomethingElse(const std::string& text) {
  static constexpr std::array<const char*, 13> kWords = {"y",   "n",    "yes", "no",   "true", "false", "on",
                                                         "off", "null", "~",   ".nan", ".inf", "<<"};
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (std::any_of(kWords.begin(), kWords.end(), [&](const char* word) { return lower == word; })) return true;
  // Numbers, times and sexagesimals all begin like a number.
  const auto first = static_cast<unsigned char>(text[0]);
  return std::isdigit(first) != 0 || first == '+' || first == '.' || first == '=';
}

bool IsPlain(const std::string& text) {
  if (text.empty() || LooksLikeSomethingElse(text)) return false;
  if (std::string(" -?:,[]{}#&*!|>'\"%@`").find(text[0]) != std::string::npos) return false;
  if (text.back() == ' ' || text.back() == ':') return false;
  if (text.find(": ") != std::string::npos || text.find(" #") != std::string::npos) return false;
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7F; });
}

std::string Scalar(const json::Value& value) {
  const auto text = value.AsString();
  if (!text) return value.Dump();
  return IsPlain(*text) ? *text : json::Value(*text).Dump();  // a JSON string is a YAML double-quoted scalar
}

bool IsBlock(const json::Value& value) {
  return (value.IsArray() || value.IsObject()) && value.size() > 0;
}

void Emit(const json::Value& value, size_t indent, bool continues_line, std::string& out) {
  const std::string pad(indent, ' ');
  bool first = true;
  const auto start_line = [&] {
    if (!(first && continues_line)) out += pad;
    first = false;
  };
  for (const auto& [key, member] : value.members()) {
    start_line();
    out += Scalar(json::Value(key)) + ":";
    if (!IsBlock(member)) {
      out += " " + Scalar(member) + "\n";
      continue;
    }
    out += "\n";
    Emit(member, member.IsArray() ? indent : indent + 2, false, out);
  }
  for (const json::Value& item : value.items()) {
    start_line();
    out += "- ";
    if (IsBlock(item)) {
      Emit(item, indent + 2, true, out);
    } else {
      out += Scalar(item) + "\n";
    }
  }
}

}  // namespace

std::string ToYaml(const json::Value& value) {
  if (!IsBlock(value)) return Scalar(value) + "\n";
  std::string out;
  Emit(value, 0, false, out);
  return out;
}

}  // namespace protector::cli
