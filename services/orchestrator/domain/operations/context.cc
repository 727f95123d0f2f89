#include "services/orchestrator/domain/operations/context.h"

#include <fmt/format.h>

#include "libs/base/ids.h"

namespace protector::orchestrator {

Names NamesOf(const Run& run) {
  const op::Operation& operation = run.operation();
  const groups::GroupDocument& document = run.document();
  Names names;
  names.operation = operation.id();
  names.group_id = operation.group_id();
  names.source = operation.source_site();
  names.target = operation.target_site();
  const auto project = document.projects().find(names.target);
  if (project != document.projects().end()) names.project = project->second;
  names.type = document.replication_type();
  names.storage = StorageName(document, names.source);
  names.epoch = operation.epoch() + (operation.past_point_of_no_return() ? 1 : 0);
  return names;
}

storage::Authority AuthorityOf(const Names& names) {
  storage::Authority authority;
  authority.set_group_id(names.group_id);
  authority.set_epoch(names.epoch);
  authority.set_operation_id(names.operation);
  return authority;
}

std::string MarkOf(const Run& run, const std::string& kind, const std::string& member_id, int index) {
  return "protector-" +
         DerivedMark(fmt::format("{}|{}|{}|{}|{}", run.operation().group_id(), run.id(), kind, member_id, index), 24);
}

std::string TaskId(const std::string& step, const std::string& kind, const std::string& object) {
  return object.empty() ? fmt::format("{}/{}", step, kind) : fmt::format("{}/{}/{}", step, kind, object);
}

}  // namespace protector::orchestrator
