#pragma once
// JSON values as the product reads and writes them. The parser and writer are RapidJSON's; this header does not show
// them, so that it costs nothing to include.
//
// Threads: values; a const Value may be read by many threads. Ownership: a Value owns all that is below it; pointers
// that Find and At return live as long as the Value is neither changed nor destroyed. Failure: Parse and the Require...
// getters return INVALID_ARGUMENT that names the place, never the content (documents hold secrets); optional getters
// give nullopt when the key is absent, null, or of another type.

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

namespace protector::json {

class Value {
 public:
  using Items = std::vector<Value>;
  using Members = std::vector<std::pair<std::string, Value>>;  // in the order of writing; keys are unique

  Value() = default;  // null
  Value(std::nullptr_t) {}
  Value(bool value) : data_(value) {}
  Value(int value) : data_(int64_t{value}) {}
  Value(int64_t value) : data_(value) {}
  Value(uint32_t value) : data_(int64_t{value}) {}
  Value(uint64_t value);  // above the range of int64_t: a double
  Value(double value) : data_(value) {}
  Value(const char* value) : data_(std::string(value)) {}
  Value(std::string value) : data_(std::move(value)) {}
  Value(const std::vector<std::string>& values);
  Value(const std::map<std::string, std::string>& values);

  static Value Object(std::initializer_list<std::pair<std::string, Value>> members = {});
  static Value Array(std::initializer_list<Value> items = {});
  static Value FromItems(Items items);
  static Value FromMembers(Members members);  // the keys must be unique

  bool IsNull() const { return std::holds_alternative<std::monostate>(data_); }
  bool IsBool() const { return std::holds_alternative<bool>(data_); }
  bool IsInt() const { return std::holds_alternative<int64_t>(data_); }
  bool IsNumber() const { return IsInt() || std::holds_alternative<double>(data_); }
  bool IsString() const { return std::holds_alternative<std::string>(data_); }
  bool IsArray() const { return std::holds_alternative<Items>(data_); }
  bool IsObject() const { return std::holds_alternative<Members>(data_); }

  // This value as ...; nullopt when it is something else. A whole double is an integer, an integer is a double.
  std::optional<bool> AsBool() const;
  std::optional<int64_t> AsInt() const;
  std::optional<double> AsDouble() const;
  std::optional<std::string> AsString() const;

  // The items of an array, the members of an object; empty for anything else. For range-for.
  const Items& items() const;
  const Members& members() const;
  size_t size() const;  // of an array or object, else 0

  // The member of exactly this key; nullptr when there is none.
  const Value* Find(const std::string& key) const;
  bool Has(const std::string& key) const { return Find(key) != nullptr; }

  // "a.b.0.c": members by key, items by index. A member whose key is the whole text is preferred to a path.
  const Value* At(const std::string& path) const;

  // Typed reading at a key or path.
  std::optional<std::string> GetString(const std::string& path) const;
  std::optional<int64_t> GetInt(const std::string& path) const;
  std::optional<double> GetDouble(const std::string& path) const;
  std::optional<bool> GetBool(const std::string& path) const;
  std::string GetStringOr(const std::string& path, const std::string& otherwise) const;
  int64_t GetIntOr(const std::string& path, int64_t otherwise) const;
  double GetDoubleOr(const std::string& path, double otherwise) const;
  bool GetBoolOr(const std::string& path, bool otherwise) const;
  std::vector<std::string> GetStrings(const std::string& path) const;  // the strings of an array; others skipped
  std::map<std::string, std::string> GetStringMap(const std::string& path) const;  // members that are strings
  const Items& GetItems(const std::string& path) const;                            // empty when absent

  absl::StatusOr<std::string> RequireString(const std::string& path) const;
  absl::StatusOr<int64_t> RequireInt(const std::string& path) const;

  // Building. Set makes an object of a null, replaces a member in its place or appends it; Append makes an array of a
  // null.
  Value& Set(const std::string& key, Value value);
  Value& SetIf(bool condition, const std::string& key, Value value) {
    return condition ? Set(key, std::move(value)) : *this;
  }
  Value& Append(Value value);
  bool Erase(const std::string& key);
  Value* FindMutable(const std::string& key);

  // One line, members in the order of writing. Bytes that are not UTF-8 become U+FFFD; NaN and infinity become null.
  std::string Dump() const;
  // One line with the members of every object sorted by key: equal values give equal text, for hashes and comparisons.
  std::string DumpCanonical() const;
  std::string DumpPretty(int indent = 2) const;

  bool operator==(const Value& other) const;  // objects: regardless of order

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, Items, Members> data_;
};

// Reads one document. Objects and arrays may be nested `max_depth` deep. Of repeated keys the last one counts.
absl::StatusOr<Value> Parse(const std::string& text, int max_depth = 64);

}  // namespace protector::json
