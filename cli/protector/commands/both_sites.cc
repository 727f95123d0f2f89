#include "cli/protector/commands/both_sites.h"

#include <fmt/format.h>

#include "cli/protector/commands/protection_group/group_calls.h"
#include "libs/base/error.h"

namespace protector::cli {

void SiteResults::Done(const std::string& site, const std::string& object, const std::string& result,
                       const std::string& detail) {
  rows_.push_back({site, object, result, detail});
  ++done_;
}

void SiteResults::Already(const std::string& site, const std::string& object, const std::string& detail) {
  rows_.push_back({site, object, "unchanged", detail});
  ++already_;
}

void SiteResults::Failed(const std::string& site, const std::string& object, const absl::Status& status) {
  rows_.push_back({site, object, NoAnswer(status) ? "unreachable" : "failed", MessageOf(status)});
  failures_.push_back(status);
}

Listing SiteResults::Table() const {
  Listing listing;
  listing.columns = {{"object"}, {"site"}, {"result"}, {"detail"}};
  for (const Row& row : rows_) listing.rows.push_back({row.object, row.site, row.result, row.detail});
  return listing;
}

absl::Status SiteResults::Verdict(const std::string& remedy, const absl::Status& all_already) const {
  if (failures_.empty()) return done_ == 0 && already_ > 0 ? all_already : absl::OkStatus();
  const absl::Status& first = failures_.front();
  if (done_ + already_ == 0) return first;
  ErrorDetail detail = DetailOf(first);
  // Of an unreachable site the exit code should say so; any other mixture is a failure.
  const bool unreachable = NoAnswer(first) && failures_.size() == 1;
  return Error(unreachable ? absl::StatusCode::kUnavailable : absl::StatusCode::kInternal,
               unreachable ? "ONE_SITE_UNREACHABLE" : "PARTLY_DONE",
               fmt::format("done at one site, not at the other: {}{}", MessageOf(first),
                           detail.reason.empty() ? "" : fmt::format(" ({})", detail.reason)))
      .Object(detail.object)
      .Site(detail.site)
      .Remedy(unreachable || detail.remedy.empty() ? remedy : detail.remedy + " Then give the same command again.");
}

}  // namespace protector::cli
