// The half of Value that reads text: RapidJSON's reader feeding our tree.

#include <fmt/format.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "libs/json/json.h"

namespace protector::json {
namespace {

// Numbers come as text: RapidJSON's exact conversion takes the logarithm of 0 for "0e308", and may give infinity.
constexpr unsigned kFlags =
    rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag | rapidjson::kParseNumbersAsStringsFlag;

// A number that JSON's grammar allows; nullopt: greater than any double.
std::optional<Value> NumberOf(std::string_view text) {
  const char* const end = text.data() + text.size();
  if (text.find_first_of(".eE") == std::string_view::npos) {
    int64_t whole = 0;
    if (std::from_chars(text.data(), end, whole).ec == std::errc()) return Value(whole);
  }
  double number = 0;
  if (std::from_chars(text.data(), end, number).ec == std::errc()) return Value(number);
  // Out of range. strtod tells next to nothing from too much; no program of ours sets a locale.
  number = std::strtod(std::string(text).c_str(), nullptr);
  if (std::isinf(number)) return std::nullopt;
  return Value(number);
}

// Of members with the same key keeps the last value, in the place of the first.
void DropRepeated(Value::Members& members) {
  std::unordered_map<std::string, size_t> places;
  Value::Members unique;
  for (auto& member : members) {
    const auto [place, fresh] = places.emplace(member.first, unique.size());
    if (fresh) {
      unique.push_back(std::move(member));
    } else {
      unique[place->second].second = std::move(member.second);
    }
  }
  members = std::move(unique);
}

class TreeBuilder {
 public:
  explicit TreeBuilder(int max_depth) : max_depth_(max_depth) {}

  bool Null() { return Add(Value()); }
  bool Bool(bool value) { return Add(Value(value)); }
  bool Int(int value) { return Add(Value(value)); }
  bool Uint(unsigned value) { return Add(Value(static_cast<int64_t>(value))); }
  bool Int64(int64_t value) { return Add(Value(value)); }
  bool Uint64(uint64_t value) { return Add(Value(value)); }
  bool Double(double value) { return Add(Value(value)); }
  bool RawNumber(const char* text, rapidjson::SizeType length, bool) {
    std::optional<Value> number = NumberOf(std::string_view(text, length));
    return number.has_value() && Add(std::move(*number));
  }
  bool String(const char* text, rapidjson::SizeType length, bool) { return Add(Value(std::string(text, length))); }
  bool Key(const char* text, rapidjson::SizeType length, bool) {
    open_.back().keys.emplace_back(text, length);
    return true;
  }
  bool StartObject() { return Open(); }
  bool StartArray() { return Open(); }

  bool EndObject(rapidjson::SizeType) {
    Level level = Close();
    Value::Members members;
    members.reserve(level.values.size());
    for (size_t i = 0; i < level.values.size(); ++i) {
      members.emplace_back(std::move(level.keys[i]), std::move(level.values[i]));
    }
    DropRepeated(members);
    return Add(Value::FromMembers(std::move(members)));
  }

  bool EndArray(rapidjson::SizeType) { return Add(Value::FromItems(Close().values)); }

  bool too_deep() const { return too_deep_; }
  Value TakeRoot() { return std::move(root_); }

 private:
  struct Level {
    std::vector<std::string> keys;
    Value::Items values;
  };

  bool Add(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else {
      open_.back().values.push_back(std::move(value));
    }
    return true;
  }

  bool Open() {
    too_deep_ = open_.size() >= static_cast<size_t>(max_depth_);
    if (!too_deep_) open_.emplace_back();
    return !too_deep_;
  }

  Level Close() {
    Level level = std::move(open_.back());
    open_.pop_back();
    return level;
  }

  const int max_depth_;
  bool too_deep_ = false;
  std::vector<Level> open_;
  Value root_;
};

}  // namespace

absl::StatusOr<Value> Parse(const std::string& text, int max_depth) {
  TreeBuilder builder(max_depth);
  rapidjson::Reader reader;
  rapidjson::MemoryStream bytes(text.data(), text.size());
  rapidjson::EncodedInputStream<rapidjson::UTF8<>, rapidjson::MemoryStream> stream(bytes);
  const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, builder);
  if (!result.IsError()) return builder.TakeRoot();

  const size_t offset = std::min(result.Offset(), text.size());
  const auto begin = text.begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(offset);
  const auto line = 1 + std::count(begin, end, '\n');
  const size_t last_break = offset == 0 ? std::string::npos : text.rfind('\n', offset - 1);
  const size_t column = last_break == std::string::npos ? offset + 1 : offset - last_break;
  const std::string cause = builder.too_deep() ? fmt::format("nested more than {} deep", max_depth)
                                               : rapidjson::GetParseError_En(result.Code());
  return absl::InvalidArgumentError(fmt::format("not valid JSON at line {}, column {}: {}", line, column, cause));
}

}  // namespace protector::json
