#pragma once
// The kinds of task that operations are made of. docs/operation-engine.md has the table of their idempotency: by what
// an effect is found again, and what a repeat does.
//
// Threads: as TaskKind. Ownership: the context outlives the kinds. Failure: verdicts.

#include <map>
#include <memory>
#include <string>

#include "services/orchestrator/domain/engine/task_kind.h"
#include "services/orchestrator/domain/operations/context.h"

namespace protector::orchestrator {

class Kinds {
 public:
  explicit Kinds(const OperationContext& context);
  const TaskKind& Get(const std::string& kind) const;

  void Add(const std::string& name, std::unique_ptr<TaskKind> kind) { kinds_[name] = std::move(kind); }

 private:
  std::map<std::string, std::unique_ptr<TaskKind>> kinds_;
};

// Each family registers its own.
void AddValidateKinds(const OperationContext& context, Kinds& kinds);     // check-*, capture-members
void AddReplicationKinds(const OperationContext& context, Kinds& kinds);  // recovery points, protection
void AddMetadataKinds(const OperationContext& context, Kinds& kinds);     // commits
void AddSourceKinds(const OperationContext& context, Kinds& kinds);       // servers, ports, volumes that are there
void AddStorageKinds(const OperationContext& context, Kinds& kinds);      // fences, materialize, retire
void AddVolumeKinds(const OperationContext& context, Kinds& kinds);       // import-volume, update-volume
void AddServerKinds(const OperationContext& context, Kinds& kinds);       // create-port, create-server, finish-server

}  // namespace protector::orchestrator
