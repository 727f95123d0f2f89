#include "services/metadata-sync/domain/synchroniser.h"

#include <fmt/format.h>

#include "libs/base/error.h"
#include "services/metadata-sync/domain/errors.h"

namespace protector::metadata_sync {
namespace {

constexpr int kPullBatch = 50;

}  // namespace

absl::StatusOr<pb::Head> Synchroniser::PeerHead(const std::string& group) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<pb::Head> heads, peer_.ListHeads({group}));
  for (const pb::Head& head : heads) {
    if (head.group_id() == group) return head;
  }
  pb::Head none;
  none.set_group_id(group);
  return none;
}

absl::StatusOr<Relation> Synchroniser::Relate(const pb::Head& local, const pb::Head& remote) {
  if (local.hash() == remote.hash()) return Relation::kEqual;
  if (remote.version() == 0) return Relation::kPeerBehind;
  if (local.version() == 0) return Relation::kPeerAhead;
  PROTECTOR_ASSIGN_OR_RETURN(const auto ours, repository_.OnChain(local.group_id(), remote.version(), remote.hash()));
  if (ours.has_value()) return Relation::kPeerBehind;
  if (remote.version() <= local.version()) return Relation::kDiverged;
  // Is our head one of the peer's versions?
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<pb::Version> theirs,
                             peer_.Export(local.group_id(), local.version() - 1, 1));
  const bool descends = !theirs.empty() && theirs.front().hash() == local.hash();
  return descends ? Relation::kPeerAhead : Relation::kDiverged;
}

absl::Status Synchroniser::SettleWith(const pb::Version& doubt, const pb::Head& remote) {
  bool peer_has_it = remote.hash() == doubt.hash();
  if (!peer_has_it && remote.version() > doubt.version()) {
    PROTECTOR_ASSIGN_OR_RETURN(const std::vector<pb::Version> theirs,
                               peer_.Export(doubt.group_id(), doubt.version() - 1, 1));
    peer_has_it = !theirs.empty() && theirs.front().hash() == doubt.hash();
  }
  logger_.Info(
      "version in doubt settled",
      {{"group", doubt.group_id()}, {"version", doubt.version()}, {"epoch", doubt.epoch()}, {"taken", peer_has_it}});
  if (!peer_has_it) return repository_.DropInDoubt(doubt.group_id());
  const absl::Status taken = replica_.Take(doubt, /*peer_has_it=*/remote.hash() == doubt.hash());
  if (taken.code() != absl::StatusCode::kAborted) return taken;
  // Something with a greater epoch arrived in between; what is in doubt can never become the head.
  return repository_.DropInDoubt(doubt.group_id());
}

absl::Status Synchroniser::Settle(const std::string& group) {
  PROTECTOR_ASSIGN_OR_RETURN(const auto doubt, repository_.InDoubt(group));
  if (!doubt.has_value()) return absl::OkStatus();
  PROTECTOR_ASSIGN_OR_RETURN(const pb::Head remote, PeerHead(group));
  return SettleWith(*doubt, remote);
}

absl::StatusOr<std::vector<pb::Version>> Synchroniser::Push(const std::string& group, int64_t after, bool force) {
  std::vector<pb::Version> sent;
  for (;;) {
    PROTECTOR_ASSIGN_OR_RETURN(const std::vector<pb::Version> versions, repository_.After(group, after, kPullBatch));
    if (versions.empty()) break;
    for (const pb::Version& version : versions) {
      PROTECTOR_ASSIGN_OR_RETURN(const pb::ApplyVersionResponse answer, peer_.Apply(version, force));
      PROTECTOR_ASSIGN_OR_RETURN(const StoredHead local, repository_.Head(group));
      switch (answer.result()) {
        case pb::ApplyVersionResponse::APPLIED:
        case pb::ApplyVersionResponse::ALREADY_HAD_IT:
          break;
        case pb::ApplyVersionResponse::REFUSED_STALE_EPOCH:
          return StaleEpoch(answer.head(), version.epoch());
        default:
          return Diverged(group, local.head, answer.head());
      }
      after = version.version();
      sent.push_back(version);
      sent.back().clear_content();
      if (answer.head().hash() == local.head.hash()) {
        PROTECTOR_ASSIGN_OR_RETURN(const pb::SyncStatus in_sync, replica_.InSync(local.head));
        PROTECTOR_RETURN_IF_ERROR(repository_.SaveSync(in_sync));
      }
    }
  }
  PROTECTOR_RETURN_IF_ERROR(repository_.MarkPeerHas(group, sent));
  return sent;
}

