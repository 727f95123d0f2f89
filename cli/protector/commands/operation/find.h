#pragma once
// Operations live on the site that ran them; these look on both.
//
// Threads: ask the sites side by side, on threads that have ended on return. Failure: OPERATION_NOT_FOUND only if every
// site said so; with a site that does not answer it is SERVICE_UNREACHABLE.

#include <string>
#include <vector>

#include "cli/protector/client/orchestrators.h"
#include "cli/protector/client/sites.h"
#include "cli/protector/commands/context.h"

namespace protector::cli {

struct FoundOperation {
  op_pb::Operation operation;
  SiteAddress site;
  ProjectRef project;
};

absl::StatusOr<FoundOperation> FindOperation(Context& context, Session& session, const std::string& id,
                                             bool with_tasks);

// Of both sites, newest first; a site that does not answer is warned about. An error only if none answers.
absl::StatusOr<std::vector<op_pb::Operation>> ListOperationsEverywhere(Context& context, Session& session,
                                                                       const op_pb::ListOperationsRequest& request,
                                                                       bool all_projects, size_t limit);

// The positional argument "operation", checked.
absl::StatusOr<std::string> OperationArgument(const Context& context);

}  // namespace protector::cli
