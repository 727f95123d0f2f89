#pragma once
// The way into an operation: finds the group, refuses what must not begin (with the remedy), and hands the engine a
// header, the document and the first tasks.
//
// Threads: any. Ownership: everything handed in outlives it. Failure: the reasons of operation.proto.

#include "libs/base/ids.h"
#include "services/orchestrator/domain/engine/engine.h"
#include "services/orchestrator/domain/operations/context.h"

namespace protector::orchestrator {

class Starter {
 public:
  Starter(const OperationContext& context, Engine& engine, IdGenerator& ids)
      : context_(context), engine_(engine), ids_(ids) {}

  absl::StatusOr<op::Operation> StartFailover(const Call& call, const op::StartFailoverRequest& request);
  absl::StatusOr<op::Operation> StartFailback(const Call& call, const op::StartFailbackRequest& request);
  // The head of a group named by id, or by name within a project of this site.
  absl::StatusOr<metadata::GetDocumentResponse> FindGroup(const Call& call, const std::string& group,
                                                          const op::Project& project);

 private:
  struct Wish {
    op::OperationType type;
    std::string group;
    op::Project project;
    std::vector<groups::Mapping> mappings;
    bool force = false;
    bool reverse_replication = false;
    bool accept_data_loss = false;
    std::string recovery_point;
    std::string request_id;
    bool validate_only = false;
  };
  absl::StatusOr<op::Operation> Start(const Call& call, const Wish& wish);
  absl::Status CheckRepeat(const groups::GroupDocument& document, const std::string& request_id);
  absl::Status CheckStatus(const groups::GroupDocument& document, op::OperationType type);
  absl::Status CheckSites(const Call& call, const groups::GroupDocument& document, const std::string& source);
  absl::Status CheckTarget(const Call& call, const groups::GroupDocument& document, const Wish& wish,
                           const groups::MappingSet& mappings, op::Operation& operation);
  void WarnOfSource(const Call& call, int64_t version, op::Operation& operation);
  absl::Status ChooseReplication(const Call& call, const groups::GroupDocument& document, const std::string& source,
                                 const Wish& wish, op::OperationRecord& header);

  const OperationContext& context_;
  Engine& engine_;
  IdGenerator& ids_;
};

}  // namespace protector::orchestrator
