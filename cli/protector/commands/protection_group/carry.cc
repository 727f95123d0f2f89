#include "cli/protector/commands/protection_group/carry.h"

#include <fmt/format.h>

#include "libs/base/error.h"

namespace protector::cli {
namespace {

using Metadata = meta_pb::MetadataService;

absl::StatusOr<meta_pb::Head> HeadAt(Session& session, const SiteAddress& site, const CallHow& how,
                                     const std::string& group_id) {
  meta_pb::ListHeadsRequest request;
  request.add_group_ids(group_id);
  PROTECTOR_ASSIGN_OR_RETURN(
      const auto heads, (session.Call<Metadata>(site, &Metadata::StubInterface::ListHeads, "ListHeads", request, how)));
  return heads.heads_size() > 0 ? heads.heads(0) : meta_pb::Head();
}

absl::Status Refused(const meta_pb::ApplyVersionResponse& answer, const std::string& remote, const std::string& group) {
  const bool stale = answer.result() == meta_pb::ApplyVersionResponse::REFUSED_STALE_EPOCH;
  return Error(absl::StatusCode::kFailedPrecondition, stale ? "LOWER_EPOCH" : "DIVERGED",
               stale ? fmt::format("{} is at epoch {}, which is higher than this site's", remote, answer.head().epoch())
                     : fmt::format("{} has versions of its own: the sites have diverged", remote))
      .Object(fmt::format("protection group {}", group))
      .Site(remote)
      .Remedy(fmt::format(
          "Run `protector protection-group sync-force {}` with the credentials of {}, the site with the higher epoch.",
          group, remote));
}

}  // namespace

absl::StatusOr<int> CarryVersions(Session& session, const FoundGroup& found, const std::string& remote,
                                  const meta_pb::SyncStatus& before) {
  const std::string& id = found.document().id();
  const std::string& group = found.document().name();
  PROTECTOR_ASSIGN_OR_RETURN(const SiteAddress there, FindSite(session, remote));
  CallHow here_how, there_how;
  here_how.project = ProjectOf(found.document(), found.answered_by.name);
  there_how.project = ProjectOf(found.document(), remote);
  const auto head = HeadAt(session, there, there_how, id);
  if (!head.ok()) {
    if (!NoAnswer(head.status())) return head.status();
    return Error(absl::StatusCode::kUnavailable, "REMOTE_SITE_UNREACHABLE",
                 fmt::format("cannot sync: remote site {} is unreachable, from its peer and from here: {}", remote,
                             MessageOf(head.status())))
        .Object(fmt::format("protection group {}", group))
        .Site(remote)
        .Remedy(fmt::format(
            "Restore it (`protector site validate {0}` says what is wrong) and try again; metadata-sync of {1} also retries by itself.",
            remote, before.local_site()));
  }
  if (head->epoch() > before.local().epoch()) {
    meta_pb::ApplyVersionResponse stale;
    stale.set_result(meta_pb::ApplyVersionResponse::REFUSED_STALE_EPOCH);
    *stale.mutable_head() = *head;
    return Refused(stale, remote, group);
  }
  int sent = 0;
  int64_t after = head->version();
  // A higher number than ours means that it has versions which this site does not know: begin where both began.
  bool from_start = head->version() > before.local().version();
  if (from_start) after = 0;
  while (true) {
    meta_pb::ExportVersionsRequest request;
    request.set_group_id(id);
    request.set_after_version(after);
    PROTECTOR_ASSIGN_OR_RETURN(const auto page,
                               (session.Call<Metadata>(session.local(), &Metadata::StubInterface::ExportVersions,
                                                       "ExportVersions", request, here_how)));
    if (page.versions_size() == 0) return sent;
    bool restart = false;
    for (const meta_pb::Version& version : page.versions()) {
      meta_pb::ApplyVersionRequest apply;
      *apply.mutable_version() = version;
      apply.set_from_site(before.local_site());
      apply.set_force(before.local().epoch() > head->epoch());
      PROTECTOR_ASSIGN_OR_RETURN(
          const auto answer,
          (session.Call<Metadata>(there, &Metadata::StubInterface::ApplyVersion, "ApplyVersion", apply, there_how)));
      if (answer.result() == meta_pb::ApplyVersionResponse::APPLIED) ++sent;
      if (answer.result() == meta_pb::ApplyVersionResponse::REFUSED_DIVERGED ||
          answer.result() == meta_pb::ApplyVersionResponse::REFUSED_STALE_EPOCH) {
        return Refused(answer, remote, group);
      }
      if (answer.result() == meta_pb::ApplyVersionResponse::BEHIND) {
        if (from_start)
          return absl::InternalError(
              fmt::format("{} does not take version {} although it has all before it", remote, version.version()));
        restart = true;
        break;
      }
      after = version.version();
    }
    // The pair has diverged before the receiver's head: it needs the versions from the beginning.
    if (restart) {
      from_start = true;
      after = 0;
    }
  }
}

}  // namespace protector::cli
