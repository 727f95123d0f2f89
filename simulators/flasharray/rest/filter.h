// The filter language of the array: comparisons, and/or/not, parentheses, contains(), tags(), bare boolean fields.
//
// Threads: a parsed filter is immutable. Ownership: a tree of its own. Failure: a bad expression throws ApiError 400.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "simulators/flasharray/base/types.h"

namespace protector::fasim {

class Filter {
 public:
  // An empty text matches everything.
  static Filter Parse(const std::string& text);

  bool Matches(const Json& item) const;
  bool empty() const { return root_ == nullptr; }

  // If every match must have a `name` that equals this text or (with a trailing star) starts with it: that text. It
  // lets a listing look into an index instead of building every item.
  std::optional<std::string> NamePattern() const;

  struct Node;

 private:
  std::shared_ptr<const Node> root_;
};

// The values at a dotted path: lists on the way are walked into, so that any element may match.
std::vector<const Json*> ValuesAt(const Json& item, const std::string& path);

}  // namespace protector::fasim
