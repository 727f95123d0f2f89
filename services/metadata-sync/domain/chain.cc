#include "services/metadata-sync/domain/chain.h"

#include <fmt/format.h>

#include <utility>

#include "libs/base/sha256.h"
#include "services/metadata-sync/domain/errors.h"

namespace protector::metadata_sync {

std::string VersionHash(const pb::Version& version) {
  return Sha256Hex(fmt::format("{}\n{}\n{}\n{}\n{}", version.group_id(), version.version(), version.epoch(),
                               version.parent_hash(), Sha256Hex(version.content())));
}

pb::Head HeadOf(const pb::Version& version) {
  pb::Head head;
  head.set_group_id(version.group_id());
  head.set_version(version.version());
  head.set_epoch(version.epoch());
  head.set_hash(version.hash());
  head.set_primary_site(version.author_site());
  return head;
}

bool Continues(const pb::Head& head, const pb::Version& next) {
  if (next.version() != head.version() + 1) return false;
  if (head.version() == 0) return next.parent_hash().empty() && next.epoch() == 1;
  if (next.parent_hash() != head.hash()) return false;
  const bool same_author = next.author_site() == head.primary_site();
  return next.epoch() == head.epoch() ? same_author : (next.epoch() == head.epoch() + 1 && !same_author);
}

bool MayForce(const std::string& site, const pb::Head& mine, const pb::Head& other) {
  if (mine.epoch() != other.epoch()) return mine.epoch() > other.epoch();
  if (mine.primary_site() == other.primary_site()) return mine.hash() != other.hash() && mine.primary_site() == site;
  return std::make_pair(mine.version(), mine.hash()) > std::make_pair(other.version(), other.hash());
}

ApplyAction DecideApply(const ApplyInput& input, const pb::Version& incoming) {
  if (input.known) return ApplyAction::kAlreadyHad;
  if (input.in_doubt.has_value()) {
    if (input.in_doubt->hash() == incoming.hash()) return ApplyAction::kTakeInDoubt;
    if (Continues(HeadOf(*input.in_doubt), incoming)) return ApplyAction::kTakeInDoubtThenAppend;
  }
  if (Continues(input.head, incoming)) {
    if (!input.in_doubt.has_value()) return ApplyAction::kAppend;
    // Two authors on one head: the peer refuses the lower epoch for the same reason for which it is dropped here.
    return incoming.epoch() > input.in_doubt->epoch() ? ApplyAction::kAppendDroppingInDoubt
                                                      : ApplyAction::kRefuseDiverged;
  }
  if (input.force && input.parent.has_value() && Continues(HeadOf(*input.parent), incoming) &&
      MayForce(input.from, HeadOf(incoming), input.head)) {
    return ApplyAction::kReplace;
  }
  if (incoming.epoch() < input.head.epoch()) return ApplyAction::kRefuseStale;
  return incoming.version() > input.head.version() + 1 ? ApplyAction::kBehind : ApplyAction::kRefuseDiverged;
}

absl::Status DecideCommit(const std::string& local_site, const pb::Head& head, const Document& document,
                          int64_t base_version) {
  if (document.primary_site() != local_site) return NotPrimary(document, document.primary_site());
  if (head.deleted()) return GroupNotFound(head.group_id());
  if (document.epoch() < head.epoch()) return StaleEpoch(head, document.epoch());
  if (base_version != head.version()) return VersionMismatch(head, base_version);
  pb::Version next;
  next.set_version(head.version() + 1);
  next.set_parent_hash(head.hash());
  next.set_epoch(document.epoch());
  next.set_author_site(local_site);
  if (Continues(head, next)) return absl::OkStatus();
  if (head.version() > 0 && document.epoch() == head.epoch()) return NotPrimary(document, head.primary_site());
  return EpochOutOfOrder(head, document);
}

}  // namespace protector::metadata_sync