absl::Status Synchroniser::Pull(const std::string& group) {
  for (;;) {
    PROTECTOR_ASSIGN_OR_RETURN(const StoredHead local, repository_.Head(group));
    PROTECTOR_ASSIGN_OR_RETURN(const std::vector<pb::Version> theirs,
                               peer_.Export(group, local.head.version(), kPullBatch));
    if (theirs.empty()) return absl::OkStatus();
    for (const pb::Version& version : theirs) {
      PROTECTOR_ASSIGN_OR_RETURN(const pb::ApplyVersionResponse result, replica_.Apply(version, false, PeerName()));
      if (result.result() == pb::ApplyVersionResponse::APPLIED ||
          result.result() == pb::ApplyVersionResponse::ALREADY_HAD_IT) {
        continue;
      }
      return Diverged(group, result.head(), HeadOf(theirs.back()));
    }
    logger_.Info("versions taken from the peer",
                 {{"group", group}, {"version", theirs.back().version()}, {"epoch", theirs.back().epoch()}});
  }
}

absl::Status Synchroniser::Align(const std::string& group) {
  PROTECTOR_RETURN_IF_ERROR(Settle(group));
  PROTECTOR_ASSIGN_OR_RETURN(const pb::Head remote, PeerHead(group));
  PROTECTOR_ASSIGN_OR_RETURN(const StoredHead local, repository_.Head(group));
  PROTECTOR_ASSIGN_OR_RETURN(const Relation relation, Relate(local.head, remote));
  switch (relation) {
    case Relation::kEqual:
      return absl::OkStatus();
    case Relation::kPeerBehind:
      return Push(group, remote.version(), false).status();
    case Relation::kPeerAhead:
      return Pull(group);
    case Relation::kDiverged:
      return Diverged(group, local.head, remote);
  }
  return absl::OkStatus();
}

absl::Status Synchroniser::RecordFailure(const std::string& group, pb::SyncState state, const absl::Status& cause) {
  PROTECTOR_ASSIGN_OR_RETURN(pb::SyncStatus status, repository_.Sync(group));
  status.set_state(state);
  status.set_failed_attempts(status.failed_attempts() + 1);
  status.set_last_error(MessageOf(cause));
  return repository_.SaveSync(status);
}

absl::Status Synchroniser::Reconcile(const std::string& group, const pb::Head& remote) {
  auto pass = gate_.Enter(group, absl::ZeroDuration());
  if (!pass.has_value()) return absl::OkStatus();  // a change is on its way and will align the sites itself
  PROTECTOR_ASSIGN_OR_RETURN(const auto doubt, repository_.InDoubt(group));
  PROTECTOR_ASSIGN_OR_RETURN(const StoredHead local, repository_.Head(group));
  PROTECTOR_ASSIGN_OR_RETURN(const pb::SyncStatus before, repository_.Sync(group));
  if (!doubt.has_value() && local.head.hash() == remote.hash()) {
    if (before.state() == pb::IN_SYNC && before.remote().hash() == remote.hash()) return absl::OkStatus();
    PROTECTOR_ASSIGN_OR_RETURN(const pb::SyncStatus in_sync, replica_.InSync(remote));
    return repository_.SaveSync(in_sync);
  }
  const absl::Status aligned = Align(group);
  if (aligned.ok()) {
    logger_.Info("sites aligned", {{"group", group}});
    return absl::OkStatus();
  }
  if (peer_.NoAnswer(aligned)) return aligned;
  const bool diverged = DetailOf(aligned).reason == "DIVERGED" || DetailOf(aligned).reason == "STALE_EPOCH";
  if (before.state() != pb::DIVERGED || !diverged)
    logger_.Warning("group could not be synchronised", aligned, {{"group", group}});
  PROTECTOR_RETURN_IF_ERROR(RecordFailure(group, diverged ? pb::DIVERGED : pb::FAILED, aligned));
  return diverged ? absl::OkStatus() : aligned;
}

absl::Status Synchroniser::NoteUnreachable(const std::string& group, const absl::Status& cause, absl::Time next_try) {
  PROTECTOR_ASSIGN_OR_RETURN(pb::SyncStatus status, repository_.Sync(group));
  PROTECTOR_ASSIGN_OR_RETURN(const StoredHead local, repository_.Head(group));
  PROTECTOR_ASSIGN_OR_RETURN(const auto doubt, repository_.InDoubt(group));
  const bool nothing_owed = status.remote().hash() == local.head.hash() && !doubt.has_value();
  if (nothing_owed) return absl::OkStatus();
  status.set_state(pb::UNREACHABLE);
  status.set_failed_attempts(status.failed_attempts() + 1);
  status.set_last_error(MessageOf(cause));
  status.mutable_next_retry_time()->set_seconds(absl::ToUnixSeconds(next_try));
  return repository_.SaveSync(status);
}

