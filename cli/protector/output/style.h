#pragma once
// How to show it: the user's -f, -c, --sort-column, --max-width, --noindent, and what the terminal says.
//
// Threads: values.

#include <string>
#include <vector>

namespace protector::cli {

struct Style {
  std::string format = "table";           // table, json, yaml, value; csv (lists), shell (one object)
  std::vector<std::string> columns;       // -c, in the order given; empty: all
  std::vector<std::string> sort_columns;  // lists only
  bool sort_descending = false;
  int max_width = 0;      // of a table; 0: as wide as it needs
  bool noindent = false;  // json on one line
};

}  // namespace protector::cli
