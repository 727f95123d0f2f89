#pragma once
// What was given on the command line, after parsing: values by the option's name without its dashes.
//
// Threads: values. Failure: typed getters return a USAGE error that names the option.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace protector::cli {

class Arguments {
 public:
  void Add(const std::string& name, const std::string& value) { values_[name].push_back(value); }

  bool Has(const std::string& name) const { return values_.count(name) > 0; }
  // The value (of a flag: "true"); `otherwise` when it was not given.
  std::string Get(const std::string& name, const std::string& otherwise = "") const;
  std::vector<std::string> All(const std::string& name) const;
  // A whole number of minimum..maximum; `otherwise` when it was not given.
  absl::StatusOr<int64_t> Int(const std::string& name, int64_t otherwise, int64_t minimum, int64_t maximum) const;

 private:
  std::map<std::string, std::vector<std::string>> values_;
};

}  // namespace protector::cli
