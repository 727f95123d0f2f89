#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "cli/protector/args/complete.h"
#include "cli/protector/args/help.h"
#include "cli/protector/client/orchestrators.h"
#include "cli/protector/client/sites.h"
#include "cli/protector/commands/commands.h"
#include "cli/protector/commands/context.h"
#include "cli/protector/commands/protection_group/group_calls.h"

namespace protector::cli {
namespace {

// The first two words are completed from a table in the script, at no cost; for everything after them the script passes
// the words on to `protector __complete`, which answers with one candidate a line.
constexpr char kBash[] = R"(_protector() {
  local IFS=$' \t\n' current="${COMP_WORDS[COMP_CWORD]}"
  if [[ $current != -* ]]; then
    if ((COMP_CWORD == 1)); then
      COMPREPLY=($(compgen -W "@FIRST@" -- "$current"))
      return
    fi
    if ((COMP_CWORD == 2)); then
      case "${COMP_WORDS[1]}" in
@CASES@      esac
    fi
  fi
  local IFS=$'\n'
  COMPREPLY=($(protector __complete -- "$current" "${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null))
}
complete -o default -F _protector protector
)";
constexpr char kBashCase[] = R"(        @NAME@) COMPREPLY=($(compgen -W "@WORDS@" -- "$current")); return ;;
)";
constexpr char kZsh[] = R"(#compdef protector
_protector() {
  local -a found
  local current="${words[CURRENT]}"
  if [[ $current != -* ]]; then
    if ((CURRENT == 2)); then
      found=(@FIRST@)
      compadd -a found
      return
    fi
    if ((CURRENT == 3)); then
      case "${words[2]}" in
@CASES@      esac
      if (($#found)); then
        compadd -a found
        return
      fi
    fi
  fi
  found=("${(@f)$(protector __complete -- "$current" "${(@)words[2,CURRENT-1]}" 2>/dev/null)}")
  compadd -a found
}
compdef _protector protector
)";
constexpr char kZshCase[] = R"(        @NAME@) found=(@WORDS@) ;;
)";
constexpr char kFish[] = R"(function __protector_complete
  set -l before (commandline -opc)
  protector __complete -- (commandline -ct) $before[2..-1] 2>/dev/null
end
complete -c protector -f
complete -c protector -f -n 'test (count (commandline -opc)) = 1' -a '@FIRST@'
@CASES@complete -c protector -f -n 'test (count (commandline -opc)) -ge 3; or string match -q -- "-*" (commandline -ct)' -a '(__protector_complete)'
)";
constexpr char kFishCase[] = R"(complete -c protector -f -n 'test (commandline -opc)[2..-1] = @NAME@' -a '@WORDS@'
)";

std::string Filled(std::string text, const std::string& mark, const std::string& value) {
  for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size()))
    text.replace(at, mark.size(), value);
  return text;
}

std::string CommandsBelow(const Program& program, const std::string& group) {
  std::string words;
  for (const Command& command : program.commands) {
    const bool below = group.empty() ? command.path.size() == 1 : command.path.size() == 2 && command.path[0] == group;
    if (below && !command.hidden) words += (words.empty() ? "" : " ") + command.path.back();
  }
  return words;
}

absl::Status Script(Context& context) {
  const std::string shell = context.arguments.Get("shell");
  const char* form = shell == "bash" ? kBash : shell == "zsh" ? kZsh : kFish;
  const char* case_form = shell == "bash" ? kBashCase : shell == "zsh" ? kZshCase : kFishCase;
  std::string first, cases;
  for (const Group& group : context.program.groups) {
    first += group.name + " ";
    cases += Filled(Filled(case_form, "@NAME@", group.name), "@WORDS@", CommandsBelow(context.program, group.name));
  }
  context.out() << Filled(Filled(form, "@FIRST@", first + CommandsBelow(context.program, "")), "@CASES@", cases);
  return absl::OkStatus();
}

// Names from the services. Somebody waits for the cursor: what does not come at once does not come.
constexpr absl::Duration kPatience = absl::Milliseconds(400);
// A login is worth more: in the user's own directory the token serves the next ones.
constexpr absl::Duration kPatienceWithKeystone = absl::Seconds(2);

std::vector<std::string> GroupNames(Session& session) {
  op_pb::ListGroupsRequest request;
  CallHow how;
  how.timeout = kPatience;
  how.idempotent = false;
  const auto project = ProjectAt(session, session.local());
  if (!project.ok()) return {};
  how.project = *project;
  SetProject(*project, request.mutable_project());
  const auto groups = session.Call<op_pb::GroupService>(
      session.local(), &op_pb::GroupService::StubInterface::ListGroups, "ListGroups", request, how);
  std::vector<std::string> names;
  if (groups.ok()) {
    for (const op_pb::Group& group : groups->groups()) names.push_back(group.document().name());
  }
  return names;
}

