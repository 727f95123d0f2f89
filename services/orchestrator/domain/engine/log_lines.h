#pragma once
// What an operation leaves in the log: one line when it is accepted, one for each task that has ended or is tried
// again, one when it has ended. They carry the same fields as the calls that were made for a task, on either site.
//
// Threads: functions. Failure: none.

#include <string>

#include "libs/base/purpose.h"
#include "libs/log/log.h"
#include "services/orchestrator/domain/engine/run.h"

namespace protector::orchestrator {

// The epoch that changes of the operation carry at present.
int64_t EpochNow(const Run& run);
Purpose PurposeOf(const Run& run, const op::TaskRecord& record);

// "planned_failover of prod-web-app from site-a to site-b, completed": as decisions are noted.
std::string DescriptionOf(const Run& run);

void LogAccepted(const log::Logger& logger, const Run& run);
void LogSettled(const log::Logger& logger, const Run& run, const op::TaskRecord& record);
void LogRetry(const log::Logger& logger, const Run& run, const op::TaskRecord& record, const absl::Status& why);
void LogEnded(const log::Logger& logger, const Run& run);

}  // namespace protector::orchestrator
