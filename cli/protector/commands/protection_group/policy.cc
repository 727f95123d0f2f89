#include "cli/protector/commands/protection_group/policy.h"

#include "cli/protector/args/input.h"
#include "libs/base/error.h"

namespace protector::cli {
namespace {

struct NumberField {
  const char* option;
  const char* field;
  const char* value;
  const char* help;
  int64_t minimum;
  void (protector::group::v1::Policy::*set)(int32_t);
};

using Policy = protector::group::v1::Policy;

constexpr NumberField kNumbers[] = {
    {"replication-interval", "replication_interval", "SECONDS",
     "Between two replicated snapshots (async; default 300).", 1, &Policy::set_replication_interval},
    {"rpo-minutes", "rpo_minutes", "MINUTES", "Readiness warns when the newest recovery point is older (default 15).",
     1, &Policy::set_rpo_minutes},
    {"stop-timeout", "stop_timeout", "SECONDS",
     "Time a guest is given to shut down before it is stopped hard (default 60; 0: none).", 0,
     &Policy::set_stop_timeout},
    {"source-retention", "source_retention", "SECONDS", "How long the source array keeps snapshots (default 86400).", 1,
     &Policy::set_source_retention},
    {"target-retention", "target_retention", "SECONDS", "How long the target array keeps them (default 86400).", 1,
     &Policy::set_target_retention},
};

}  // namespace

std::vector<Option> PolicyOptions() {
  std::vector<Option> options;
  for (const NumberField& number : kNumbers) {
    options.push_back({.name = std::string("--") + number.option, .value = number.value, .help = number.help});
  }
  options.push_back({.name = "--pure-pg-name",
                     .value = "NAME",
                     .help = "FlashArray protection group or pod (default \"pg-\" and the group's name)."});
  return options;
}

absl::StatusOr<PolicyChange> ParsePolicy(const Arguments& arguments) {
  PolicyChange change;
  for (const NumberField& number : kNumbers) {
    if (!arguments.Has(number.option)) continue;
    PROTECTOR_ASSIGN_OR_RETURN(const int64_t value, arguments.Int(number.option, 0, number.minimum, INT32_MAX));
    (change.policy.*number.set)(static_cast<int32_t>(value));
    change.fields.emplace_back(number.field);
    if (value == 0) change.stop_immediately = true;
  }
  if (arguments.Has("pure-pg-name")) {
    PROTECTOR_RETURN_IF_ERROR(CheckNewName("FlashArray protection group or pod", arguments.Get("pure-pg-name")));
    change.policy.set_pure_pg_name(arguments.Get("pure-pg-name"));
    change.fields.emplace_back("pure_pg_name");
  }
  return change;
}

}  // namespace protector::cli
