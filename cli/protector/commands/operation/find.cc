#include "cli/protector/commands/operation/find.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <thread>

#include "cli/protector/args/input.h"
#include "cli/protector/args/usage.h"
#include "cli/protector/commands/protection_group/group_calls.h"
#include "libs/base/error.h"

namespace protector::cli {
namespace {

using Operations = op_pb::OperationService;

// Runs `ask` for every site at once; the results are in the sites' order.
template <typename Result>
std::vector<Result> AskAll(const std::vector<SiteAddress>& sites, const std::function<Result(size_t)>& ask) {
  std::vector<std::optional<Result>> results(sites.size());
  std::vector<std::thread> threads;
  for (size_t i = 1; i < sites.size(); ++i) threads.emplace_back([&, i] { results[i].emplace(ask(i)); });
  if (!sites.empty()) results[0].emplace(ask(0));
  for (std::thread& thread : threads) thread.join();
  std::vector<Result> out;
  for (auto& result : results) out.push_back(*std::move(result));
  return out;
}

std::vector<ProjectRef> ProjectsAt(Session& session, const std::vector<SiteAddress>& sites, absl::Status& failed) {
  std::vector<ProjectRef> projects;
  for (const SiteAddress& site : sites) {
    const auto project = ProjectAt(session, site);
    if (!project.ok() && site.local) failed = project.status();
    projects.push_back(project.ok() ? *project : ProjectRef());
  }
  return projects;
}

}  // namespace

absl::StatusOr<std::string> OperationArgument(const Context& context) {
  const std::string id = context.arguments.Get("operation");
  PROTECTOR_RETURN_IF_ERROR(CheckReference("operation", id));
  if (id.starts_with("op-") && id.size() >= 11) return id;
  return UsageError(fmt::format("'{}' is not the id of an operation", id))
      .Remedy(
          "An id begins with op- and at least 8 characters have to be given; `protector operation list` shows them.");
}

absl::StatusOr<FoundOperation> FindOperation(Context& context, Session& session, const std::string& id,
                                             bool with_tasks) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<SiteAddress> sites, FindSites(session));
  absl::Status no_project;
  const std::vector<ProjectRef> projects = ProjectsAt(session, sites, no_project);
  PROTECTOR_RETURN_IF_ERROR(no_project);
  const auto answers = AskAll<absl::StatusOr<op_pb::Operation>>(sites, [&](size_t i) {
    op_pb::GetOperationRequest request;
    request.set_id(id);
    request.set_with_tasks(with_tasks);
    CallHow how;
    how.project = projects[i];
    return session.Call<Operations>(sites[i], &Operations::StubInterface::GetOperation, "GetOperation", request, how);
  });
  absl::Status refused, silent;
  for (size_t i = 0; i < sites.size(); ++i) {
    if (answers[i].ok()) return FoundOperation{*answers[i], sites[i], projects[i]};
    if (NoAnswer(answers[i].status())) {
      silent = answers[i].status();
      context.Warn(fmt::format("site {} does not answer; its operations cannot be seen", Label(sites[i])));
    } else if (refused.ok() || answers[i].status().code() != absl::StatusCode::kNotFound) {
      refused = answers[i].status();
    }
  }
  if (!silent.ok() && (refused.ok() || refused.code() == absl::StatusCode::kNotFound)) return silent;
  return refused;
}

absl::StatusOr<std::vector<op_pb::Operation>> ListOperationsEverywhere(Context& context, Session& session,
                                                                       const op_pb::ListOperationsRequest& request,
                                                                       bool all_projects, size_t limit) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<SiteAddress> sites, FindSites(session));
  absl::Status no_project;
  std::vector<ProjectRef> projects(sites.size());
  if (!all_projects) projects = ProjectsAt(session, sites, no_project);
  PROTECTOR_RETURN_IF_ERROR(no_project);
  using Answer = absl::StatusOr<std::vector<op_pb::Operation>>;
  const auto answers = AskAll<Answer>(sites, [&](size_t i) -> Answer {
    op_pb::ListOperationsRequest own = request;
    if (!projects[i].empty()) SetProject(projects[i], own.mutable_project());
    own.set_page_size(static_cast<int32_t>(std::min<size_t>(limit, 100)));
    CallHow how;
    how.project = projects[i];
    std::vector<op_pb::Operation> operations;
    do {
      PROTECTOR_ASSIGN_OR_RETURN(
          const auto page,
          (session.Call<Operations>(sites[i], &Operations::StubInterface::ListOperations, "ListOperations", own, how)));
      operations.insert(operations.end(), page.operations().begin(), page.operations().end());
      own.set_page_token(page.next_page_token());
    } while (!own.page_token().empty() && operations.size() < limit);
    return operations;
  });
  std::map<std::string, op_pb::Operation> by_id;
  absl::Status failed;
  bool answered = false;
  for (size_t i = 0; i < sites.size(); ++i) {
    if (!answers[i].ok()) {
      if (!NoAnswer(answers[i].status()) && answers[i].status().code() != absl::StatusCode::kNotFound)
        return answers[i].status();
      if (failed.ok()) failed = answers[i].status();
      if (NoAnswer(answers[i].status()))
        context.Warn(fmt::format("site {} does not answer; its operations are missing here", Label(sites[i])));
      continue;
    }
    answered = true;
    for (const op_pb::Operation& operation : *answers[i]) by_id.emplace(operation.id(), operation);
  }
  if (!answered) return failed;
  std::vector<op_pb::Operation> operations;
  for (auto& [id, operation] : by_id) operations.push_back(std::move(operation));
  std::stable_sort(operations.begin(), operations.end(), [](const op_pb::Operation& a, const op_pb::Operation& b) {
    return std::pair(a.start_time().seconds(), a.start_time().nanos()) >
           std::pair(b.start_time().seconds(), b.start_time().nanos());
  });
  if (operations.size() > limit) operations.resize(limit);
  return operations;
}

}  // namespace protector::cli