std::vector<std::string> OperationIds(Session& session) {
  op_pb::ListOperationsRequest request;
  request.set_page_size(20);
  CallHow how;
  how.timeout = kPatience;
  how.idempotent = false;
  const auto project = ProjectAt(session, session.local());
  if (!project.ok()) return {};
  how.project = *project;
  SetProject(*project, request.mutable_project());
  std::vector<std::string> ids;
  const auto sites = FindSites(session);
  for (const SiteAddress& site : sites.ok() ? *sites : std::vector<SiteAddress>{}) {
    if (!site.local) {
      const auto there = ProjectAt(session, site);
      if (!there.ok()) continue;
      how.project = *there;
      SetProject(*there, request.mutable_project());
    }
    const auto page = session.Call<op_pb::OperationService>(
        site, &op_pb::OperationService::StubInterface::ListOperations, "ListOperations", request, how);
    for (const op_pb::Operation& operation :
         page.ok() ? page->operations() : google::protobuf::RepeatedPtrField<op_pb::Operation>())
      ids.push_back(operation.id());
  }
  return ids;
}

std::vector<std::string> SiteNames(Session& session) {
  std::vector<std::string> names;
  const auto sites = FindSites(session);
  for (const SiteAddress& site : sites.ok() ? *sites : std::vector<SiteAddress>{}) {
    if (!site.name.empty()) names.push_back(site.name);
  }
  return names;
}

std::vector<std::string> MappingIds(Session& session) {
  std::vector<std::string> ids;
  const auto mappings = session.Call<site_pb::SiteRegistryService>(
      session.local(), &site_pb::SiteRegistryService::StubInterface::ListTenantMappings, "ListTenantMappings",
      site_pb::ListTenantMappingsRequest(), {.timeout = kPatience});
  for (const auto& mapping :
       mappings.ok() ? mappings->mappings() : google::protobuf::RepeatedPtrField<site_pb::TenantMapping>())
    ids.push_back(mapping.id());
  return ids;
}

// Members of the group that was typed before.
std::vector<std::string> MemberNames(Context& context, Session& session, const std::vector<std::string>& before) {
  if (before.size() < 3) return {};
  const auto found = FindGroup(context, session, before[2]);
  std::vector<std::string> names;
  if (found.ok()) {
    for (const group_pb::Member& member : found->document().members()) names.push_back(member.server().name());
  }
  return names;
}

std::vector<std::string> NamesOf(Context& context, Names kind, const std::vector<std::string>& before) {
  if (kind == Names::kNone || kind == Names::kFile) return {};
  if (kind == Names::kCloud) {
    const auto clouds = cloudconfig::CloudNames(context.world.env);
    return clouds.ok() ? *clouds : std::vector<std::string>{};
  }
  context.LimitTimeout(kPatienceWithKeystone);
  const auto session = context.Connect();
  if (!session.ok()) return {};
  switch (kind) {
    case Names::kSite:
      return SiteNames(**session);
    case Names::kGroup:
      return GroupNames(**session);
    case Names::kOperation:
      return OperationIds(**session);
    case Names::kTenantMapping:
      return MappingIds(**session);
    case Names::kMember:
      return MemberNames(context, **session, before);
    default:
      return {};
  }
}

absl::Status CompleteWords(Context& context) {
  std::vector<std::string> words = context.arguments.All("words");
  const std::string current = words.empty() ? "" : words.front();
  if (!words.empty()) words.erase(words.begin());
  const Completion completion = Complete(context.program, words, current);
  std::vector<std::string> candidates = completion.words;
  for (const std::string& name : NamesOf(context, completion.names, words)) candidates.push_back(name);
  std::sort(candidates.begin(), candidates.end());
  candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
  for (const std::string& candidate : candidates) {
    if (candidate.starts_with(current)) context.out() << candidate << "\n";
  }
  return absl::OkStatus();
}

absl::Status Reference(Context& context) {
  context.out() << ReferenceMarkdown(context.program);
  return absl::OkStatus();
}

}  // namespace

std::vector<Command> CompletionCommands() {
  return {
      {.path = {"completion"},
       .summary = "Print a shell's completion script.",
       .description =
           "Completes commands, options and the names of sites, groups, members and operations, which are asked of the services with a short deadline.",
       .options = {{.name = "shell",
                    .value = "",
                    .help = "bash, zsh or fish.",
                    .required = true,
                    .choices = {"bash", "zsh", "fish"}}},
       .examples = {"eval \"$(protector completion bash)\"", "protector completion fish | source"},
       .run = Script},
      {.path = {"__complete"},
       .summary = "Candidates for a word.",
       .description = "",
       .options = {{.name = "words", .value = "", .help = "The current word, then those before it.", .repeat = true}},
       .run = CompleteWords,
       .hidden = true},
      {.path = {"__reference"},
       .summary = "The command reference as Markdown.",
       .description = "",
       .run = Reference,
       .hidden = true},
  };
}

}  // namespace protector::cli
