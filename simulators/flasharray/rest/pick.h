// Which objects a request is about: names=, ids=, destroyed= and what a filter says about names.
//
// Threads: inside a Tx. Ownership: none. Failure: names that match nothing fail the whole request, one error each.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "simulators/flasharray/rest/call.h"
#include "simulators/flasharray/rest/filter.h"

namespace protector::fasim {

struct PickRules {
  std::string kind;  // "Volume", for "Volume does not exist."
  std::string names = "names", ids = "ids";
  bool wildcards = true;
};

void CheckExclusive(const Call& call, const std::string& names, const std::string& ids);

// The named objects in the order asked for; nullopt when the request names none.
template <class T>
std::optional<typename Table<T>::Rows> PickNamed(const Call& call, const Table<T>& table, const PickRules& rules) {
  CheckExclusive(call, rules.names, rules.ids);
  if (!call.Has(rules.names) && !call.Has(rules.ids)) return std::nullopt;
  typename Table<T>::Rows rows;
  std::vector<ApiError::Item> missing;
  std::set<std::string> seen;
  const auto add = [&](const typename Table<T>::Ptr& row) {
    if (seen.insert(row->id).second) rows.push_back(row);
  };
  for (const std::string& name : call.List(rules.names)) {
    const auto star = name.find('*');
    if (rules.wildcards && star != std::string::npos) {
      for (const auto& row : table.All(name.substr(0, star))) {
        if (GlobMatch(name, NameOf(*row))) add(row);
      }
    } else if (const auto row = table.ByName(name)) {
      add(row);
    } else {
      missing.push_back({name, rules.kind + " does not exist."});
    }
  }
  for (const std::string& id : call.List(rules.ids)) {
    if (const auto row = table.Find(id)) {
      add(row);
    } else {
      missing.push_back({id, rules.kind + " does not exist."});
    }
  }
  if (!missing.empty()) throw ApiError(400, std::move(missing));
  return rows;
}

// For PATCH and DELETE: something must be named.
template <class T>
typename Table<T>::Rows NeedNamed(const Call& call, const Table<T>& table, const PickRules& rules) {
  auto rows = PickNamed(call, table, rules);
  if (!rows || (rows->empty() && call.List(rules.names).empty() && call.List(rules.ids).empty())) {
    throw ApiError("One of the parameters names or ids is required.");
  }
  return *rows;
}

// What a GET looks at: the named ones, or those the filter's name can match, or all.
template <class T>
typename Table<T>::Rows Candidates(const Call& call, const Table<T>& table, const PickRules& rules) {
  if (auto named = PickNamed(call, table, rules)) return *named;
  const auto pattern = Filter::Parse(call.Text("filter")).NamePattern();
  if (!pattern) return table.All();
  if (pattern->back() == '*') return table.All(pattern->substr(0, pattern->size() - 1));
  const auto row = table.ByName(*pattern);
  return row ? typename Table<T>::Rows{row} : typename Table<T>::Rows{};
}

template <class T>
void NarrowDestroyed(const Call& call, std::vector<std::shared_ptr<const T>>* rows) {
  const auto wanted = call.Bool("destroyed");
  if (wanted) std::erase_if(*rows, [&](const auto& row) { return row->destroyed != *wanted; });
}

// Names of objects to create: given, each once.
std::vector<std::string> NewNames(const Call& call, const std::string& parameter = "names");

template <class T, class Build>
std::vector<Row> ToRows(const std::vector<std::shared_ptr<const T>>& objects, Build build) {
  std::vector<Row> rows;
  rows.reserve(objects.size());
  for (const auto& object : objects) {
    rows.push_back({Lower(NameOf(*object)), [object, build] { return build(*object); }});
  }
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.key < b.key; });
  return rows;
}

// For PATCH: no attribute at all is a mistake of the caller.
void CheckAnyAttribute(const Call& call, const std::vector<std::string>& parameters = {});

}  // namespace protector::fasim