absl::StatusOr<pb::SyncStatus> Synchroniser::Status(const std::string& group) {
  PROTECTOR_ASSIGN_OR_RETURN(const StoredHead local, repository_.Head(group));
  const absl::StatusOr<pb::Head> remote = PeerHead(group);
  PROTECTOR_ASSIGN_OR_RETURN(pb::SyncStatus status, repository_.Sync(group));
  if (local.head.version() == 0 && (!remote.ok() || remote->version() == 0)) return GroupNotFound(group);
  PROTECTOR_ASSIGN_OR_RETURN(const auto doubt, repository_.InDoubt(group));
  *status.mutable_local() = local.head;
  status.set_in_doubt_version(doubt.has_value() ? doubt->version() : 0);
  if (!remote.ok()) {
    if (!peer_.NoAnswer(remote.status())) return remote.status();
    status.set_state(pb::UNREACHABLE);
    status.set_last_error(MessageOf(remote.status()));
    return status;
  }
  *status.mutable_remote() = *remote;
  PROTECTOR_ASSIGN_OR_RETURN(const Relation relation, Relate(local.head, *remote));
  if (relation == Relation::kEqual && !doubt.has_value()) {
    PROTECTOR_ASSIGN_OR_RETURN(status, replica_.InSync(*remote));
    *status.mutable_local() = local.head;
    PROTECTOR_RETURN_IF_ERROR(repository_.SaveSync(status));
    return status;
  }
  if (relation == Relation::kDiverged) {
    status.set_state(pb::DIVERGED);
  } else if (status.state() != pb::FAILED) {
    status.set_state(pb::OUT_OF_SYNC);
  }
  Wake();
  return status;
}

absl::StatusOr<pb::ForceSyncResponse> Synchroniser::ForceDiverged(const std::string& group, const pb::Head& local,
                                                                  const pb::Head& remote) {
  if (!MayForce(repository_.sites().local, local, remote)) return LowerEpoch(PeerName(), local, remote);
  // What the peer loses: its versions after the last one that both have.
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<pb::Version> theirs,
                             peer_.Export(group, 0, static_cast<int>(remote.version())));
  pb::ForceSyncResponse response;
  int64_t common = 0;
  for (const pb::Version& version : theirs) {
    PROTECTOR_ASSIGN_OR_RETURN(const auto ours, repository_.OnChain(group, version.version(), version.hash()));
    if (ours.has_value()) {
      common = version.version();
      continue;
    }
    pb::Version* lost = response.add_superseded();
    *lost = version;
    lost->clear_content();
  }
  if (common == 0 && !theirs.empty()) {
    return Invalid("protection group " + group, "the two sites' groups have no version in common",
                   "They are different groups of one id; delete one of them.");
  }
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<pb::Version> sent, Push(group, common, /*force=*/true));
  response.set_versions_sent(static_cast<int32_t>(sent.size()));
  return response;
}

absl::StatusOr<pb::ForceSyncResponse> Synchroniser::ForceSync(const std::string& group, const std::string& reason) {
  auto pass = gate_.Enter(group, absl::Seconds(10));
  if (!pass.has_value())
    return Error(absl::StatusCode::kAborted, "GROUP_BUSY", "a change of the group is on its way")
        .Object("protection group " + group)
        .Remedy("Try again in a moment.");
  const auto unreachable = [&](const absl::Status& cause) {
    return peer_.NoAnswer(cause) ? RemoteUnreachable(group, PeerName(), cause) : cause;
  };
  if (const absl::Status settled = Settle(group); !settled.ok()) return unreachable(settled);
  const absl::StatusOr<pb::Head> remote = PeerHead(group);
  if (!remote.ok()) return unreachable(remote.status());
  PROTECTOR_ASSIGN_OR_RETURN(const StoredHead local, repository_.Head(group));
  if (local.head.version() == 0 && remote->version() == 0) return GroupNotFound(group);
  const absl::StatusOr<Relation> relation = Relate(local.head, *remote);
  if (!relation.ok()) return unreachable(relation.status());

  pb::ForceSyncResponse response;
  absl::Status done;
  switch (*relation) {
    case Relation::kEqual:
      break;
    case Relation::kPeerAhead:
      if (remote->epoch() > local.head.epoch()) return LowerEpoch(PeerName(), local.head, *remote);
      done = Pull(group);
      break;
    case Relation::kPeerBehind: {
      const auto sent = Push(group, remote->version(), false);
      done = sent.status();
      if (sent.ok()) response.set_versions_sent(static_cast<int32_t>(sent->size()));
      break;
    }
    case Relation::kDiverged: {
      absl::StatusOr<pb::ForceSyncResponse> forced = ForceDiverged(group, local.head, *remote);
      done = forced.status();
      if (forced.ok()) response = *std::move(forced);
      break;
    }
  }
  logger_.Warning("sync forced", {{"group", group},
                                  {"reason", reason},
                                  {"sent", response.versions_sent()},
                                  {"superseded", response.superseded_size()},
                                  {"ok", done.ok()}});
  if (!done.ok()) {
    if (!peer_.NoAnswer(done)) PROTECTOR_RETURN_IF_ERROR(RecordFailure(group, pb::FAILED, done));
    return unreachable(done);
  }
  PROTECTOR_ASSIGN_OR_RETURN(*response.mutable_status(), Status(group));
  return response;
}

}  // namespace protector::metadata_sync
