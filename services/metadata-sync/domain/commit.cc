// The commit of Synchroniser: a file of its own, because it is the one path that promise P8 stands on.
#include <fmt/format.h>

#include "libs/base/error.h"
#include "services/metadata-sync/domain/errors.h"
#include "services/metadata-sync/domain/synchroniser.h"

namespace protector::metadata_sync {
namespace {

constexpr absl::Duration kGateWait = absl::Seconds(15);
constexpr int kAlignRounds = 3;

void SetTime(absl::Time time, google::protobuf::Timestamp* timestamp) {
  const int64_t nanos = absl::ToUnixNanos(time);
  timestamp->set_seconds(nanos / 1000000000);
  timestamp->set_nanos(static_cast<int32_t>(nanos % 1000000000));
}

}  // namespace

// Going on alone is for the side that has begun an epoch which the other side does not have: only such a side can be
// sure that nobody else writes in it. Making a group is never done alone.
absl::StatusOr<bool> Synchroniser::MayGoAlone(const pb::CommitRequest& request, const pb::Head& head) {
  if (!request.allow_peer_unreachable() || head.version() == 0) return false;
  PROTECTOR_ASSIGN_OR_RETURN(const pb::SyncStatus status, repository_.Sync(request.document().id()));
  return request.document().epoch() > std::max<int64_t>(status.remote().epoch(), 1);
}

pb::Version Synchroniser::NextVersion(const pb::Head& head, Document& document, const std::string& reason) {
  const absl::Time now = clock_.Now();
  SetTime(now, document.mutable_update_time());
  if (head.version() == 0) SetTime(now, document.mutable_create_time());
  pb::Version version;
  version.set_group_id(document.id());
  version.set_version(head.version() + 1);
  version.set_epoch(document.epoch());
  version.set_parent_hash(head.hash());
  version.set_content(Serialise(document));
  version.set_author_site(repository_.sites().local);
  version.set_reason(reason);
  SetTime(now, version.mutable_commit_time());
  version.set_hash(VersionHash(version));
  return version;
}

absl::StatusOr<pb::CommitResponse> Synchroniser::Answer(const pb::Version& version) {
  pb::CommitResponse response;
  PROTECTOR_ASSIGN_OR_RETURN(*response.mutable_version(), repository_.Version(version.group_id(), version.version()));
  PROTECTOR_ASSIGN_OR_RETURN(*response.mutable_document(), repository_.DocumentOf(response.version()));
  response.mutable_version()->clear_content();
  PROTECTOR_ASSIGN_OR_RETURN(const pb::SyncStatus status, repository_.Sync(version.group_id()));
  response.set_peer_has_it(status.remote().version() >= version.version());
  return response;
}

absl::StatusOr<pb::CommitResponse> Synchroniser::CommitAlone(const StoredHead& head, const pb::Version& version,
                                                             const Document& document,
                                                             const pb::CommitRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(replica_.Append(head, version, document, request.request_id()));
  logger_.Warning("committed without the peer", {{"group", version.group_id()},
                                                 {"version", version.version()},
                                                 {"epoch", version.epoch()},
                                                 {"reason", request.reason()}});
  Wake();
  return Answer(version);
}

absl::StatusOr<pb::CommitResponse> Synchroniser::CommitBoth(const StoredHead& head, const pb::Version& version,
                                                            const pb::CommitRequest& request, bool may_go_alone) {
  const std::string& group = version.group_id();
  PROTECTOR_RETURN_IF_ERROR(replica_.WriteInDoubt(head, version, request.request_id()));
  const absl::StatusOr<pb::ApplyVersionResponse> answer = peer_.Apply(version, false);
  if (answer.ok()) {
    switch (answer->result()) {
      case pb::ApplyVersionResponse::APPLIED:
      case pb::ApplyVersionResponse::ALREADY_HAD_IT:
        PROTECTOR_RETURN_IF_ERROR(replica_.Take(version, /*peer_has_it=*/true));
        return Answer(version);
      default:
        break;
    }
    PROTECTOR_RETURN_IF_ERROR(repository_.DropInDoubt(group));
    if (answer->result() == pb::ApplyVersionResponse::REFUSED_STALE_EPOCH)
      return StaleEpoch(answer->head(), version.epoch());
    if (answer->result() == pb::ApplyVersionResponse::REFUSED_DIVERGED)
      return Diverged(group, head.head, answer->head());
    return VersionMismatch(answer->head(), head.head.version());  // the peer has changed since it was asked
  }
  const absl::Status cause = answer.status();
  if (!peer_.NeverSent(cause)) {
    if (may_go_alone && peer_.NoAnswer(cause)) {
      // Whether the peer has it or not, it may become the head here; the peer takes or has it when it returns.
      PROTECTOR_RETURN_IF_ERROR(replica_.Take(version, /*peer_has_it=*/false));
      Wake();
      return Answer(version);
    }
    // The peer said no, or nothing. What counts is where its head stands.
    if (const absl::Status settled = Settle(group); !settled.ok()) {
      Wake();
      return OutcomeUnknown(group, version.version(), PeerName(), cause);
    }
    PROTECTOR_ASSIGN_OR_RETURN(const auto taken, repository_.OnChain(group, version.version(), version.hash()));
    if (taken.has_value()) return Answer(version);
    return peer_.NoAnswer(cause) ? RemoteUnreachable(group, PeerName(), cause) : PeerRefused(group, PeerName(), cause);
  }
  PROTECTOR_RETURN_IF_ERROR(repository_.DropInDoubt(group));
  return RemoteUnreachable(group, PeerName(), cause);
}

absl::StatusOr<pb::CommitResponse> Synchroniser::CommitInside(const pb::CommitRequest& request) {
  const std::string& group = request.document().id();
  // The sites have to agree on the present before they can agree on a change.
  absl::Status aligned;
  for (int round = 0; round < kAlignRounds; ++round) {
    aligned = Align(group);
    if (aligned.ok() || DetailOf(aligned).reason != "VERSION_MISMATCH") break;
  }
  const bool reachable = !peer_.NoAnswer(aligned);
  if (!aligned.ok() && reachable) return aligned;

  PROTECTOR_ASSIGN_OR_RETURN(StoredHead head, repository_.Head(group));
  PROTECTOR_ASSIGN_OR_RETURN(const bool may_go_alone, MayGoAlone(request, head.head));
  PROTECTOR_ASSIGN_OR_RETURN(const auto doubt, repository_.InDoubt(group));
  if (doubt.has_value() && may_go_alone && doubt->epoch() > head.head.epoch()) {
    // A move of ours whose answer was lost with the peer: it may go on alone, so it does, and this change comes after
    // it.
    PROTECTOR_RETURN_IF_ERROR(replica_.Take(*doubt, /*peer_has_it=*/false));
    PROTECTOR_ASSIGN_OR_RETURN(head, repository_.Head(group));
  }
  PROTECTOR_ASSIGN_OR_RETURN(const auto repeated, repository_.Requested(request.request_id()));
  if (repeated.has_value()) return Answer(*repeated);

  if (head.head.version() > 0) {
    PROTECTOR_ASSIGN_OR_RETURN(const pb::Version present, repository_.Version(group, head.head.version()));
    PROTECTOR_ASSIGN_OR_RETURN(const Document document, repository_.DocumentOf(present));
    if (SameContent(document, request.document())) return Answer(present);
  }
  PROTECTOR_RETURN_IF_ERROR(
      DecideCommit(repository_.sites().local, head.head, request.document(), request.base_version()));
  if (!reachable && !may_go_alone) {
    return RemoteUnreachable(request.document().name(), PeerName(), aligned);
  }
  const std::string& project = request.document().projects().at(repository_.sites().local);
  const auto owner = repository_.FindByName(project, request.document().name());
  if (owner.ok() && *owner != group) return NameTaken(request.document().name(), project);
  Document document = request.document();
  const pb::Version version = NextVersion(head.head, document, request.reason());
  if (!reachable) return CommitAlone(head, version, document, request);
  return CommitBoth(head, version, request, may_go_alone);
}

absl::StatusOr<pb::CommitResponse> Synchroniser::Commit(const pb::CommitRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(CheckDocument(request.document(), repository_.sites()));
  if (request.allow_peer_unreachable() && (request.base_version() == 0 || request.document().epoch() < 2)) {
    return Invalid("protection group " + request.document().name(),
                   "only a change in a new epoch may go on without the other site",
                   "Ask without allow_peer_unreachable.");
  }
  auto pass = gate_.Enter(request.document().id(), kGateWait);
  if (!pass.has_value()) {
    return Error(absl::StatusCode::kAborted, "GROUP_BUSY", "another change of the group is on its way")
        .Object("protection group " + request.document().name())
        .Remedy("Try again in a moment.");
  }
  // Two groups that ask for one name at the same moment: the second one waits and then finds it taken.
  const std::string& project = request.document().projects().at(repository_.sites().local);
  auto name = gate_.Enter(project + "/" + request.document().name(), kGateWait);
  if (!name.has_value()) return NameTaken(request.document().name(), project);
  return CommitInside(request);
}

}  // namespace protector::metadata_sync
