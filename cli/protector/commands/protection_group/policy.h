#pragma once
// The policy's fields as options.
//
// Threads: pure functions. Failure: USAGE errors.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/protector/args/arguments.h"
#include "cli/protector/args/spec.h"
#include "protector/group/v1/group.pb.h"

namespace protector::cli {

std::vector<Option> PolicyOptions();

struct PolicyChange {
  protector::group::v1::Policy policy;
  std::vector<std::string> fields;  // those that were given
  bool stop_immediately = false;    // --stop-timeout 0
};

absl::StatusOr<PolicyChange> ParsePolicy(const Arguments& arguments);

}  // namespace protector::cli
