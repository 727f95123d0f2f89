#pragma once
// What the kinds of task work with.
//
// Threads: read only after start. Ownership: everything outlives it. Failure: none.

#include "absl/time/time.h"
#include "libs/base/clock.h"
#include "services/orchestrator/domain/engine/run.h"
#include "services/orchestrator/domain/groups/rules.h"
#include "services/orchestrator/ports/site_ports.h"
#include "services/orchestrator/ports/sites_port.h"
#include "services/orchestrator/ports/target_cloud_port.h"

namespace protector::orchestrator {

struct OperationTimeouts {
  absl::Duration call = absl::Seconds(30);        // one change or question
  absl::Duration big_call = absl::Minutes(3);     // captures and plans of whole groups
  absl::Duration lost_site = absl::Seconds(5);    // asking a site that is probably gone
  absl::Duration transfer = absl::Hours(8);       // of a recovery point
  absl::Duration boot = absl::Minutes(15);        // BUILD to ACTIVE
  absl::Duration import = absl::Minutes(15);      // CREATING to AVAILABLE
  absl::Duration hard_stop = absl::Minutes(10);   // after the guest's own time
  absl::Duration clock_skew = absl::Seconds(30);  // between the sites, before a warning
};

struct OperationContext {
  PortsFactory& ports;
  SitesPort& sites;
  TargetCloudPort& target;
  Clock& clock;
  OperationTimeouts timeouts = {};
};

// Names of an operation's sites, arrays and storage that many kinds need, copied for a work.
struct Names {
  std::string operation;
  std::string group_id;
  std::string source;
  std::string target;
  std::string project;  // on the target
  groups::ReplicationType type = groups::ASYNC;
  std::string storage;  // protection group or pod on the source
  int64_t epoch = 0;    // the one that changes carry now
};
Names NamesOf(const Run& run);
storage::Authority AuthorityOf(const Names& names);

// Marks and names by which effects are found again. The same for every attempt on the same object of the same
// operation.
std::string MarkOf(const Run& run, const std::string& kind, const std::string& member_id, int index);

std::string TaskId(const std::string& step, const std::string& kind, const std::string& object = "");

}  // namespace protector::orchestrator
