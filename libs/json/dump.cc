// The half of Value that writes text: our tree through RapidJSON's writers.

#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <cmath>

#include "libs/json/json.h"

namespace protector::json {
namespace {

// Length of the valid UTF-8 sequence at `at`; 0 when there is none (overlong forms and surrogates are none).
size_t SequenceLength(const std::string& text, size_t at) {
  const auto byte = [&text](size_t i) { return static_cast<unsigned char>(i < text.size() ? text[i] : '\0'); };
  const unsigned char first = byte(at);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return 0;
  }
  const unsigned char second = byte(at + 1);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool outside = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
  return overlong || outside ? 0 : length;
}

std::string ValidUtf8(const std::string& text) {
  std::string valid;
  valid.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t length = SequenceLength(text, at);
    if (length == 0) {
      valid += "\xEF\xBF\xBD";
      ++at;
    } else {
      valid.append(text, at, length);
      at += length;
    }
  }
  return valid;
}

template <typename Writer>
void WriteText(Writer& writer, const std::string& text, bool key) {
  const std::string valid = ValidUtf8(text);
  const auto length = static_cast<rapidjson::SizeType>(valid.size());
  if (key) {
    writer.Key(valid.data(), length);
  } else {
    writer.String(valid.data(), length);
  }
}

template <typename Writer>
void Write(Writer& writer, const Value& value, bool sorted) {
  if (value.IsObject()) {
    std::vector<const std::pair<std::string, Value>*> members;
    for (const auto& member : value.members()) members.push_back(&member);
    if (sorted) std::sort(members.begin(), members.end(), [](auto* a, auto* b) { return a->first < b->first; });
    writer.StartObject();
    for (const auto* member : members) {
      WriteText(writer, member->first, true);
      Write(writer, member->second, sorted);
    }
    writer.EndObject();
  } else if (value.IsArray()) {
    writer.StartArray();
    for (const Value& item : value.items()) Write(writer, item, sorted);
    writer.EndArray();
  } else if (value.IsString()) {
    WriteText(writer, *value.AsString(), false);
  } else if (value.IsInt()) {
    writer.Int64(*value.AsInt());
  } else if (value.IsNumber() && std::isfinite(*value.AsDouble())) {
    writer.Double(*value.AsDouble());
  } else if (value.IsBool()) {
    writer.Bool(*value.AsBool());
  } else {
    writer.Null();
  }
}

std::string Compact(const Value& value, bool sorted) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  Write(writer, value, sorted);
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace

std::string Value::Dump() const {
  return Compact(*this, false);
}

std::string Value::DumpCanonical() const {
  return Compact(*this, true);
}

std::string Value::DumpPretty(int indent) const {
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(buffer);
  writer.SetIndent(' ', static_cast<unsigned>(indent));
  Write(writer, *this, false);
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace protector::json
