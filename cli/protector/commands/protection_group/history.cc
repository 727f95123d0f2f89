#include <fmt/format.h>

#include "cli/protector/args/usage.h"
#include "cli/protector/client/metadata.h"
#include "cli/protector/commands/commands.h"
#include "cli/protector/commands/protection_group/group_calls.h"
#include "cli/protector/commands/show.h"
#include "libs/base/error.h"

namespace protector::cli {
namespace {

using Metadata = meta_pb::MetadataService;

absl::Status History(Context& context) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, GroupArgument(context));
  PROTECTOR_ASSIGN_OR_RETURN(const int64_t limit, context.arguments.Int("limit", 100, 1, 100000));
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  PROTECTOR_ASSIGN_OR_RETURN(const FoundGroup found, FindGroup(context, *session, name));
  CallHow how;
  how.project = ProjectOf(found.document(), found.answered_by.name);
  Listing listing;
  listing.columns = {{"version"},     {"epoch"},      {"author_site"}, {"committed_at"},      {"reason"},
                     {"peer_has_it"}, {"superseded"}, {"hash", true},  {"parent_hash", true}, {"size", true}};
  meta_pb::ListHistoryRequest request;
  request.set_group_id(found.document().id());
  do {
    request.set_page_size(
        static_cast<int32_t>(std::min<int64_t>(100, limit - static_cast<int64_t>(listing.rows.size()))));
    PROTECTOR_ASSIGN_OR_RETURN(const auto page,
                               (session->Call<Metadata>(found.answered_by, &Metadata::StubInterface::ListHistory,
                                                        "ListHistory", request, how)));
    for (const meta_pb::HistoryEntry& entry : page.entries()) {
      const meta_pb::Version& version = entry.version();
      listing.rows.push_back({version.version(), version.epoch(), version.author_site(),
                              TimeText(version.has_commit_time(), version.commit_time()), version.reason(),
                              entry.peer_has_it(), entry.superseded(), version.hash(), version.parent_hash(),
                              entry.size()});
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty() && static_cast<int64_t>(listing.rows.size()) < limit);
  return context.Show(listing);
}

absl::Status Diff(Context& context) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, GroupArgument(context));
  PROTECTOR_ASSIGN_OR_RETURN(const int64_t from, context.arguments.Int("from", 0, 1, INT64_MAX));
  PROTECTOR_ASSIGN_OR_RETURN(const int64_t to, context.arguments.Int("to", 0, 1, INT64_MAX));
  if (from > 0 && to > 0 && from >= to) return UsageError(fmt::format("--from {} is not older than --to {}", from, to));
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  PROTECTOR_ASSIGN_OR_RETURN(const FoundGroup found, FindGroup(context, *session, name));
  meta_pb::DiffVersionsRequest request;
  request.set_group_id(found.document().id());
  request.set_from(from);
  request.set_to(to);
  CallHow how;
  how.project = ProjectOf(found.document(), found.answered_by.name);
  PROTECTOR_ASSIGN_OR_RETURN(const auto diff,
                             (session->Call<Metadata>(found.answered_by, &Metadata::StubInterface::DiffVersions,
                                                      "DiffVersions", request, how)));
  context.Detail(fmt::format("version {} ({}) against version {} ({})", diff.from().version(), diff.from().reason(),
                             diff.to().version(), diff.to().reason()));
  Listing listing;
  listing.columns = {{"field"}, {"from"}, {"to"}};
  for (const meta_pb::FieldDiff& field : diff.fields())
    listing.rows.push_back({field.path(), field.from(), field.to()});
  return context.Show(listing);
}

}  // namespace

std::vector<Command> GroupHistoryCommands() {
  return {
      {.path = {"protection-group", "history"},
       .summary = "List the versions of the group's metadata, newest first.",
       .description = "Who changed what kind of thing when, and whether the other site has it; changes nothing.",
       .options = {GroupOption(), {.name = "--limit", .value = "N", .help = "At most so many (default 100)."}},
       .examples = {"protector protection-group history prod-web-app --limit 5"},
       .shape = Shape::kList,
       .run = History},
      {.path = {"protection-group", "diff"},
       .summary = "Show field by field what changed between two versions.",
       .description = "By default the last change; changes nothing.",
       .options = {GroupOption(),
                   {.name = "--from", .value = "VERSION", .help = "Older version (default: the one before --to)."},
                   {.name = "--to", .value = "VERSION", .help = "Newer version (default: the present one)."}},
       .examples = {"protector protection-group diff prod-web-app",
                    "protector protection-group diff prod-web-app --from 3 --to 6"},
       .shape = Shape::kList,
       .run = Diff},
  };
}

}  // namespace protector::cli
