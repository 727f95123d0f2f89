// audit list, audit verify: the records of the three programs of a site that people's commands reach.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "cli/protector/args/usage.h"
#include "cli/protector/client/audits.h"
#include "cli/protector/client/sites.h"
#include "cli/protector/commands/commands.h"
#include "cli/protector/commands/context.h"
#include "cli/protector/commands/protection_group/group_calls.h"
#include "cli/protector/commands/show.h"
#include "libs/base/error.h"

namespace protector::cli {
namespace {

using Audits = audit_pb::AuditService;
using Record = audit_pb::Record;

const std::vector<std::string>& Programs() {
  static const std::vector<std::string> programs = {"site-registry", "metadata-sync", "orchestrator"};
  return programs;
}

absl::StatusOr<std::vector<std::string>> WantedPrograms(const Context& context) {
  const std::string one = context.arguments.Get("service");
  if (one.empty()) return Programs();
  if (std::find(Programs().begin(), Programs().end(), one) != Programs().end()) return std::vector<std::string>{one};
  return UsageError(fmt::format("'{}' keeps no record", one))
      .Remedy(fmt::format("Give --service one of: {}.", fmt::join(Programs(), ", ")));
}

// "24h": so long ago; "2026-11-29T12:00:00Z": then.
absl::Status ReadSince(const Context& context, audit_pb::ListRecordsRequest& request) {
  const std::string text = context.arguments.Get("since");
  if (text.empty()) return absl::OkStatus();
  absl::Duration ago;
  absl::Time time;
  std::string error;
  if (absl::ParseDuration(text, &ago) && ago >= absl::ZeroDuration()) {
    time = context.world.clock.Now() - ago;
  } else if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error)) {
    return UsageError(fmt::format("--since {}: neither a duration nor a time", text))
        .Remedy("Give e.g. 24h or 2026-11-29T12:00:00Z.");
  }
  request.mutable_since()->set_seconds(absl::ToUnixSeconds(time));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Record>> RecordsOf(Session& session, const std::string& program,
                                              audit_pb::ListRecordsRequest request, int64_t limit) {
  std::vector<Record> records;
  CallHow how;
  how.service = program;
  do {
    request.set_page_size(static_cast<int32_t>(std::min<int64_t>(1000, limit - static_cast<int64_t>(records.size()))));
    PROTECTOR_ASSIGN_OR_RETURN(
        const auto page,
        (session.Call<Audits>(session.local(), &Audits::StubInterface::ListRecords, "ListRecords", request, how)));
    records.insert(records.end(), page.records().begin(), page.records().end());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty() && static_cast<int64_t>(records.size()) < limit);
  return records;
}

std::string KindText(audit_pb::Kind kind) {
  std::string text = audit_pb::Kind_Name(kind);
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

absl::Status List(Context& context) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<std::string> programs, WantedPrograms(context));
  PROTECTOR_ASSIGN_OR_RETURN(const int64_t limit, context.arguments.Int("limit", 100, 1, 1000000));
  audit_pb::ListRecordsRequest request;
  PROTECTOR_RETURN_IF_ERROR(ReadSince(context, request));
  request.set_user(context.arguments.Get("user"));
  request.set_project(context.arguments.Get("project"));
  request.set_request_id(context.arguments.Get("of-request"));
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  std::vector<Record> records;
  absl::Status missing;
  for (const std::string& program : programs) {
    auto of_one = RecordsOf(*session, program, request, limit);
    if (!of_one.ok() && !NoAnswer(of_one.status())) return of_one.status();
    if (!of_one.ok()) {
      missing = of_one.status();
      context.Warn("the records of " + program + " are missing: " + MessageOf(missing));
      continue;
    }
    records.insert(records.end(), of_one->begin(), of_one->end());
  }
  if (records.empty() && !missing.ok()) return missing;
  const auto order = [](const Record& r) {
    return std::make_tuple(r.time().seconds(), r.time().nanos(), r.service(), r.number());
  };
  std::sort(records.begin(), records.end(), [&](const Record& a, const Record& b) { return order(a) > order(b); });
  if (static_cast<int64_t>(records.size()) > limit) records.resize(static_cast<size_t>(limit));
  Listing listing;
  listing.columns = {{"time"},
                     {"service"},
                     {"number"},
                     {"kind"},
                     {"user"},
                     {"project"},
                     {"what"},
                     {"outcome"},
                     {"evidence"},
                     {"user_id", true},
                     {"domain", true},
                     {"roles", true},
                     {"project_id", true},
                     {"token_site", true},
                     {"from", true},
                     {"caller", true},
                     {"request_id", true},
                     {"request", true},
                     {"message", true},
                     {"begun", true},
                     {"hash", true},
                     {"site", true}};
  for (const Record& r : records) {
    listing.rows.push_back({TimeText(r.has_time(), r.time()),
                            r.service(),
                            r.number(),
                            KindText(r.kind()),
                            r.user(),
                            r.project(),
                            r.what(),
                            r.outcome(),
                            r.evidence(),
                            r.user_id(),
                            r.domain(),
                            std::vector<std::string>(r.roles().begin(), r.roles().end()),
                            r.project_id(),
                            r.token_site(),
                            r.from(),
                            r.caller(),
                            r.request_id(),
                            r.request(),
                            r.message(),
                            r.begun(),
                            r.hash(),
                            r.site()});
  }
  return context.Show(listing);
}

