#pragma once
// What several sites said to the same request: a row for each, and the verdict on all.
//
// Threads: values. Failure: Verdict is OK when every site did it (or had it already), PARTLY_DONE when some did.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/protector/output/record.h"

namespace protector::cli {

class SiteResults {
 public:
  void Done(const std::string& site, const std::string& object, const std::string& result,
            const std::string& detail = "");
  // The site's registry has it already, the same.
  void Already(const std::string& site, const std::string& object, const std::string& detail = "");
  void Failed(const std::string& site, const std::string& object, const absl::Status& status);

  Listing Table() const;  // object, site, result, detail
  // `all_already`: what to answer when there was nothing to do anywhere; OK to accept it.
  absl::Status Verdict(const std::string& remedy, const absl::Status& all_already = absl::OkStatus()) const;

 private:
  struct Row {
    std::string site;
    std::string object;
    std::string result;
    std::string detail;
  };
  std::vector<Row> rows_;
  int done_ = 0;
  int already_ = 0;
  std::vector<absl::Status> failures_;
};

}  // namespace protector::cli
