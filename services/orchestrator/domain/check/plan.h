#pragma once
// The readiness check of a target site: resolves a group's mappings against what the cloud there has, and says for
// every member what will be asked for. A missing or wrong mapping is found here, not during the disaster.
//
// Threads: pure functions. Failure: none; what is wrong is a finding (BLOCKER refuses the operation, WARNING is shown).

#include <string>
#include <vector>

#include "protector/operation/v1/record.pb.h"
#include "protector/peer/v1/peer.pb.h"
#include "services/orchestrator/domain/check/inventory.h"
#include "services/orchestrator/ports/target_cloud_port.h"

namespace protector::orchestrator {

// Checks the members named (all when none is) and plans those that can be planned. Every check that passed is a finding
// too.
MembersPlan PlanMembers(const peer::CheckTargetRequest& request, const Inventory& inventory);

// Is `address` (IPv4 or IPv6 text) within `cidr`? False for text that is neither.
bool AddressInRange(const std::string& address, const std::string& cidr);

// Descriptions of ports, names of volumes that this product made begin so.
bool IsOurMark(const std::string& text);

}  // namespace protector::orchestrator
