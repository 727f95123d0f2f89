#pragma once
// Query strings and filter expressions of the array.
//
// Threads: values and pure functions. Failure: none; texts are quoted and encoded here and nowhere else.

#include <string>
#include <utility>
#include <vector>

#include "libs/http/client.h"

namespace protector::storage::flasharray {

class Query {
 public:
  Query& Add(const std::string& key, const std::string& value) {
    parts_.emplace_back(key, value);
    return *this;
  }
  Query& AddIf(bool condition, const std::string& key, const std::string& value) {
    return condition ? Add(key, value) : *this;
  }
  Query& AddList(const std::string& key, const std::vector<std::string>& values) {
    std::string joined;
    for (const std::string& value : values) joined += (joined.empty() ? "" : ",") + value;
    return Add(key, joined);
  }
  // "?a=b&c=d", or "" when there is nothing.
  std::string Text() const {
    std::string text;
    for (const auto& [key, value] : parts_) text += (text.empty() ? "?" : "&") + key + "=" + http::UrlEncode(value);
    return text;
  }

 private:
  std::vector<std::pair<std::string, std::string>> parts_;
};

// field='value', with what would end the text early escaped.
inline std::string Equals(const std::string& field, const std::string& value) {
  std::string quoted;
  for (const char c : value) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return field + "='" + quoted + "'";
}

// (field='a' or field='b'); "" for no values.
inline std::string AnyOf(const std::string& field, const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "" : " or ") + Equals(field, value);
  return values.size() > 1 ? "(" + text + ")" : text;
}

}  // namespace protector::storage::flasharray
