"""What is taken out of the product, one at a time, to see that the tests of a promise notice. Each is one edit of one file; the text to
be replaced has to be there exactly once, so that a mutation that no longer fits the code is an error and not a silent pass."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    promise: str
    what: str   # in words, for the table
    file: str
    old: str
    new: str
    tests: str  # pytest -k, in tests/e2e; at least one of them has to fail


MUTATIONS = [
    Mutation("P1", "the intent of a change is not written before the call is sent",
             "services/orchestrator/domain/engine/engine_turn.cc",
             "director_.OnIntent(run, index);\n      Touch(live, index);", "director_.OnIntent(run, index);", "p1_"),
    Mutation("P2", "an attempt without an answer is made again without looking for its effect",
             "services/orchestrator/domain/engine/engine_turn.cc",
             "if (record.phase() == op::ACTING) {", "if (record.phase() == op::WAITING) {", "p2_effects"),
    Mutation("P2", "a volume that exists already on the array is not adopted",
             "services/storage-pure/domain/cloner.cc",
             "if (!unknown && !ExistsAlready(last) && ClassOf(last) != ErrorClass::kConflict) return last;", "if (!unknown || unknown) return last;",
             "p2_array"),
    Mutation("P3", "operations that had not ended are forgotten at a restart",
             "services/orchestrator/domain/engine/engine.cc", "if (header.settled()) {", "if (header.settled() || !id.empty()) {", "p3_"),
    Mutation("P4", "an unknown outcome is taken for a failure before the effect",
             "services/orchestrator/domain/engine/engine_judge.cc",
             "record.mutable_task()->set_outcome(op::UNKNOWN);\n", "record.mutable_task()->set_outcome(op::NOT_DONE);\n", "p4_"),
    Mutation("P5", "the orchestrator does not compare the epoch of a call",
             "services/orchestrator/domain/authority/authority.cc",
             "if (authority.epoch() < stored.epoch) return", "if (authority.epoch() < 0) return", "p5_"),
    Mutation("P5", "storage-pure does not compare the epoch of a call",
             "services/storage-pure/domain/authority.cc", "if (authority.epoch() < seen) {", "if (authority.epoch() < 0) {", "p5_"),
    Mutation("P5", "metadata-sync does not compare the epoch of a commit",
             "services/metadata-sync/domain/chain.cc",
             "if (document.epoch() < head.epoch()) return", "if (document.epoch() < 0) return", "p5_"),
    Mutation("P6", "a site that was overtaken does not look at itself when it returns",
             "services/orchestrator/domain/quarantine/quarantine.cc",
             "  if (group.primary == local) {\n", "  if (group.primary == local || !local.empty()) {\n", "p6_"),
    Mutation("P7", "the final recovery point does not wait for the servers to stop",
             "services/orchestrator/domain/operations/graph.cc",
             'builder.Group("final-snapshot", "recovery point of all volumes", snapshot)',
             'builder.Group("final-snapshot", "recovery point of all volumes", ready)', "p7_planned"),
    Mutation("P8", "a commit is acknowledged before the peer has it",
             "services/metadata-sync/domain/commit.cc",
             "if (!reachable) return CommitAlone(head, version, document, request);",
             "if (reachable || !reachable) return CommitAlone(head, version, document, request);", "p8_"),
    Mutation("P8", "sites with different histories agree on one of them by themselves",
             "services/metadata-sync/domain/synchroniser.cc",
             "case Relation::kDiverged:\n      return Diverged(group, local.head, remote);",
             "case Relation::kDiverged:\n      return ForceDiverged(group, local.head, remote).status();", "p8_"),
    Mutation("P9", "a failback does not ask whether replication back works",
             "services/orchestrator/domain/operations/starter.cc",
             "if (wish.type != op::FAILBACK) return absl::OkStatus();\n  PROTECTOR_ASSIGN",
             "if (wish.type != op::OPERATION_TYPE_UNSPECIFIED) return absl::OkStatus();\n  PROTECTOR_ASSIGN", "p9_failback"),
    Mutation("P10", "the ports of a member are left when it is cleaned away",
             "services/orchestrator/domain/operations/graph.cc",
             "const bool owned = p < placement.port_owned_size() && placement.port_owned(p);", "const bool owned = p < 0;", "p10_no_residue_after_a_round"),
    Mutation("P11", "a problem does not say its remedy",
             "services/orchestrator/domain/engine/engine_judge.cc", "  problem.set_remedy(detail.remedy);\n", "", "p11_"),
    Mutation("users", "operations of another project are shown",
             "services/orchestrator/domain/engine/engine.cc", "return viewer->Owns(operation.projects());", "return viewer->Owns(operation.projects()) || viewer.has_value();", "another_project"),
    Mutation("users", "groups of another project are shown to who knows their id",
             "services/orchestrator/domain/groups/groups.cc",
             "const bool others = answer.ok() && call.tenant && !call.tenant->Owns(answer->document().projects());", "const bool others = false;",
             "another_project"),
    Mutation("users", "the policy allows everything",
             "libs/users/users.cc", "if (policy->Allows(rule, user)) return absl::OkStatus();", "if (!rule.empty()) return absl::OkStatus();", "reader_looks"),
    Mutation("users", "what Keystone said of a token counts for ever",
             "libs/users/users.cc", "clock_.Monotonic() < found->second.until ?", "found->second.user != nullptr ?", "no_token_a_wrong"),
    Mutation("users", "a request may name any project",
             "services/orchestrator/domain/tenant_project.h", "  if (fits) return own;\n", "  if (fits || !own.empty()) return own;\n", "forged_project"),
    Mutation("users", "a request id answers whoever sends it",
             "services/orchestrator/domain/operations/starter.cc",
             "if (!call.tenant || call.tenant->Owns(known->projects())) return known;", "if (known.ok()) return known;", "request_id_of_another"),
    Mutation("record", "the chain is not looked at",
             "libs/audit/audit_log.cc", "if (!sealed || HashOf(before, number, sealed->bytes) != sealed->hash) {", "if (!sealed) {", "whatever_is_done"),
    Mutation("record", "what the other site noted is not looked at",
             "libs/audit/audit.cc", "found.set_intact(false);\n", "", "whatever_is_done"),
    Mutation("record", "a change is made although it is not on record",
             "libs/grpc/host.cc", "PROTECTOR_ASSIGN_OR_RETURN(const int64_t begun, state_->audit->Begin(call, request));",
             "const int64_t begun = state_->audit->Begin(call, request).value_or(0);", "cannot_be_put_on_record"),
]
