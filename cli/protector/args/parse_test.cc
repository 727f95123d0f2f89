#include "cli/protector/args/parse.h"

#include <catch2/catch.hpp>

#include <algorithm>

#include "cli/protector/args/complete.h"
#include "cli/protector/args/help.h"
#include "cli/protector/args/mapping.h"
#include "cli/protector/args/suggest.h"
#include "libs/base/error.h"

using namespace protector::cli;
using Words = std::vector<std::string>;

namespace {

Program Small() {
  Program program;
  program.globals = GlobalOptions();
  program.groups = {{"protection-group", "Groups."}};
  std::vector<Option> options = {
      {.name = "group", .help = "Name.", .required = true, .names = Names::kGroup},
      {.name = "--type", .value = "TYPE", .help = "Manner.", .choices = {"planned", "unplanned"}},
      {.name = "--force", .help = "Force."}};
  for (const Option& option : MappingOptions()) options.push_back(option);
  program.commands = {
      {.path = {"protection-group", "failover"}, .summary = "Move.", .description = "Moves.", .options = options},
      {.path = {"protection-group", "add-member"},
       .summary = "Add.",
       .description = "Adds.",
       .options = {{.name = "group", .required = true}, {.name = "server", .required = true, .repeat = true}}},
      {.path = {"completion"}, .summary = "Script.", .description = "Script."}};
  return program;
}

std::string Remedy(const absl::Status& status) {
  return protector::DetailOf(status).remedy;
}

}  // namespace

TEST_CASE("a mapping option takes words until one has no '='") {
  const Program program = Small();
  CHECK(SpreadWords(program, {"failover", "--network-mapping", "a=b", "c=d", "prod", "--force"}) ==
        Words{"failover", "--network-mapping", "a=b", "--network-mapping", "c=d", "prod", "--force"});
  CHECK(SpreadWords(program, {"--network-mapping=a=b", "c=d"}) ==
        Words{"--network-mapping=a=b", "--network-mapping", "c=d"});
  CHECK(SpreadWords(program, {"--type", "x=y", "z=w"}) == Words{"--type", "x=y", "z=w"});
  CHECK(SpreadWords(program, {"--boot-order", "-5", "prod"}) == Words{"--boot-order=-5", "prod"});
  CHECK(SpreadWords(program, {"--network-mapping", "bad", "prod"}) == Words{"--network-mapping", "bad", "prod"});
  CHECK(SpreadWords(program, {"--", "--network-mapping", "a=b", "c=d"}) ==
        Words{"--", "--network-mapping", "a=b", "c=d"});
}

TEST_CASE("the reference page's command line") {
  const Program program = Small();
  const auto parsed = ParseArguments(program, {"protection-group", "failover", "prod-web-app", "--network-mapping",
                                               "net-primary-web=net-secondary-web", "net-primary-db=net-secondary-db",
                                               "--flavor-mapping", "m1.large=m2.large"});
  REQUIRE(parsed.ok());
  CHECK(parsed->command->PathText() == "protection-group failover");
  CHECK(parsed->arguments.Get("group") == "prod-web-app");
  CHECK(parsed->arguments.All("network-mapping") ==
        Words{"net-primary-web=net-secondary-web", "net-primary-db=net-secondary-db"});
  CHECK(parsed->arguments.All("flavor-mapping") == Words{"m1.large=m2.large"});
}

TEST_CASE("global options stand before and after the command") {
  const Program program = Small();
  for (const Words& words : {Words{"-f", "json", "protection-group", "failover", "g"},
                             Words{"protection-group", "-f", "json", "failover", "g"},
                             Words{"protection-group", "failover", "g", "-f", "json"},
                             Words{"protection-group", "failover", "g", "--format=json"}}) {
    const auto parsed = ParseArguments(program, words);
    REQUIRE(parsed.ok());
    CHECK(parsed->arguments.Get("format") == "json");
  }
}

