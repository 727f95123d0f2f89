#include "simulators/flasharray/rest/call.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "simulators/flasharray/base/text.h"
#include "simulators/flasharray/rest/filter.h"

namespace protector::fasim {
namespace {

constexpr std::size_t kPage = 1000;

// Null first, then numbers, booleans and text in their own order.
int CompareValues(const Json* a, const Json* b) {
  const bool no_a = a == nullptr || a->is_null();
  const bool no_b = b == nullptr || b->is_null();
  if (no_a || no_b) return no_a == no_b ? 0 : (no_a ? -1 : 1);
  if (a->is_number() && b->is_number()) {
    const double x = a->get<double>();
    const double y = b->get<double>();
    return x < y ? -1 : (x > y ? 1 : 0);
  }
  if (a->is_string() && b->is_string()) return Lower(a->get<std::string>()).compare(Lower(b->get<std::string>()));
  return *a < *b ? -1 : (*b < *a ? 1 : 0);
}

void SortItems(std::vector<Json>& items, const std::string& sort) {
  struct Order {
    std::string field;
    bool descending = false;
  };
  std::vector<Order> orders;
  for (std::string word : Split(sort, ',')) {
    Order order;
    if (!word.empty() && word.front() == '-') {
      order.descending = true;
      word.erase(0, 1);
    } else if (!word.empty() && word.back() == '-') {
      order.descending = true;
      word.pop_back();
    } else if (!word.empty() && word.back() == '+') {
      word.pop_back();
    }
    if (word.empty() || word.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.") != std::string::npos) {
      throw ApiError("Invalid sort parameter.");
    }
    order.field = word;
    orders.push_back(order);
  }
  std::stable_sort(items.begin(), items.end(), [&](const Json& a, const Json& b) {
    for (const Order& order : orders) {
      const auto left = ValuesAt(a, order.field);
      const auto right = ValuesAt(b, order.field);
      const int found = CompareValues(left.empty() ? nullptr : left.front(), right.empty() ? nullptr : right.front());
      if (found != 0) return order.descending ? found > 0 : found < 0;
    }
    return false;
  });
}

void AddUp(const Json& item, Json* sum) {
  for (const auto& [key, value] : item.items()) {
    if (value.is_object()) {
      if (!(*sum)[key].is_object()) (*sum)[key] = Json::object();
      AddUp(value, &(*sum)[key]);
    } else if (value.is_number_integer() && key != "created" && key != "time" && key != "time_remaining" &&
               key != "started" && key != "completed" && key != "lun") {
      Json& place = (*sum)[key];
      place = (place.is_number() ? place.get<std::int64_t>() : 0) + value.get<std::int64_t>();
    }
  }
}

}  // namespace

std::string Call::Text(const std::string& name) const {
  const auto it = params.find(name);
  return it == params.end() ? "" : it->second;
}

std::vector<std::string> Call::List(const std::string& name) const {
  std::vector<std::string> out;
  if (!Has(name)) return out;
  for (std::string& word : Split(Text(name), ',')) {
    if (!word.empty()) out.push_back(std::move(word));
  }
  return out;
}

std::optional<bool> Call::Bool(const std::string& name) const {
  if (!Has(name)) return std::nullopt;
  const std::string text = Lower(Text(name));
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  throw ApiError(fmt::format("Invalid value for parameter {}.", name));
}

std::optional<std::int64_t> Call::Integer(const std::string& name) const {
  if (!Has(name)) return std::nullopt;
  const std::string text = Text(name);
  std::int64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || result.ec != std::errc() || result.ptr != text.data() + text.size() || value < 0) {
    throw ApiError(fmt::format("Invalid value for parameter {}.", name));
  }
  return value;
}

std::optional<std::string> TextAt(const Json& object, const std::string& key) {
  if (!object.is_object()) return std::nullopt;
  const auto it = object.find(key);
  if (it == object.end() || it->is_null()) return std::nullopt;
  if (!it->is_string()) throw ApiError(fmt::format("Invalid value for property {}.", key));
  return it->get<std::string>();
}

