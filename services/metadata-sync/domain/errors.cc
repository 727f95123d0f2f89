#include "services/metadata-sync/domain/errors.h"

#include <fmt/format.h>

#include "libs/base/error.h"

namespace protector::metadata_sync {
namespace {

using Code = absl::StatusCode;

std::string Group(const std::string& group) {
  return "protection group " + group;
}

std::string NameOf(const protector::metadata::v1::Head& head) {
  return Group(head.group_name().empty() ? head.group_id() : head.group_name());
}

}  // namespace

absl::Status GroupNotFound(const std::string& group) {
  return Error(Code::kNotFound, "GROUP_NOT_FOUND", fmt::format("no protection group {}", group))
      .Object(Group(group))
      .Remedy(
          "List the groups; if it was made on the other site while this one was away, wait for the sync or force it "
          "from there.");
}

absl::Status VersionNotFound(const std::string& group, int64_t version) {
  return Error(Code::kNotFound, "VERSION_NOT_FOUND",
               fmt::format("protection group {} has no version {}", group, version))
      .Object(fmt::format("protection group {} version {}", group, version))
      .Remedy("Look at its history for the versions there are.");
}

absl::Status Invalid(const std::string& object, const std::string& message, const std::string& remedy) {
  return Error(Code::kInvalidArgument, "INVALID_ARGUMENT", message).Object(object).Remedy(remedy);
}

absl::Status NotPrimary(const protector::group::v1::GroupDocument& document, const std::string& primary) {
  return Error(Code::kFailedPrecondition, "NOT_PRIMARY",
               fmt::format("the primary site of protection group {} is {}", document.name(), primary))
      .Object(Group(document.name()))
      .Remedy(fmt::format("Make the change at {}, or move the group first.", primary));
}

absl::Status StaleEpoch(const protector::metadata::v1::Head& head, int64_t epoch) {
  return Error(Code::kAborted, "STALE_EPOCH",
               fmt::format("epoch {} is past: {} is in epoch {} with primary site {}", epoch, NameOf(head),
                           head.epoch(), head.primary_site()))
      .Object(NameOf(head))
      .Remedy("Read the group again; its primary site has changed.");
}

absl::Status EpochOutOfOrder(const protector::metadata::v1::Head& head,
                             const protector::group::v1::GroupDocument& document) {
  return Error(Code::kInvalidArgument, "INVALID_ARGUMENT",
               fmt::format("epoch {} with primary site {} cannot follow epoch {} with primary site {}",
                           document.epoch(), document.primary_site(), head.epoch(), head.primary_site()))
      .Object(Group(document.name()))
      .Remedy("The epoch grows by one exactly when the primary site changes, and starts at 1.");
}

absl::Status VersionMismatch(const protector::metadata::v1::Head& head, int64_t base_version) {
  return Error(Code::kAborted, "VERSION_MISMATCH",
               fmt::format("{} is at version {}, the change was made from version {}", NameOf(head), head.version(),
                           base_version))
      .Object(NameOf(head))
      .Remedy("Read the group again and repeat the change.");
}

absl::Status NameTaken(const std::string& name, const std::string& project) {
  return Error(Code::kAlreadyExists, "NAME_TAKEN",
               fmt::format("project {} has a protection group {} already", project, name))
      .Object(Group(name))
      .Remedy("Choose another name, or delete the other group.");
}

absl::Status RemoteUnreachable(const std::string& group, const std::string& peer, const absl::Status& cause) {
  return Error(Code::kUnavailable, "REMOTE_SITE_UNREACHABLE",
               fmt::format("Cannot modify protection group: remote site unreachable ({}: {})", peer, MessageOf(cause)))
      .Object(Group(group))
      .Remedy(fmt::format(
          "Restore the connection to {0}, check it with `protector site validate {0}`, then repeat the change. If "
          "{0} is lost, use `protection-group failover --type unplanned`.",
          peer));
}

absl::Status OutcomeUnknown(const std::string& group, int64_t version, const std::string& peer,
                            const absl::Status& cause) {
  return Error(Code::kUnavailable, "OUTCOME_UNKNOWN",
               fmt::format("the answer of {} to version {} was lost: {}", peer, version, MessageOf(cause)))
      .Object(Group(group))
      .Remedy("Repeat the same request: it is settled with the other site first, and is not carried out twice.");
}

absl::Status Diverged(const std::string& group, const protector::metadata::v1::Head& local,
                      const protector::metadata::v1::Head& remote) {
  return Error(Code::kFailedPrecondition, "DIVERGED",
               fmt::format(
                   "the sites hold different versions of protection group {}: version {} epoch {} here, version {} "
                   "epoch {} there",
                   group, local.version(), local.epoch(), remote.version(), remote.epoch()))
      .Object(Group(group))
      .Remedy(fmt::format(
          "Look at both histories, then run `protector protection-group sync-force` at {}; the versions that "
          "lose are kept.",
          (local.epoch() >= remote.epoch() ? local : remote).primary_site()));
}

absl::Status LowerEpoch(const std::string& peer, const protector::metadata::v1::Head& local,
                        const protector::metadata::v1::Head& remote) {
  const std::string why =
      local.epoch() == remote.epoch()
          ? fmt::format("both sites are in epoch {}, whose primary site is {}", local.epoch(), remote.primary_site())
          : fmt::format("{} is in epoch {} (version {}), this site only in epoch {} (version {})", peer, remote.epoch(),
                        remote.version(), local.epoch(), local.version());
  return Error(Code::kFailedPrecondition, "LOWER_EPOCH",
               fmt::format("{}: this site cannot be forced onto {}", why, peer))
      .Object(NameOf(local))
      .Remedy(fmt::format("Run `protector protection-group sync-force` at {}, where the group runs.", peer));
}

absl::Status PeerRefused(const std::string& group, const std::string& peer, const absl::Status& cause) {
  ErrorDetail detail = DetailOf(cause);
  if (detail.reason.empty()) detail.reason = "PEER_REFUSED";
  if (detail.object.empty()) detail.object = Group(group);
  if (detail.site.empty()) detail.site = peer;
  return WithDetail(Annotate(cause, fmt::format("{} did not take the change", peer)), detail);
}

}  // namespace protector::metadata_sync