TEST_CASE("the option -c repeats, --type does not") {
  const Program program = Small();
  const auto parsed = ParseArguments(program, {"protection-group", "failover", "g", "-c", "name", "-c", "status"});
  REQUIRE(parsed.ok());
  CHECK(parsed->arguments.All("column") == Words{"name", "status"});
  CHECK_FALSE(
      ParseArguments(program, {"protection-group", "failover", "g", "--type", "planned", "--type", "unplanned"}).ok());
}

TEST_CASE("a value that begins with a bracket is one value") {
  const auto parsed = ParseArguments(Small(), {"protection-group", "add-member", "g", "[web-1,web-2]", "x"});
  REQUIRE(parsed.ok());
  CHECK(parsed->arguments.All("server") == Words{"[web-1,web-2]", "x"});
}

TEST_CASE("mistakes get a sentence and a suggestion") {
  const Program program = Small();
  CHECK(Remedy(ParseArguments(program, {"protection-group", "failovr", "g"}).status()).find("'failover'") !=
        std::string::npos);
  CHECK(Remedy(ParseArguments(program, {"protecton-group", "failover"}).status()).find("'protection-group'") !=
        std::string::npos);
  CHECK(Remedy(ParseArguments(program, {"protection-group", "failover", "g", "--netwrk-mapping", "a=b"}).status())
            .find("'--network-mapping'") != std::string::npos);
  CHECK(Remedy(ParseArguments(program, {"protection-group", "failover", "g", "--type", "unpland"}).status())
            .find("'unplanned'") != std::string::npos);
  CHECK(protector::MessageOf(ParseArguments(program, {"protection-group", "failover"}).status()).find("<group>") !=
        std::string::npos);
  CHECK(
      protector::MessageOf(ParseArguments(program, {"protection-group", "failover", "a", "b"}).status()).find("'b'") !=
      std::string::npos);
  for (const Words& words :
       {Words{}, Words{"protection-group"}, Words{"protection-group", "failover", "g", "--type"}}) {
    CHECK(ParseArguments(program, words).status().code() == absl::StatusCode::kInvalidArgument);
  }
}

TEST_CASE("help and version need nothing else to be right") {
  const Program program = Small();
  const auto help = ParseArguments(program, {"protection-group", "failover", "--help"});
  REQUIRE(help.ok());
  CHECK(help->help);
  CHECK(help->path == Words{"protection-group", "failover"});
  CHECK(ParseArguments(program, {"--version"})->version);
  CHECK(HelpText(program, {"protection-group", "failover"}, 80).find("--network-mapping A=B ...") != std::string::npos);
  CHECK(HelpText(program, {"protection-group"}, 80).find("add-member") != std::string::npos);
  CHECK(HelpText(program, {}, 80).find("Exit codes: 0 done") != std::string::npos);
  CHECK(ReferenceMarkdown(program).find("## protector protection-group failover") != std::string::npos);
}

TEST_CASE("nearest words") {
  CHECK(EditDistance("abc", "acb") == 1);
  CHECK(EditDistance("", "abc") == 3);
  CHECK(Nearest("falover", {"failover", "failback"}) == "failover");
  CHECK(Nearest("zzz", {"failover"}).empty());
  CHECK(Nearest("sync", {"sync-status"}) == "sync-status");
}

TEST_CASE("completion knows what may come next") {
  const Program program = Small();
  CHECK(Complete(program, {}, "").words == Words{"protection-group", "completion"});
  CHECK(Complete(program, {"protection-group"}, "f").words == Words{"failover", "add-member"});
  CHECK(Complete(program, {"protection-group", "failover"}, "").names == Names::kGroup);
  CHECK(Complete(program, {"protection-group", "failover", "g", "--type"}, "").words == Words{"planned", "unplanned"});
  CHECK(Complete(program, {"--os-cloud"}, "").names == Names::kCloud);
  CHECK(Complete(program, {"-f", "json", "protection-group"}, "").words == Words{"failover", "add-member"});
  const Words options = Complete(program, {"protection-group", "failover", "g"}, "--").words;
  CHECK(std::find(options.begin(), options.end(), "--flavor-mapping") != options.end());
  CHECK(std::find(options.begin(), options.end(), "--os-cloud") != options.end());
}