std::optional<std::int64_t> IntegerAt(const Json& object, const std::string& key) {
  if (!object.is_object()) return std::nullopt;
  const auto it = object.find(key);
  if (it == object.end() || it->is_null()) return std::nullopt;
  const bool fits = it->is_number_unsigned() ? it->get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX)
                                             : it->is_number_integer() && it->get<std::int64_t>() >= 0;
  if (!fits) throw ApiError(fmt::format("Invalid value for property {}.", key));
  return it->get<std::int64_t>();
}

std::optional<bool> BoolAt(const Json& object, const std::string& key) {
  if (!object.is_object()) return std::nullopt;
  const auto it = object.find(key);
  if (it == object.end() || it->is_null()) return std::nullopt;
  if (!it->is_boolean()) throw ApiError(fmt::format("Invalid value for property {}.", key));
  return it->get<bool>();
}

std::vector<std::string> TextsAt(const Json& object, const std::string& key) {
  std::vector<std::string> out;
  if (!object.is_object() || !object.contains(key) || object[key].is_null()) return out;
  if (!object[key].is_array()) throw ApiError(fmt::format("Invalid value for property {}.", key));
  for (const Json& value : object[key]) {
    if (!value.is_string()) throw ApiError(fmt::format("Invalid value for property {}.", key));
    out.push_back(value.get<std::string>());
  }
  return out;
}

std::optional<std::string> Call::BodyText(const std::string& key) const {
  return TextAt(body, key);
}
std::optional<std::int64_t> Call::BodyInteger(const std::string& key) const {
  return IntegerAt(body, key);
}
std::optional<bool> Call::BodyBool(const std::string& key) const {
  return BoolAt(body, key);
}

Json SumOf(const std::vector<Json>& items) {
  Json sum = Json::object();
  for (const Json& item : items) AddUp(item, &sum);
  return sum;
}

Answer ListRows(const Call& call, std::vector<Row> rows) {
  const Filter filter = Filter::Parse(call.Text("filter"));
  const std::string sort = call.Text("sort");
  const bool total_only = call.Has("total_only") && call.Flag("total_only");
  const auto limit = call.Integer("limit");
  const std::size_t page = std::min(limit ? static_cast<std::size_t>(*limit) : kPage, kPage);
  const auto offset = static_cast<std::size_t>(call.Integer("offset").value_or(0));
  Answer answer;

  std::size_t begin = std::min(offset, rows.size());
  std::vector<Json> built;
  const bool build_all = !filter.empty() || !sort.empty() || total_only;
  if (build_all) {
    std::vector<Row> kept;
    for (Row& row : rows) {
      Json item = row.build();
      if (!filter.Matches(item)) continue;
      built.push_back(std::move(item));
      kept.push_back(std::move(row));
    }
    rows = std::move(kept);
    begin = std::min(offset, rows.size());
    if (!sort.empty()) SortItems(built, sort);
  }
  const std::string token = call.Text("continuation_token");
  if (!token.empty() && sort.empty()) {
    const auto key = FromHex(token);
    if (!key) throw ApiError("Invalid continuation token.");
    begin = 0;
    while (begin < rows.size() && rows[begin].key <= *key) ++begin;
  }
  const bool count = call.Has("total_item_count") && call.Flag("total_item_count");
  if (count) answer.total_count = static_cast<std::int64_t>(rows.size());
  if (total_only) {
    answer.total.push_back(SumOf(built));
    return answer;
  }
  const std::size_t end = std::min(rows.size(), begin + page);
  for (std::size_t i = begin; i < end; ++i) answer.items.push_back(build_all ? std::move(built[i]) : rows[i].build());
  answer.more = end < rows.size() && page != 0;
  if (answer.more && sort.empty()) answer.token = ToHex(rows[end - 1].key);
  if (call.operation != nullptr && call.operation->total) answer.total.push_back(SumOf(answer.items));
  return answer;
}

}  // namespace protector::fasim
