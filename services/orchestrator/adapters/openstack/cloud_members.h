#pragma once
// This site's cloud as the source of new members.
//
// Threads: safe for all. Ownership: the cloud outlives it. Failure: see member_source.h.

#include <memory>

#include "services/orchestrator/adapters/openstack/local_cloud.h"
#include "services/orchestrator/domain/groups/member_source.h"

namespace protector::orchestrator {

std::unique_ptr<MemberSource> MakeCloudMembers(LocalCloud& cloud);

}  // namespace protector::orchestrator
