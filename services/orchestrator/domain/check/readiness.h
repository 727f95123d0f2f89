#pragma once
// Readiness of a group for a move now: sites, metadata, replication, recovery point against the RPO, and the target's
// cloud. What GroupService.CheckGroup answers, and what an operator runs before anything happens.
//
// Threads: safe for all. Ownership: everything passed in outlives it. Failure: only when the group itself cannot be
// read; whatever does not answer is a finding. Changes nothing.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "protector/operation/v1/operation.pb.h"
#include "services/orchestrator/ports/site_ports.h"
#include "services/orchestrator/ports/sites_port.h"

namespace protector::orchestrator {

class Readiness {
 public:
  Readiness(SitesPort& sites, PortsFactory& ports, Clock& clock) : sites_(sites), ports_(ports), clock_(clock) {}

  // `mappings` on top of the stored ones of the direction; target_site empty: the one that is not primary.
  absl::StatusOr<op::CheckGroupResponse> Check(const Call& call, const groups::GroupDocument& group,
                                               const std::vector<groups::Mapping>& mappings,
                                               const std::string& target_site);

 private:
  SitesPort& sites_;
  PortsFactory& ports_;
  Clock& clock_;
};

}  // namespace protector::orchestrator
