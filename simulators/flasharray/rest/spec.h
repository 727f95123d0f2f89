// What each REST operation takes and returns in each version, read from spec/operations.inc once at start.
//
// Threads: immutable after construction. Ownership: owns its tables. Failure: a damaged table throws at start.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "simulators/flasharray/base/types.h"

namespace protector::fasim {

// The properties of one object. A list of objects is marked by `list`; plain values have no children.
struct Shape {
  std::string name;
  int since = 0;
  bool list = false;
  bool object = false;
  std::vector<Shape> children;
};

struct Operation {
  std::string method, path;
  int since = 0;
  std::map<std::string, int> params;  // name -> first version
  std::map<std::string, int> body;    // dotted name -> first version; "[]" in front for lists of objects
  bool body_is_list = false;
  std::vector<Shape> item;
  bool listing = false;  // the envelope has continuation_token and so on
  bool total = false;    // and a list of totals
};

class Spec {
 public:
  Spec();
  // Null when no version has it.
  const Operation* Find(const std::string& method, const std::string& path) const;
  bool HasPath(const std::string& path) const;

 private:
  std::map<std::string, Operation> operations_;  // "GET /volumes"
  std::map<std::string, int> paths_;
};

// Exactly the properties that version 2.`minor` has: what `item` lacks is null, what the version lacks is left out.
Json Project(const std::vector<Shape>& shape, const Json& item, int minor);

// Throws ApiError 400 for a parameter or a writable property that the version does not have.
void CheckParams(const Operation& operation, const std::map<std::string, std::string>& params, int minor);
void CheckBody(const Operation& operation, const Json& body, int minor);

}  // namespace protector::fasim
