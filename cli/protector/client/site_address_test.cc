#include "cli/protector/client/site_address.h"

#include <catch2/catch.hpp>

#include "cli/protector/client/cli_config.h"
#include "cli/protector/client/exit_code.h"
#include "cli/protector/client/report.h"
#include "libs/base/error.h"

using namespace protector::cli;
using protector::Error;

namespace {

const std::vector<SiteAddress> kConfigured = {
    {.name = "site-a", .auth_url = "http://127.0.10.1:5000/v3", .orchestrator = "10.0.0.1:9"},
    {.name = "site-b", .auth_url = "http://127.0.20.1:5000/v3"},
};

}  // namespace

TEST_CASE("hosts of URLs") {
  CHECK(HostOfUrl("http://127.0.10.1:5000/v3") == "127.0.10.1");
  CHECK(HostOfUrl("https://Cloud.Example/identity") == "cloud.example");
  CHECK(HostOfUrl("http://[::1]:5000/v3") == "[::1]");
  CHECK(HostOfUrl("http://user:pw@host:1/") == "host");
  CHECK(HostOfUrl("nonsense").empty());
  CHECK(HostAndPortOfUrl("https://h/v3") == "h:443");
  CHECK(HostAndPortOfUrl("http://[::1]/v3") == "[::1]:80");
}

TEST_CASE("without a configuration the services are on the auth_url's host") {
  const auto choice = ChooseSite("", "http://127.0.20.1:5000/v3", {});
  REQUIRE(choice.ok());
  CHECK(choice->site.site_registry == "127.0.20.1:7101");
  CHECK(choice->site.metadata_sync == "127.0.20.1:7102");
  CHECK(choice->site.orchestrator == "127.0.20.1:7103");
  CHECK(choice->site.storage_pure == "127.0.20.1:7104");
  CHECK(choice->site.local);
  CHECK(choice->site.name.empty());
}

TEST_CASE("the configuration is found by the auth_url's host and port") {
  const auto choice = ChooseSite("", "http://127.0.10.1:5000", kConfigured);
  REQUIRE(choice.ok());
  CHECK(choice->site.name == "site-a");
  CHECK(choice->site.orchestrator == "10.0.0.1:9");
  CHECK(choice->site.site_registry == "127.0.10.1:7101");
  CHECK(ChooseSite("", "http://127.0.10.1:5001", kConfigured)->site.name.empty());
}

TEST_CASE("the option --site counts more than credentials") {
  CHECK(ChooseSite("site-b", "http://127.0.10.1:5000/v3", kConfigured)->site.name == "site-b");
  CHECK(ChooseSite("site-b", "", kConfigured)->site.name == "site-b");
  const auto unknown = ChooseSite("site-z", "http://127.0.10.1:5000/v3", kConfigured);
  REQUIRE(unknown.ok());
  CHECK(unknown->ask_registry_for_wanted);
  CHECK(unknown->site.name == "site-a");
}

TEST_CASE("nothing that names a site is an error of usage with a remedy") {
  for (const auto& choice : {ChooseSite("", "", {}), ChooseSite("site-z", "", kConfigured),
                             ChooseSite("", "", kConfigured), ChooseSite("", "nonsense", {})}) {
    REQUIRE_FALSE(choice.ok());
    CHECK(ExitCode(choice.status()) == 2);
    CHECK_FALSE(protector::DetailOf(choice.status()).remedy.empty());
  }
}

TEST_CASE("the configuration file") {
  protector::cloudconfig::FakeEnv env;
  CHECK(LoadCliConfig(env, "")->sites.empty());
  CHECK_FALSE(LoadCliConfig(env, "")->insecure);
  CHECK(LoadCliConfig(env, "")->tls_dir == "/home/user/.config/protector/tls");
  env.files["/home/user/.config/protector/protector.yaml"] =
      "sites:\n- name: site-a\n  auth_url: http://127.0.10.1:5000/v3\n";
  const auto config = LoadCliConfig(env, "");
  INFO(config.status().ToString());
  REQUIRE(config.ok());
  REQUIRE(config->sites.size() == 1);
  CHECK(config->sites.front().orchestrator == "127.0.10.1:7103");
  // A file that is named has to be there, and a wrong one is not passed over.
  CHECK(ExitCode(LoadCliConfig(env, "/nowhere.yaml").status()) == 2);
  env.variables["PROTECTOR_CONFIG"] = "/cwd/p.yaml";
  CHECK_FALSE(LoadCliConfig(env, "").ok());
  env.files["/cwd/p.yaml"] = "sites:\n- name: site-b\n  auth_url: http://x:1/v3\n  orchestrater: y:1\n";
  const auto wrong = LoadCliConfig(env, "");
  REQUIRE_FALSE(wrong.ok());
  CHECK(ExitCode(wrong.status()) == 2);
  CHECK(protector::MessageOf(wrong.status()).find("orchestrater") != std::string::npos);
}

TEST_CASE("where the certificate is") {
  protector::cloudconfig::FakeEnv env;
  env.files["/etc/protector/tls/ca.pem"] = "a CA";
  CHECK(LoadCliConfig(env, "")->tls_dir == "/etc/protector/tls");
  env.files["/home/user/.config/protector/tls/ca.pem"] = "a CA";
  CHECK(LoadCliConfig(env, "")->tls_dir == "/home/user/.config/protector/tls");
  env.files["/etc/protector/protector.yaml"] = "tls_dir: /keys\ninsecure: true\n";
  CHECK(LoadCliConfig(env, "")->tls_dir == "/keys");
  CHECK(LoadCliConfig(env, "")->insecure);
  env.variables["PROTECTOR_TLS_DIR"] = "/lab/tls";
  CHECK(LoadCliConfig(env, "")->tls_dir == "/lab/tls");
}

TEST_CASE("exit codes") {
  const auto code = [](absl::StatusCode status, const std::string& reason = "X") {
    return ExitCode(Error(status, reason, "m"));
  };
  CHECK(ExitCode(absl::OkStatus()) == 0);
  CHECK(code(absl::StatusCode::kInvalidArgument) == 2);
  CHECK(code(absl::StatusCode::kFailedPrecondition) == 3);
  CHECK(code(absl::StatusCode::kAborted, "GROUP_BUSY") == 3);
  CHECK(code(absl::StatusCode::kAlreadyExists) == 3);
  CHECK(code(absl::StatusCode::kUnavailable, "REMOTE_SITE_UNREACHABLE") == 4);
  CHECK(code(absl::StatusCode::kDeadlineExceeded) == 4);
  CHECK(code(absl::StatusCode::kNotFound) == 1);
  CHECK(code(absl::StatusCode::kInternal) == 1);
  CHECK(code(absl::StatusCode::kPermissionDenied) == 1);
  CHECK(code(absl::StatusCode::kCancelled, "INTERRUPTED") == 130);
  CHECK(code(absl::StatusCode::kUnavailable, "PARTLY_DONE") == 1);
}

TEST_CASE("an error says cause, object, site, reason and remedy, and cannot drive the terminal") {
  const absl::Status status =
      Error(absl::StatusCode::kNotFound, "GROUP_NOT_FOUND", "no such \x1b[31mgroup\nsecond line")
          .Object("protection group x")
          .Site("site-a")
          .Remedy("List them.");
  CHECK(ErrorText(status) ==
        "ERROR: no such ?[31mgroup\n  second line\n"
        "  object: protection group x\n"
        "  site:   site-a\n"
        "  reason: GROUP_NOT_FOUND\n"
        "  remedy: List them.\n");
}
