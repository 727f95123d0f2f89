// One REST request as the handlers see it, and what they hand back.
//
// Threads: one thread per call. Ownership: values. Failure: the readers throw ApiError 400 for malformed parameters.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "simulators/flasharray/base/types.h"
#include "simulators/flasharray/model/db.h"
#include "simulators/flasharray/rest/spec.h"

namespace protector::fasim {

struct Call {
  std::string method, path;  // the path without /api/2.N
  int minor = 0;
  std::map<std::string, std::string> params;
  Json body;
  std::string user;
  const Operation* operation = nullptr;
  Json prepared;  // what a step before the transaction found out

  bool Has(const std::string& name) const { return params.count(name) != 0; }
  std::string Text(const std::string& name) const;
  std::vector<std::string> List(const std::string& name) const;  // comma separated
  std::optional<bool> Bool(const std::string& name) const;
  bool Flag(const std::string& name) const { return Bool(name).value_or(false); }
  std::optional<std::int64_t> Integer(const std::string& name) const;
  bool BodyHas(const std::string& key) const { return body.is_object() && body.contains(key) && !body[key].is_null(); }
  // Typed members of the body; a wrong type is a 400.
  std::optional<std::string> BodyText(const std::string& key) const;
  std::optional<std::int64_t> BodyInteger(const std::string& key) const;
  std::optional<bool> BodyBool(const std::string& key) const;
};

// Members of any JSON object, with the same refusal of wrong types.
std::optional<std::string> TextAt(const Json& object, const std::string& key);
std::optional<std::int64_t> IntegerAt(const Json& object, const std::string& key);
std::optional<bool> BoolAt(const Json& object, const std::string& key);
std::vector<std::string> TextsAt(const Json& object, const std::string& key);

// One row of a listing before it is built: `key` orders and pages, `build` makes the item.
struct Row {
  std::string key;
  std::function<Json()> build;
};

struct Answer {
  std::vector<Json> items;
  // Listings:
  std::optional<std::string> token;
  bool more = false;
  std::optional<std::int64_t> total_count;
  Json total = Json::array();
  bool no_body = false;         // DELETE, logout
  std::function<void()> after;  // runs after the commit, without the lock
};

// Filter, sort and page. Only the rows of the page are built unless a filter or a sort needs them all.
Answer ListRows(const Call& call, std::vector<Row> rows);

// Adds up the numbers of all items, for `total`.
Json SumOf(const std::vector<Json>& items);

}  // namespace protector::fasim
