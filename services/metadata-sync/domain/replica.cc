#include "services/metadata-sync/domain/replica.h"

#include <functional>

#include "libs/base/error.h"
#include "services/metadata-sync/domain/errors.h"

namespace protector::metadata_sync {
namespace {

void SetTime(absl::Time time, google::protobuf::Timestamp* timestamp) {
  const int64_t nanos = absl::ToUnixNanos(time);
  timestamp->set_seconds(nanos / 1000000000);
  timestamp->set_nanos(static_cast<int32_t>(nanos % 1000000000));
}

}  // namespace

std::mutex& Replica::Section(const std::string& group) {
  return sections_[std::hash<std::string>()(group) % sections_.size()];
}

absl::StatusOr<pb::SyncStatus> Replica::InSync(const pb::Head& head) {
  PROTECTOR_ASSIGN_OR_RETURN(pb::SyncStatus status, repository_.Sync(head.group_id()));
  status.set_state(pb::IN_SYNC);
  *status.mutable_remote() = head;
  SetTime(clock_.Now(), status.mutable_last_sync_time());
  status.clear_next_retry_time();
  status.clear_failed_attempts();
  status.clear_last_error();
  return status;
}

absl::Status Replica::Advance(const StoredHead& head, Repository::NewHead next) {
  const pb::Head now = HeadOf(next.version, next.document);
  if (next.peer_has_it) {
    PROTECTOR_ASSIGN_OR_RETURN(next.sync, InSync(now));
  }
  PROTECTOR_RETURN_IF_ERROR(repository_.Advance(head, next));
  hub_.Publish(now);
  return absl::OkStatus();
}

absl::Status Replica::TakeLocked(const StoredHead& head, const pb::Version& version, bool peer_has_it) {
  PROTECTOR_ASSIGN_OR_RETURN(const auto present,
                             repository_.OnChain(version.group_id(), version.version(), version.hash()));
  if (present.has_value()) return absl::OkStatus();
  if (!Continues(head.head, version)) return VersionMismatch(head.head, version.version() - 1);
  PROTECTOR_ASSIGN_OR_RETURN(Document document, repository_.DocumentOf(version));
  return Advance(head, {.version = version, .document = std::move(document), .peer_has_it = peer_has_it});
}

absl::Status Replica::WriteInDoubt(const StoredHead& head, const pb::Version& version, const std::string& request_id) {
  std::lock_guard lock(Section(version.group_id()));
  return repository_.WriteInDoubt(head, version, request_id);
}

absl::Status Replica::Take(const pb::Version& version, bool peer_has_it) {
  std::lock_guard lock(Section(version.group_id()));
  PROTECTOR_ASSIGN_OR_RETURN(const StoredHead head, repository_.Head(version.group_id()));
  return TakeLocked(head, version, peer_has_it);
}

absl::Status Replica::Append(const StoredHead& head, const pb::Version& version, const Document& document,
                             const std::string& request_id) {
  std::lock_guard lock(Section(version.group_id()));
  return Advance(head, {.version = version, .document = document, .peer_has_it = false, .request_id = request_id});
}

absl::Status Replica::AppendArrived(const pb::Version& version, Document document, const std::string& from_site,
                                    int64_t supersede_after) {
  PROTECTOR_ASSIGN_OR_RETURN(const StoredHead head, repository_.Head(version.group_id()));
  // What the peer sends, the peer has. What a client carries may have left a peer that is gone.
  const bool peer_has_it = from_site == repository_.sites().peer;
  return Advance(head, {.version = version,
                        .document = std::move(document),
                        .peer_has_it = peer_has_it,
                        .supersede_after = supersede_after});
}

void Replica::AwaitWriting(const std::string& group) {
  const std::lock_guard lock(Section(group));
}

absl::StatusOr<pb::ApplyVersionResponse> Replica::Apply(const pb::Version& version, bool force,
                                                        const std::string& from_site,
                                                        const std::function<bool()>& given_up) {
  PROTECTOR_ASSIGN_OR_RETURN(Document document, CheckVersion(version, repository_.sites()));
  const std::string& group = version.group_id();
  std::lock_guard lock(Section(group));
  if (given_up()) return absl::CancelledError("the sender waits no longer; the version was not taken");
  PROTECTOR_ASSIGN_OR_RETURN(const StoredHead stored, repository_.Head(group));
  ApplyInput input;
  input.head = stored.head;
  input.force = force;
  input.from = repository_.sites().peer;  // whoever carries it
  PROTECTOR_ASSIGN_OR_RETURN(input.in_doubt, repository_.InDoubt(group));
  PROTECTOR_ASSIGN_OR_RETURN(const auto known, repository_.OnChain(group, version.version(), version.hash()));
  input.known = known.has_value();
  if (version.version() > 1) {
    PROTECTOR_ASSIGN_OR_RETURN(input.parent, repository_.OnChain(group, version.version() - 1, version.parent_hash()));
  }

  pb::ApplyVersionResponse response;
  response.set_result(pb::ApplyVersionResponse::APPLIED);
  switch (DecideApply(input, version)) {
    case ApplyAction::kAlreadyHad:
      response.set_result(pb::ApplyVersionResponse::ALREADY_HAD_IT);
      break;
    case ApplyAction::kTakeInDoubt:
      PROTECTOR_RETURN_IF_ERROR(TakeLocked(stored, version, from_site == repository_.sites().peer));
      break;
    case ApplyAction::kTakeInDoubtThenAppend:
      PROTECTOR_RETURN_IF_ERROR(TakeLocked(stored, *input.in_doubt, from_site == repository_.sites().peer));
      PROTECTOR_RETURN_IF_ERROR(AppendArrived(version, std::move(document), from_site, -1));
      break;
    case ApplyAction::kAppend:
    case ApplyAction::kAppendDroppingInDoubt:
      PROTECTOR_RETURN_IF_ERROR(AppendArrived(version, std::move(document), from_site, -1));
      break;
    case ApplyAction::kReplace:
      PROTECTOR_RETURN_IF_ERROR(AppendArrived(version, std::move(document), from_site, version.version() - 1));
      break;
    case ApplyAction::kBehind:
      response.set_result(pb::ApplyVersionResponse::BEHIND);
      break;
    case ApplyAction::kRefuseDiverged:
      response.set_result(pb::ApplyVersionResponse::REFUSED_DIVERGED);
      break;
    case ApplyAction::kRefuseStale:
      response.set_result(pb::ApplyVersionResponse::REFUSED_STALE_EPOCH);
      break;
  }
  PROTECTOR_ASSIGN_OR_RETURN(const StoredHead after, repository_.Head(group));
  *response.mutable_head() = after.head;
  return response;
}

}  // namespace protector::metadata_sync
