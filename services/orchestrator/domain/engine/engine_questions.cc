// What is asked of the engine: one operation, lists of them.
#include <fmt/format.h>

#include <algorithm>

#include "libs/base/error.h"
#include "services/orchestrator/domain/engine/engine.h"
#include "services/orchestrator/domain/engine/view.h"
#include "services/orchestrator/domain/times.h"

namespace protector::orchestrator {
namespace {

absl::Status NotFound(const std::string& id) {
  return Error(absl::StatusCode::kNotFound, "OPERATION_NOT_FOUND",
               fmt::format("there is no operation {} on this site", id))
      .Object("operation " + id)
      .Remedy("List the operations. An operation is kept by the site that the group was moved to.");
}

}  // namespace

absl::StatusOr<std::string> Engine::Resolve(const std::string& id_or_prefix, const Viewer& viewer) {
  const auto visible = [&](const std::string& id) {
    if (!viewer) return true;
    const Live* live = Find(id);
    const op::Operation& operation = live != nullptr ? live->run->operation() : archive_.cards().at(id);
    return viewer->Owns(operation.projects());
  };
  if (live_.count(id_or_prefix) > 0 || archive_.cards().count(id_or_prefix) > 0) {
    if (visible(id_or_prefix)) return id_or_prefix;
    return NotFound(id_or_prefix);
  }
  std::string prefix = id_or_prefix;
  if (prefix.rfind("op-", 0) != 0) prefix = "op-" + prefix;
  std::vector<std::string> matches;
  const auto collect = [&](const auto& map) {
    for (auto it = map.lower_bound(prefix); it != map.end() && it->first.rfind(prefix, 0) == 0; ++it) {
      if (visible(it->first)) matches.push_back(it->first);
    }
  };
  if (prefix.size() >= 11) {
    collect(live_);
    collect(archive_.cards());
  }
  if (matches.size() > 1) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT",
                 fmt::format("{} is the beginning of {} operations", id_or_prefix, matches.size()))
        .Object("operation " + id_or_prefix)
        .Remedy("Give more of the id.");
  }
  if (matches.empty()) return NotFound(id_or_prefix);
  return matches.front();
}

op::Operation Engine::Shown(Live& live, bool with_tasks) {
  live.run->Account(clock_.Monotonic());
  live.run->StoreSpent();
  return MakeView(*live.run, director_, with_tasks);
}

absl::StatusOr<op::Operation> Engine::Get(const std::string& id, bool with_tasks, const Viewer& viewer) {
  std::lock_guard lock(state_mutex_);
  PROTECTOR_ASSIGN_OR_RETURN(const std::string resolved, Resolve(id, viewer));
  if (Live* live = Find(resolved)) return Shown(*live, with_tasks);
  const op::Operation& card = archive_.cards().at(resolved);
  if (!with_tasks) return Archived(card);
  PROTECTOR_ASSIGN_OR_RETURN(op::OperationRecord header, archive_.Read(card));
  PROTECTOR_ASSIGN_OR_RETURN(const std::unique_ptr<Run> run, journal_.LoadRun(std::move(header)));
  return MakeView(*run, director_, true);
}

absl::StatusOr<op::Operation> Engine::Archived(const op::Operation& card) const {
  PROTECTOR_ASSIGN_OR_RETURN(op::OperationRecord header, archive_.Read(card));
  return std::move(*header.mutable_operation());
}

absl::StatusOr<Engine::Listing> Engine::List(const std::function<bool(const op::Operation&)>& wanted,
                                             const std::string& after, size_t most) {
  Listing listing;
  std::vector<bool> settled;
  {
    std::lock_guard lock(state_mutex_);
    PROTECTOR_ASSIGN_OR_RETURN(const std::vector<std::string> ids, Sorted(wanted, after));
    for (const std::string& id : ids) {
      listing.more = listing.operations.size() == most;
      if (listing.more) break;
      Live* live = Find(id);
      settled.push_back(live == nullptr);
      listing.operations.push_back(live != nullptr ? Shown(*live, false) : archive_.cards().at(id));
    }
  }
  // The disk is read without the lock: a long list holds no operation up.
  for (size_t i = 0; i < settled.size(); ++i) {
    if (!settled[i]) continue;
    PROTECTOR_ASSIGN_OR_RETURN(listing.operations[i], Archived(listing.operations[i]));
  }
  return listing;
}

absl::StatusOr<std::vector<std::string>> Engine::Sorted(const std::function<bool(const op::Operation&)>& wanted,
                                                        const std::string& after) const {
  std::vector<std::pair<absl::Time, std::string>> found;
  const auto collect = [&](const op::Operation& one) {
    if (wanted(one)) found.emplace_back(FromProto(one.start_time()), one.id());
  };
  for (const auto& [id, live] : live_) collect(live.run->operation());
  for (const auto& [id, card] : archive_.cards()) collect(card);
  std::sort(found.rbegin(), found.rend());
  std::vector<std::string> ids;
  bool begun = after.empty();
  for (const auto& [started, id] : found) {
    if (begun) ids.push_back(id);
    begun = begun || id == after;
  }
  if (begun) return ids;
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT", "page_token is not of this list")
      .Remedy("Start again without a token.");
}

absl::StatusOr<op::Operation> Engine::FindRequest(const std::string& request_id) {
  std::string id;
  {
    std::lock_guard lock(state_mutex_);
    const auto known = by_request_.find(request_id);
    if (request_id.empty() || known == by_request_.end()) return NotFound(request_id);
    id = known->second;
  }
  return Get(id, false);
}

std::string Engine::LiveOperationOf(const std::string& group_id) {
  std::lock_guard lock(state_mutex_);
  for (const auto& [id, live] : live_) {
    if (live.run->operation().group_id() == group_id && !Ended(live.run->operation().state())) return id;
  }
  return "";
}

}  // namespace protector::orchestrator
