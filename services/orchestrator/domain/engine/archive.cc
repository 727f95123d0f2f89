#include "services/orchestrator/domain/engine/archive.h"

#include "libs/base/error.h"

namespace protector::orchestrator {

void Archive::Add(const op::OperationRecord& header) {
  const op::Operation& operation = header.operation();
  op::Operation card;
  card.set_id(operation.id());
  card.set_type(operation.type());
  card.set_state(operation.state());
  card.set_group_id(operation.group_id());
  card.set_group_name(operation.group_name());
  *card.mutable_start_time() = operation.start_time();
  *card.mutable_end_time() = operation.end_time();
  card.set_revision(operation.revision());
  *card.mutable_projects() = operation.projects();
  cards_[operation.id()] = std::move(card);
}

absl::StatusOr<op::OperationRecord> Archive::Read(const op::Operation& card) const {
  PROTECTOR_ASSIGN_OR_RETURN(op::OperationRecord header, journal_.LoadHeader(card.id()));
  // Both may be newer than what was written: one counts what was shown, the other is found out when an old journal is
  // read.
  header.mutable_operation()->set_revision(card.revision());
  *header.mutable_operation()->mutable_projects() = card.projects();
  return header;
}

}  // namespace protector::orchestrator