// "orchestrator:17:9f2c..."
absl::Status ReadKnown(const std::string& text, std::string& program, audit_pb::VerifyRecordsRequest& request) {
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  int64_t number = 0;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[1], &number) || number < 1 || parts[2].size() != 64) {
    return UsageError(fmt::format("--known {}: not SERVICE:NUMBER:HASH", text))
        .Remedy("Take service, number and hash from an `audit` line of that service's log.");
  }
  program = parts[0];
  request.set_known_number(number);
  request.set_known_hash(parts[2]);
  return absl::OkStatus();
}

absl::Status Verify(Context& context) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<std::string> programs, WantedPrograms(context));
  std::string known_program;
  audit_pb::VerifyRecordsRequest known;
  if (context.arguments.Has("known"))
    PROTECTOR_RETURN_IF_ERROR(ReadKnown(context.arguments.Get("known"), known_program, known));
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  Listing listing;
  listing.columns = {{"service"}, {"intact"},     {"records"},           {"witnessed"},
                     {"problem"}, {"head", true}, {"first_wrong", true}, {"site", true}};
  std::string broken;
  absl::Status missing;
  for (const std::string& program : programs) {
    CallHow how;
    how.service = program;
    how.timeout = std::max(context.timeout(), absl::Minutes(2));
    auto found = session->Call<Audits>(session->local(), &Audits::StubInterface::VerifyRecords, "VerifyRecords",
                                       program == known_program ? known : audit_pb::VerifyRecordsRequest(), how);
    if (!found.ok() && !NoAnswer(found.status())) return found.status();
    if (!found.ok()) {
      missing = found.status();
      listing.rows.push_back({program, nullptr, nullptr, nullptr, MessageOf(missing), nullptr, nullptr, nullptr});
      continue;
    }
    if (!found->witness_problem().empty()) {
      context.Warn(
          fmt::format("{}: what the other site noted could not be asked: {}", program, found->witness_problem()));
    }
    for (const audit_pb::ChainEnd& other : found->replaced()) {
      const std::string what = fmt::format(
          "the other site has noted another record, of {} entries, ending with {}: it was replaced by this one",
          other.number(), other.hash());
      const std::vector<std::string> accepted = context.arguments.All("accept");
      if (std::find(accepted.begin(), accepted.end(), other.hash()) != accepted.end()) continue;
      broken += fmt::format("{}{}: {}", broken.empty() ? "" : "; ", program, what);
      found->set_problem(found->problem().empty() ? what : found->problem() + "; " + what);
    }
    if (!found->intact()) broken += fmt::format("{}{}: {}", broken.empty() ? "" : "; ", program, found->problem());
    listing.rows.push_back({program, found->intact(), found->records(), found->witnessed(), found->problem(),
                            found->head(), found->first_wrong(), found->site()});
  }
  PROTECTOR_RETURN_IF_ERROR(context.Show(listing));
  if (!broken.empty()) {
    return Error(absl::StatusCode::kDataLoss, "AUDIT_BROKEN", "the record is not as it was written: " + broken)
        .Site(Label(session->local()))
        .Remedy(
            "Somebody, or a broken disk, changed the file. Keep it as evidence with the service's log, whose `audit` "
            "lines hold number and hash of each record; docs/security.md says how to go on.");
  }
  return missing;
}

}  // namespace

std::vector<Command> AuditCommands() {
  const Option service{.name = "--service",
                       .value = "SERVICE",
                       .help = "Only this program's: site-registry, metadata-sync or orchestrator."};
  return {
      {.path = {"audit", "list"},
       .summary = "List who asked for which change, and what was decided.",
       .description =
           "Records of the local site, newest first: `begun` and `ended` for each change that a user asked for, `refused` for one that the policy did not "
           "allow, `decision` for what the services decided themselves (an operation accepted, ended or past its point of no return, a quarantine). "
           "-f json shows the request, the roles and where it came from as well.",
       .options = {service,
                   {.name = "--since", .value = "TIME", .help = "Only since then: 24h, or 2026-11-29T12:00:00Z."},
                   {.name = "--user", .value = "USER", .help = "Only this user's, by name or id."},
                   {.name = "--project", .value = "PROJECT", .help = "Only of this project, by name or id."},
                   {.name = "--of-request", .value = "UUID", .help = "Only those of this request id."},
                   {.name = "--limit", .value = "N", .help = "At most so many (default 100)."}},
       .examples = {"protector audit list --since 24h --user demo"},
       .shape = Shape::kList,
       .run = List},
      {.path = {"audit", "verify"},
       .summary = "Check that nobody has changed the record of changes and decisions.",
       .description =
           "Each record carries a hash over the one before it. The whole chain is read again, and compared with what the other site's services have noted "
           "of its end; --known compares it with a line of a log as well.",
       .options = {service,
                   {.name = "--known",
                    .value = "SERVICE:NUMBER:HASH",
                    .help = "A record as an `audit` line of the service's log has it: has to be in the chain."},
                   {.name = "--accept",
                    .value = "HASH",
                    .help =
                        "A record that was replaced on purpose (a new audit.path), by its end as this command says it; "
                        "may be repeated.",
                    .repeat = true}},
       .examples = {"protector audit verify"},
       .shape = Shape::kList,
       .run = Verify,
       .exit_codes = "1 when a record was changed, removed or put in"},
  };
}

}  // namespace protector::cli
