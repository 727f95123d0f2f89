#include "services/orchestrator/adapters/openstack/local_cloud.h"

#include <fmt/format.h>

#include "libs/base/error.h"
#include "libs/http/client.h"

namespace protector::orchestrator {

absl::StatusOr<std::shared_ptr<openstack::Cloud>> LocalCloud::ForProject(const std::string& project_id) {
  auto scoped = cloud_->ForProject(project_id);
  if (scoped.status().code() == absl::StatusCode::kFailedPrecondition) return cloud_;
  return scoped;
}

absl::StatusOr<group::v1::GroupDocument> LocalCloud::Document(const Call& call, const std::string& group_id) {
  metadata::GetDocumentRequest request;
  request.set_group_id(group_id);
  PROTECTOR_ASSIGN_OR_RETURN(const auto answer, metadata_.GetDocument(call, request));
  return answer.document();
}

absl::StatusOr<std::shared_ptr<openstack::Cloud>> LocalCloud::ForGroup(const Call& call, const std::string& group_id) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = projects_.find(group_id); known != projects_.end()) return ForProject(known->second);
  }
  PROTECTOR_ASSIGN_OR_RETURN(const auto document, Document(call, group_id));
  const auto project = document.projects().find(site_);
  if (project == document.projects().end()) {
    return Error(absl::StatusCode::kFailedPrecondition, "TENANT_MAPPING_NOT_FOUND",
                 fmt::format("protection group {} has no project on {}", document.name(), site_))
        .Object("protection group " + document.name())
        .Remedy("The group's document is damaged: compare `protector protection-group history` of both sites.");
  }
  {
    const std::lock_guard lock(mutex_);
    projects_[group_id] = project->second;
  }
  return ForProject(project->second);
}

openstack::CallContext LocalCloud::Context(const Call& call) const {
  openstack::CallContext context;
  context.deadline = clock_.Now() + call.timeout;
  context.request_id = call.request_id;
  context.purpose = call.purpose;
  return context;
}

absl::Status MarkUnknown(const absl::Status& status) {
  if (status.ok() || !http::OutcomeUnknown(status)) return status;
  ErrorDetail detail = DetailOf(status);
  detail.reason = "OUTCOME_UNKNOWN";
  return WithDetail(absl::Status(absl::StatusCode::kUnavailable, status.message()), detail);
}

}  // namespace protector::orchestrator
