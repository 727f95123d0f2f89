#include "libs/cloudconfig/cloudconfig.h"

#include <catch2/catch.hpp>

#include "libs/base/error.h"

namespace protector::cloudconfig {
namespace {

const char kTwoClouds[] = R"(
clouds:
  site-a:
    auth: {auth_url: "http://a:5000/v3", username: demo, password: pw-a, project_name: demo, user_domain_name: Default}
    region_name: site-a
  site-b:
    auth: {auth_url: "http://b:5000/v3", username: demo, project_name: demo}
    regions: [one, {name: two, values: {interface: internal, auth: {username: two-user}}}]
    verify: false
)";

FakeEnv WithFile(const std::string& text = kTwoClouds) {
  FakeEnv env;
  env.files["/cwd/clouds.yaml"] = text;
  return env;
}

Cloud Loaded(const Env& env, const Options& options = {}) {
  const auto cloud = Load(env, options);
  INFO(cloud.status().message());
  REQUIRE(cloud.ok());
  return *cloud;
}

TEST_CASE("a cloud is chosen by option, else by OS_CLOUD") {
  FakeEnv env = WithFile();
  env.variables["OS_CLOUD"] = "site-a";
  CHECK(Loaded(env).auth_url() == "http://a:5000/v3");
  CHECK(Loaded(env).config_file == "/cwd/clouds.yaml");
  CHECK(Loaded(env, {{"cloud", "site-b"}}).auth_url() == "http://b:5000/v3");
  CHECK_FALSE(Loaded(env, {{"cloud", "site-b"}}).verify);
}

TEST_CASE("the environment alone is a cloud, and wins over the file when none is named") {
  FakeEnv env = WithFile();
  env.variables = {
      {"OS_AUTH_URL", "http://e:5000/v3"}, {"OS_USERNAME", "u"},   {"OS_PASSWORD", "p"}, {"OS_PROJECT_NAME", "demo"},
      {"OS_USER_DOMAIN_NAME", "Default"},  {"OS_REGION_NAME", "R"}};
  const Cloud cloud = Loaded(env);
  CHECK(cloud.name == "envvars");
  CHECK(cloud.Auth("username") == "u");
  CHECK(cloud.region_name == "R");
  CHECK(cloud.config_file.empty());
  CHECK(CheckComplete(cloud).ok());
  env.variables["OS_CLOUD"] = "site-a";
  CHECK(Loaded(env).Auth("username") == "demo");
}

TEST_CASE("selectors alone are no cloud; the only one in the file is taken") {
  FakeEnv env = WithFile("clouds: {only: {auth: {auth_url: 'http://o'}}}");
  env.variables["OS_REGION_NAME"] = "";
  CHECK(Loaded(env).name == "only");
  const Cloud several = Loaded(WithFile());
  CHECK(several.name.empty());
  CHECK_THAT(MessageOf(CheckComplete(several)), Catch::Contains("none is chosen"));
}

TEST_CASE("the first place with a file wins, the named one before all") {
  FakeEnv env;
  env.files["/etc/openstack/clouds.yaml"] = "clouds: {etc: {}}";
  CHECK(Loaded(env).name == "etc");
  env.files["/home/user/.config/openstack/clouds.yml"] = "clouds: {home: {}}";
  CHECK(Loaded(env).name == "home");
  env.files["/cwd/clouds.json"] = R"({"clouds": {"cwd": {}}})";
  CHECK(Loaded(env).name == "cwd");
  env.files["/named"] = "clouds: {named: {}}";
  env.variables["OS_CLIENT_CONFIG_FILE"] = "/named";
  CHECK(Loaded(env).name == "named");
}

TEST_CASE("secrets from secure.yaml are laid over the clouds") {
  FakeEnv env = WithFile();
  env.files["/etc/openstack/secure.yaml"] = "clouds: {site-b: {auth: {password: pw-b}}}";
  const Cloud cloud = Loaded(env, {{"cloud", "site-b"}});
  CHECK(cloud.Auth("password") == "pw-b");
  CHECK(cloud.Auth("username") == "demo");
}

TEST_CASE("regions bring their own values, an unknown one is refused") {
  const FakeEnv env = WithFile();
  CHECK(Loaded(env, {{"cloud", "site-b"}}).region_name == "one");
  const Cloud two = Loaded(env, {{"cloud", "site-b"}, {"region_name", "two"}});
  CHECK(two.interface == "internal");
  CHECK(two.Auth("username") == "two-user");
  const absl::Status status = Load(env, {{"cloud", "site-b"}, {"region_name", "Two"}}).status();
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(DetailOf(status).remedy, Catch::Contains("one, two"));
}

TEST_CASE("options win over the file, also where the other key said the same") {
  FakeEnv env = WithFile("clouds: {c: {auth: {auth_url: 'http://x', project_id: p1, user_id: u1, password: old}}}");
  const Cloud cloud =
      Loaded(env, {{"project_name", "other"}, {"username", "me"}, {"password", "new"}, {"insecure", "true"}});
  CHECK(cloud.Auth("project_name") == "other");
  CHECK(cloud.Auth("project_id").empty());
  CHECK(cloud.Auth("user_id").empty());
  CHECK(cloud.Auth("password") == "new");
  CHECK_FALSE(cloud.verify);
}

TEST_CASE("old spellings") {
  const Cloud cloud = Loaded(WithFile(R"(
clouds:
  c:
    auth: {auth_url: "http://{region_name}.x:5000", tenant_name: t, user-name: u, domain_name: D}
    region-name: r1
    endpoint_type: internal
    volume_endpoint_type: admin
    compute_timeout: 7
    identity_api_version: 3
    cacert: ~/ca.pem
)"));
  CHECK(cloud.auth_url() == "http://r1.x:5000");
  CHECK(cloud.Auth("project_name") == "t");
  CHECK(cloud.Auth("username") == "u");
  CHECK(cloud.Auth("user_domain_name") == "D");
  CHECK(cloud.Auth("project_domain_name") == "D");
  CHECK(cloud.Auth("domain_name").empty());
  CHECK(cloud.interface == "internal");
  CHECK(cloud.Extra("volume_interface") == "admin");
  CHECK(cloud.api_timeout == 7.0);
  CHECK(cloud.Extra("identity_api_version") == "3");
  CHECK(cloud.cacert == "/home/user/ca.pem");
}

TEST_CASE("profiles come from clouds-public.yaml and lie below the cloud") {
  FakeEnv env = WithFile("clouds: {c: {profile: corp, auth: {username: u}}}");
  env.files["/etc/openstack/clouds-public.yaml"] =
      "public-clouds: {corp: {auth: {auth_url: 'http://corp', username: nobody}, region_name: corp-1}}";
  const Cloud cloud = Loaded(env);
  CHECK(cloud.auth_url() == "http://corp");
  CHECK(cloud.Auth("username") == "u");
  CHECK(cloud.region_name == "corp-1");
}

TEST_CASE("what cannot be meant is refused with a remedy and without secrets") {
  FakeEnv env = WithFile("clouds: {envvars: {}}");
  CHECK(Load(env).status().code() == absl::StatusCode::kInvalidArgument);
  env = WithFile();
  const absl::Status unknown = Load(env, {{"cloud", "site-x"}}).status();
  CHECK(unknown.code() == absl::StatusCode::kNotFound);
  CHECK_THAT(DetailOf(unknown).remedy, Catch::Contains("site-a, site-b"));
  CHECK(Load(WithFile("clouds: {c: {auth: text}}")).status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(Load(WithFile("clouds: {c: }")).status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(Load(WithFile("clouds: {c: {auth: {auth_url: '{nothing}'}}}")).status().code() ==
        absl::StatusCode::kInvalidArgument);
  CHECK(Load(WithFile("- 1")).status().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("what is missing to log in is named") {
  Cloud cloud = Loaded(WithFile("clouds: {c: {auth: {auth_url: 'http://x'}}}"));
  const absl::Status status = CheckComplete(cloud);
  CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
  CHECK_THAT(MessageOf(status), Catch::Contains("username or user_id, password missing"));
  cloud.auth_type = "v3applicationcredential";
  CHECK_THAT(MessageOf(CheckComplete(cloud)), Catch::Contains("application_credential_secret"));
  cloud.auth_type = "v3oidcpassword";
  CHECK_THAT(MessageOf(CheckComplete(cloud)), Catch::Contains("not supported"));
}

TEST_CASE("nothing at all gives the defaults") {
  const Cloud cloud = Loaded(FakeEnv());
  CHECK(cloud.name == "defaults");
  CHECK(cloud.auth_type == "password");
  CHECK(cloud.interface == "public");
  CHECK(CloudNames(FakeEnv())->empty());
  CHECK(*CloudNames(WithFile()) == std::vector<std::string>{"site-a", "site-b"});
}

}  // namespace
}  // namespace protector::cloudconfig
