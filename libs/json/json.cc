#include "libs/json/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace protector::json {
namespace {

const Value::Items& NoItems() {
  static const Value::Items empty;
  return empty;
}

const Value::Members& NoMembers() {
  static const Value::Members empty;
  return empty;
}

std::optional<size_t> Index(const std::string& text) {
  size_t index = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, index);
  if (text.empty() || error != std::errc() || stopped != end) return std::nullopt;
  return index;
}

template <typename T>
absl::StatusOr<T> Required(const Value* at, std::optional<T> value, const std::string& path, const char* type) {
  if (value.has_value()) return *std::move(value);
  if (at == nullptr || at->IsNull()) return absl::InvalidArgumentError("\"" + path + "\" is missing");
  return absl::InvalidArgumentError("\"" + path + "\" is not " + type);
}

}  // namespace

Value::Value(uint64_t value) {
  if (value <= static_cast<uint64_t>(INT64_MAX)) {
    data_ = static_cast<int64_t>(value);
  } else {
    data_ = static_cast<double>(value);
  }
}

Value::Value(const std::vector<std::string>& values) {
  data_ = Items(values.begin(), values.end());
}

Value::Value(const std::map<std::string, std::string>& values) {
  data_ = Members(values.begin(), values.end());
}

Value Value::Object(std::initializer_list<std::pair<std::string, Value>> members) {
  Value object;
  object.data_ = Members();
  for (const auto& [key, value] : members) object.Set(key, value);
  return object;
}

Value Value::Array(std::initializer_list<Value> items) {
  Value array;
  array.data_ = Items(items);
  return array;
}

Value Value::FromItems(Items items) {
  Value array;
  array.data_ = std::move(items);
  return array;
}

Value Value::FromMembers(Members members) {
  Value object;
  object.data_ = std::move(members);
  return object;
}

std::optional<bool> Value::AsBool() const {
  const bool* value = std::get_if<bool>(&data_);
  return value == nullptr ? std::nullopt : std::optional<bool>(*value);
}

std::optional<int64_t> Value::AsInt() const {
  if (const int64_t* value = std::get_if<int64_t>(&data_)) return *value;
  const double* value = std::get_if<double>(&data_);
  constexpr double kLimit = 9007199254740992.0;  // beyond 2^53 a double no longer says which integer was meant
  if (value == nullptr || std::abs(*value) > kLimit || std::trunc(*value) != *value) return std::nullopt;
  return static_cast<int64_t>(*value);
}

std::optional<double> Value::AsDouble() const {
  if (const double* value = std::get_if<double>(&data_)) return *value;
  const int64_t* value = std::get_if<int64_t>(&data_);
  return value == nullptr ? std::nullopt : std::optional<double>(static_cast<double>(*value));
}

std::optional<std::string> Value::AsString() const {
  const std::string* value = std::get_if<std::string>(&data_);
  return value == nullptr ? std::nullopt : std::optional<std::string>(*value);
}

const Value::Items& Value::items() const {
  const Items* items = std::get_if<Items>(&data_);
  return items == nullptr ? NoItems() : *items;
}

const Value::Members& Value::members() const {
  const Members* members = std::get_if<Members>(&data_);
  return members == nullptr ? NoMembers() : *members;
}

size_t Value::size() const {
  return IsArray() ? items().size() : members().size();
}

const Value* Value::Find(const std::string& key) const {
  for (const auto& [name, value] : members()) {
    if (name == key) return &value;
  }
  return nullptr;
}

const Value* Value::At(const std::string& path) const {
  if (const Value* whole = Find(path)) return whole;
  const Value* at = this;
  size_t begin = 0;
  while (at != nullptr) {
    const size_t dot = path.find('.', begin);
    const std::string part = path.substr(begin, dot == std::string::npos ? dot : dot - begin);
    if (at->IsArray()) {
      const std::optional<size_t> index = Index(part);
      at = index.has_value() && *index < at->items().size() ? &at->items()[*index] : nullptr;
    } else {
      at = at->Find(part);
    }
    if (dot == std::string::npos) break;
    begin = dot + 1;
  }
  return at;
}

std::optional<std::string> Value::GetString(const std::string& path) const {
  const Value* at = At(path);
  return at == nullptr ? std::nullopt : at->AsString();
}

std::optional<int64_t> Value::GetInt(const std::string& path) const {
  const Value* at = At(path);
  return at == nullptr ? std::nullopt : at->AsInt();
}

std::optional<double> Value::GetDouble(const std::string& path) const {
  const Value* at = At(path);
  return at == nullptr ? std::nullopt : at->AsDouble();
}

std::optional<bool> Value::GetBool(const std::string& path) const {
  const Value* at = At(path);
  return at == nullptr ? std::nullopt : at->AsBool();
}

std::string Value::GetStringOr(const std::string& path, const std::string& otherwise) const {
  return GetString(path).value_or(otherwise);
}

int64_t Value::GetIntOr(const std::string& path, int64_t otherwise) const {
  return GetInt(path).value_or(otherwise);
}

double Value::GetDoubleOr(const std::string& path, double otherwise) const {
  return GetDouble(path).value_or(otherwise);
}

bool Value::GetBoolOr(const std::string& path, bool otherwise) const {
  return GetBool(path).value_or(otherwise);
}

std::vector<std::string> Value::GetStrings(const std::string& path) const {
  std::vector<std::string> strings;
  for (const Value& item : GetItems(path)) {
    if (item.IsString()) strings.push_back(*item.AsString());
  }
  return strings;
}

std::map<std::string, std::string> Value::GetStringMap(const std::string& path) const {
  std::map<std::string, std::string> strings;
  const Value* at = At(path);
  if (at == nullptr) return strings;
  for (const auto& [key, value] : at->members()) {
    if (value.IsString()) strings[key] = *value.AsString();
  }
  return strings;
}

const Value::Items& Value::GetItems(const std::string& path) const {
  const Value* at = At(path);
  return at == nullptr ? NoItems() : at->items();
}

absl::StatusOr<std::string> Value::RequireString(const std::string& path) const {
  return Required<std::string>(At(path), GetString(path), path, "a string");
}

absl::StatusOr<int64_t> Value::RequireInt(const std::string& path) const {
  return Required<int64_t>(At(path), GetInt(path), path, "an integer");
}

Value& Value::Set(const std::string& key, Value value) {
  if (!IsObject()) data_ = Members();
  if (Value* present = FindMutable(key)) {
    *present = std::move(value);
  } else {
    std::get<Members>(data_).emplace_back(key, std::move(value));
  }
  return *this;
}

Value& Value::Append(Value value) {
  if (!IsArray()) data_ = Items();
  std::get<Items>(data_).push_back(std::move(value));
  return *this;
}

bool Value::Erase(const std::string& key) {
  Members* members = std::get_if<Members>(&data_);
  return members != nullptr && std::erase_if(*members, [&key](const auto& member) { return member.first == key; }) > 0;
}

Value* Value::FindMutable(const std::string& key) {
  return const_cast<Value*>(Find(key));
}

bool Value::operator==(const Value& other) const {
  if (!IsObject() || !other.IsObject()) return data_ == other.data_;
  if (size() != other.size()) return false;
  return std::all_of(members().begin(), members().end(), [&other](const auto& member) {
    const Value* theirs = other.Find(member.first);
    return theirs != nullptr && *theirs == member.second;
  });
}

}  // namespace protector::json
