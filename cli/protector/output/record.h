#pragma once
// What a command has to show, before anyone decides how: one object (fields in order) or a list (rows under columns).
// Values are JSON, so that -f json loses nothing and every other format is made from the same thing. Names of fields
// and columns are snake_case and stable: they are the keys of -f json.
//
// Threads: values. Failure: none.

#include <string>
#include <utility>
#include <vector>

#include "libs/json/json.h"

namespace protector::cli {

struct Field {
  std::string name;
  json::Value value;
  // Shown by -f json and -f yaml, and by other formats only when -c names it: keeps tables readable.
  bool machine_only = false;
};

struct Record {
  std::vector<Field> fields;

  Record& Add(const std::string& name, json::Value value) {
    fields.push_back({name, std::move(value), false});
    return *this;
  }
  Record& AddMachine(const std::string& name, json::Value value) {
    fields.push_back({name, std::move(value), true});
    return *this;
  }
};

struct Column {
  std::string name;
  bool machine_only = false;
};

struct Listing {
  std::vector<Column> columns;
  std::vector<std::vector<json::Value>> rows;  // each as long as `columns`
};

}  // namespace protector::cli
