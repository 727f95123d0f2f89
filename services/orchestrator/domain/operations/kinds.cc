#include "services/orchestrator/domain/operations/kinds.h"

#include "services/orchestrator/domain/operations/basic_kind.h"

namespace protector::orchestrator {
namespace {

// A record of a newer program names a kind that this one does not know: it is held, not guessed.
class UnknownKind final : public TaskKind {
 public:
  Traits TraitsOf(const Run&, const op::TaskRecord&) const override {
    return {.changes = false, .on_failure = OnFailure::kOperation};
  }
  Work Act(const Run&, const op::TaskRecord& task) const override {
    return [kind = task.task().kind(), object = task.task().object()] {
      return Verdict::Contradiction("this program does not know tasks of kind " + kind, object,
                                    "Start the program version that began the operation.");
    };
  }
};

}  // namespace

Kinds::Kinds(const OperationContext& context) {
  AddValidateKinds(context, *this);
  AddReplicationKinds(context, *this);
  AddMetadataKinds(context, *this);
  AddSourceKinds(context, *this);
  AddStorageKinds(context, *this);
  AddVolumeKinds(context, *this);
  AddServerKinds(context, *this);
  Add("boot-order-gate",
      std::make_unique<SimpleKind>(
          context, Traits{.changes = false, .on_failure = OnFailure::kTolerated},
          [](const auto&, const auto&, const auto&, const auto&) { return [] { return Verdict::Done(); }; }));
}

const TaskKind& Kinds::Get(const std::string& kind) const {
  static const UnknownKind kUnknown;
  const auto found = kinds_.find(kind);
  return found == kinds_.end() ? static_cast<const TaskKind&>(kUnknown) : *found->second;
}

}  // namespace protector::orchestrator
