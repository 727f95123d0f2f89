#include "cli/protector/client/login.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "libs/base/error.h"
#include "libs/json/json.h"

namespace protector::cli {
namespace {

constexpr char kHome[] = "http://a:5000/v3";

// The process' files, for the directory that tokens are kept in, with variables of the test's own.
struct RealFilesEnv final : cloudconfig::Env {
  std::map<std::string, std::string> variables;
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> Variables() const override { return variables; }
  std::string WorkingDirectory() const override { return "/nowhere"; }
  std::string HomeDirectory() const override { return "/home/user"; }
  std::optional<std::string> ReadFile(const std::string& path) const override {
    if (const auto found = files.find(path); found != files.end()) return found->second;
    return cloudconfig::NewProcessEnv()->ReadFile(path);
  }
};

cloudconfig::Cloud CloudAt(const std::string& auth_url, const std::string& password = "pw") {
  cloudconfig::Cloud cloud;
  cloud.auth_type = "password";
  cloud.auth = {{"auth_url", auth_url}, {"username", "demo"}, {"password", password}, {"project_name", "demo"}};
  return cloud;
}

struct Fixture {
  RealFilesEnv env;
  ManualClock clock{absl::FromUnixSeconds(1767225600)};
  std::vector<std::string> logins;  // auth_urls
  std::string failure;

  LoginHelper Helper() {
    return [this](const std::string& input) -> absl::StatusOr<std::string> {
      const auto asked = json::Parse(input);
      logins.push_back(asked->GetStringOr("auth.auth_url", ""));
      if (!failure.empty()) return failure;
      return json::Value::Object({{"token", "token-" + std::to_string(logins.size())},
                                  {"expires_at", absl::ToUnixSeconds(clock.Now() + absl::Hours(1))}})
          .Dump();
    };
  }
  Login Make(absl::StatusOr<cloudconfig::Cloud> home = CloudAt(kHome)) {
    return Login(std::move(home), env, clock, absl::Seconds(5), Helper());
  }
};

const SiteAddress kSiteA{.name = "site-a", .auth_url = kHome, .site_registry = "a:7101"};
const SiteAddress kSiteB{.name = "site-b", .auth_url = "http://b:5000/v3"};

TEST_CASE("one login serves all calls of a command; another site is told whose token it is") {
  Fixture f;
  Login login = f.Make();
  const auto at_a = login.For(kSiteA, kSiteA, false);
  REQUIRE(at_a.ok());
  CHECK(at_a->token == "token-1");
  CHECK(at_a->site.empty());
  const auto at_b = login.For(kSiteB, kSiteA, false);
  REQUIRE(at_b.ok());
  CHECK(at_b->token == "token-1");
  CHECK(at_b->site == "site-a");
  CHECK(at_b->registry == "a:7101");
  CHECK(f.logins.size() == 1);
  CHECK(login.For(kSiteB, kSiteA, true)->token == "token-2");  // the other one was refused
}

TEST_CASE("a site with credentials of its own gets a token of its own, and the other's where that fails") {
  Fixture f;
  f.env.files["/home/user/.config/openstack/clouds.yaml"] =
      "clouds:\n  there:\n    auth:\n      auth_url: http://b:5000/v3\n      username: demo\n      password: pw\n"
      "      project_name: demo\n";
  Login login = f.Make();
  SiteAddress b = kSiteB;
  b.cloud = "there";
  const auto own = login.For(b, kSiteA, false);
  INFO(own.status().ToString());
  REQUIRE(own.ok());
  CHECK(own->site.empty());
  CHECK(f.logins == std::vector<std::string>{"http://b:5000/v3"});
  b.cloud = "nowhere";
  const auto others = login.For(b, kSiteA, false);
  REQUIRE(others.ok());
  CHECK(others->site == "site-a");
}

TEST_CASE("without credentials, or for a site that is not registered, it says so") {
  Fixture f;
  CHECK(f.Make(absl::FailedPreconditionError("no credentials")).For(kSiteB, kSiteA, false).status().message() ==
        "no credentials");
  SiteAddress nameless = kSiteA;
  nameless.name.clear();
  CHECK(DetailOf(f.Make().For(kSiteB, nameless, false).status()).reason == "SITE_NOT_REGISTERED");
}

TEST_CASE("what Keystone says of a login reaches the user") {
  Fixture f;
  f.failure =
      R"({"code":16,"reason":"NOT_AUTHENTICATED","message":"wrong password","object":"user demo","remedy":"do"})";
  const absl::Status status = f.Make().For(kSiteA, kSiteA, false).status();
  CHECK(status.code() == absl::StatusCode::kUnauthenticated);
  CHECK(DetailOf(status).reason == "NOT_AUTHENTICATED");
  CHECK(DetailOf(status).remedy == "do");
  CHECK(MessageOf(status).find("wrong password") != std::string::npos);
}

TEST_CASE("a helper that says nonsense is a failed login with a remedy") {
  Fixture f;
  for (const char* said : {"Segmentation fault", "{}", "[1]", R"({"token":""})"}) {
    f.failure = said;
    const absl::Status status = f.Make().For(kSiteA, kSiteA, false).status();
    CAPTURE(said);
    CHECK(status.code() == absl::StatusCode::kInternal);
    CHECK(MessageOf(status) == "login at http://a:5000/v3: no answer");
    CHECK_FALSE(DetailOf(status).remedy.empty());
  }
}

TEST_CASE("a login that failed is not tried again at once, and is after a while") {
  Fixture f;
  f.failure = R"({"code":14,"reason":"CLOUD_UNREACHABLE","message":"no answer"})";
  Login login = f.Make();
  for (int i = 0; i < 5; ++i) CHECK_FALSE(login.For(kSiteA, kSiteA, false).ok());
  CHECK(f.logins.size() == 1);
  f.failure.clear();
  f.clock.Advance(absl::Seconds(3));
  CHECK(login.For(kSiteA, kSiteA, false).ok());
}

TEST_CASE("a token is kept for the next command in the user's own directory, and nowhere else") {
  Fixture f;
  const std::string directory = std::filesystem::current_path() / "login_test.d";
  std::filesystem::remove_all(directory);
  std::filesystem::create_directory(directory);
  f.env.variables["XDG_RUNTIME_DIR"] = directory;
  SECTION("that others may look into: not kept") {
    chmod(directory.c_str(), 0755);
    CHECK(f.Make().For(kSiteA, kSiteA, false)->token == "token-1");
    CHECK(f.Make().For(kSiteA, kSiteA, false)->token == "token-2");
  }
  SECTION("kept, until it is refused or ends") {
    chmod(directory.c_str(), 0700);
    CHECK(f.Make().For(kSiteA, kSiteA, false)->token == "token-1");
    CHECK(f.Make().For(kSiteA, kSiteA, false)->token == "token-1");
    CHECK(f.Make(CloudAt(kHome, "other")).For(kSiteA, kSiteA, false)->token == "token-2");  // other credentials
    for (const auto& entry : std::filesystem::directory_iterator(directory + "/protector")) {
      struct stat about = {};
      REQUIRE(stat(entry.path().c_str(), &about) == 0);
      CHECK((about.st_mode & 0777) == 0600);
    }
    CHECK(f.Make().For(kSiteA, kSiteA, true)->token == "token-3");
    CHECK(f.Make().For(kSiteA, kSiteA, false)->token == "token-3");
    f.clock.Advance(absl::Minutes(59));
    CHECK(f.Make().For(kSiteA, kSiteA, false)->token == "token-4");
  }
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace protector::cli
