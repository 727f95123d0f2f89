#include "cli/protector/output/text_width.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace protector::cli {
namespace {

struct CodePoint {
  uint32_t value = 0;
  size_t bytes = 1;
  bool valid = false;
};

CodePoint Decode(const std::string& text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  if (lead < 0x80) return {lead, 1, true};
  const size_t length = lead >= 0xF0 && lead < 0xF5   ? 4
                        : lead >= 0xE0 && lead < 0xF0 ? 3
                        : lead >= 0xC2 && lead < 0xE0 ? 2
                                                      : 0;
  if (length == 0 || at + length > text.size()) return {lead, 1, false};
  uint32_t value = lead & (0xFFu >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return {lead, 1, false};
    value = (value << 6) | (byte(at + i) & 0x3Fu);
  }
  const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  if (overlong || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) return {lead, 1, false};
  return {value, length, true};
}

struct Range {
  uint32_t first;
  uint32_t last;
};

constexpr Range kZeroWidth[] = {{0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A},
                                {0x064B, 0x065F}, {0x0E31, 0x0E31}, {0x0E34, 0x0E3A}, {0x1AB0, 0x1AFF},
                                {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0x2060, 0x2064},
                                {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}, {0xE0100, 0xE01EF}};
constexpr Range kWide[] = {{0x1100, 0x115F},   {0x231A, 0x231B},   {0x23E9, 0x23EC},   {0x2705, 0x2705},
                           {0x274C, 0x274C},   {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},
                           {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},
                           {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
                           {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};

constexpr Range kTurning[] = {{0x061C, 0x061C}, {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2066, 0x2069}};

template <size_t N>
bool In(const Range (&ranges)[N], uint32_t value) {
  const auto* found = std::upper_bound(std::begin(ranges), std::end(ranges), value,
                                       [](uint32_t v, const Range& range) { return v < range.first; });
  return found != std::begin(ranges) && value <= std::prev(found)->last;
}

int WidthOf(const CodePoint& point) {
  if (!point.valid) return 1;
  if (In(kZeroWidth, point.value)) return 0;
  return In(kWide, point.value) ? 2 : 1;
}

// The longest beginning of text[from..] that takes at most `width` columns; at least one character.
size_t Fitting(const std::string& text, size_t from, int width) {
  size_t at = from;
  int used = 0;
  while (at < text.size()) {
    const CodePoint point = Decode(text, at);
    used += WidthOf(point);
    if (used > width && at > from) break;
    at += point.bytes;
  }
  return at - from;
}

void WrapLine(const std::string& line, int width, std::vector<std::string>& out) {
  size_t at = 0;
  do {
    size_t length = Fitting(line, at, width);
    if (at + length < line.size() && line[at + length] != ' ') {
      const size_t blank = line.rfind(' ', at + length);
      if (blank != std::string::npos && blank > at) length = blank - at;
    }
    std::string piece = line.substr(at, length);
    at += length;
    if (at < line.size()) {
      while (!piece.empty() && piece.back() == ' ') piece.pop_back();
      while (at < line.size() && line[at] == ' ') ++at;
    }
    out.push_back(std::move(piece));
  } while (at < line.size());
}

}  // namespace

int TextWidth(const std::string& text) {
  int width = 0;
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = Decode(text, at);
    width += WidthOf(point);
    at += point.bytes;
  }
  return width;
}

std::string Printable(const std::string& text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = Decode(text, at);
    // Controls of the terminal, and those of Unicode that turn the order of what follows.
    const bool control = point.value != '\n' && (point.value < 0x20 || (point.value >= 0x7F && point.value < 0xA0) ||
                                                 In(kTurning, point.value));
    if (!point.valid) {
      out += "\xEF\xBF\xBD";
    } else if (point.value == '\t') {
      out += ' ';
    } else if (control) {
      out += '?';
    } else {
      out.append(text, at, point.bytes);
    }
    at += point.bytes;
  }
  return out;
}

std::vector<std::string> WrapText(const std::string& text, int width) {
  std::vector<std::string> lines;
  size_t begin = 0;
  while (true) {
    const size_t end = text.find('\n', begin);
    const std::string line = text.substr(begin, end == std::string::npos ? end : end - begin);
    if (width <= 0 || TextWidth(line) <= width) {
      lines.push_back(line);
    } else {
      WrapLine(line, width, lines);
    }
    if (end == std::string::npos) return lines;
    begin = end + 1;
  }
}

std::string Shorten(const std::string& text, int width) {
  if (TextWidth(text) <= width) return text;
  if (width <= 0) return "";
  if (width == 1) return "\xE2\x80\xA6";
  return text.substr(0, Fitting(text, 0, width - 1)) + "\xE2\x80\xA6";
}

std::string PadRight(const std::string& text, int width) {
  const int missing = width - TextWidth(text);
  return missing > 0 ? text + std::string(static_cast<size_t>(missing), ' ') : text;
}

std::string PadLeft(const std::string& text, int width) {
  const int missing = width - TextWidth(text);
  return missing > 0 ? std::string(static_cast<size_t>(missing), ' ') + text : text;
}

}  // namespace protector::cli
