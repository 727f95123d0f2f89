#include "libs/config/config.h"

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "libs/base/error.h"

namespace protector::config {
namespace {

Schema Example() {
  Schema schema;
  schema.Add({.path = "site", .doc = "Name of this site.", .required = true, .example = "site-a"});
  schema.Add({.path = "rpc.workers",
              .type = Type::kInteger,
              .doc = "Threads.",
              .default_value = "16",
              .minimum = 1,
              .maximum = 64});
  schema.Add({.path = "rpc.share", .type = Type::kNumber, .doc = "Share.", .default_value = "0.5"});
  schema.Add({.path = "rpc.wait", .type = Type::kDuration, .doc = "Wait.", .default_value = "5s"});
  schema.Add({.path = "verify", .type = Type::kBoolean, .doc = "Check certificates.", .default_value = "true"});
  schema.Add({.path = "mode", .doc = "Mode.", .default_value = "fast", .choices = {"fast", "slow"}});
  schema.Add({.path = "tags", .type = Type::kStrings, .doc = "Tags.", .default_value = "[a, b]"});
  schema.Add({.path = "note", .doc = "Free text.", .example = "hello"});
  Schema array;
  array.Add({.path = "name", .doc = "Its name.", .required = true, .example = "array-a"});
  array.Add(
      {.path = "token", .doc = "API token.", .required = true, .secret = true, .example = "${ENV:CONFIG_TEST_TOKEN}"});
  schema.AddList("arrays", "Arrays of this site.", array);
  return schema;
}

std::string FaultsOf(const std::string& text) {
  const auto config = Example().LoadText(text, "dir/x.yaml");
  REQUIRE_FALSE(config.ok());
  CHECK(config.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_FALSE(DetailOf(config.status()).remedy.empty());
  return MessageOf(config.status());
}

TEST_CASE("given values and defaults are read by their types") {
  const auto config = Example().LoadText("site: s\nrpc:\n  workers: 4\ntags: [x]\nverify: false\n", "x.yaml");
  REQUIRE(config.ok());
  CHECK(config->GetString("site") == "s");
  CHECK(config->GetInteger("rpc.workers") == 4);
  CHECK(config->GetNumber("rpc.share") == 0.5);
  CHECK(config->GetDuration("rpc.wait") == absl::Seconds(5));
  CHECK_FALSE(config->GetBoolean("verify"));
  CHECK(config->GetStrings("tags") == std::vector<std::string>{"x"});
  CHECK(config->GetString("mode") == "fast");
  CHECK(config->GetList("arrays").empty());
  CHECK(config->Has("rpc.workers"));
  CHECK_FALSE(config->Has("rpc.wait"));
  CHECK(config->Where("rpc.workers") == "x.yaml:3");
}

TEST_CASE("faults name file, line and key, all at once") {
  const std::string faults =
      FaultsOf("rpc:\n  workers: many\n  wait: 5 parsecs\nsiet: x\nverify: yes\nmode: odd\ntags: x\nnote:\n  - 1\n");
  CHECK(faults.find("dir/x.yaml:2: key \"rpc.workers\" has to be a whole number, not \"many\"") != std::string::npos);
  CHECK(faults.find("dir/x.yaml:3: key \"rpc.wait\" has to be a duration") != std::string::npos);
  CHECK(faults.find("dir/x.yaml:4: unknown key \"siet\"") != std::string::npos);
  CHECK(faults.find("dir/x.yaml:5: key \"verify\" has to be true or false") != std::string::npos);
  CHECK(faults.find("dir/x.yaml:6: key \"mode\" has to be one of fast, slow") != std::string::npos);
  CHECK(faults.find("dir/x.yaml:7: key \"tags\" has to be a list of texts") != std::string::npos);
  CHECK(faults.find("dir/x.yaml:8: key \"note\" has to be a text") != std::string::npos);
  CHECK(faults.find("required key \"site\" is missing") != std::string::npos);
}

TEST_CASE("ranges, duplicates, empty required keys, broken YAML") {
  CHECK(FaultsOf("site: s\nrpc: {workers: 0}\n").find("between 1 and 64") != std::string::npos);
  CHECK(FaultsOf("site: s\nsite: t\n").find("x.yaml:2: key \"site\" is given twice") != std::string::npos);
  CHECK(FaultsOf("site: \"\"\n").find("is empty") != std::string::npos);
  CHECK(FaultsOf("site: s\nrpc: [\n").find("dir/x.yaml:") != std::string::npos);
  CHECK(FaultsOf("- a\n").find("a map of keys is expected") != std::string::npos);
  CHECK(FaultsOf("site: s\narrays:\n  - name: a\n").find("x.yaml:3: required key \"token\" is missing") !=
        std::string::npos);
}

TEST_CASE("secrets come from the environment or a file and are not shown in errors") {
  setenv("CONFIG_TEST_TOKEN", "t-1", 1);
  const auto directory = std::filesystem::temp_directory_path() / "protector-config-test";
  std::filesystem::create_directories(directory);
  std::ofstream(directory / "token") << "t-2\n";
  const std::string text =
      "site: s\narrays:\n  - {name: a, token: '${ENV:CONFIG_TEST_TOKEN}'}\n  - {name: b, token: '${FILE:token}'}\n";
  const auto config = Example().LoadText(text, (directory / "x.yaml").string());
  REQUIRE(config.ok());
  CHECK(config->GetList("arrays")[0].GetString("token") == "t-1");
  CHECK(config->GetList("arrays")[1].GetString("token") == "t-2");
  std::filesystem::remove_all(directory);

  CHECK(FaultsOf("site: ${ENV:NO_SUCH_THING}\n").find("NO_SUCH_THING is not set") != std::string::npos);
  CHECK(FaultsOf("site: ${FILE:nowhere}\n").find("dir/nowhere cannot be read") != std::string::npos);
  CHECK(FaultsOf("site: ${VAULT:x}\n").find("${ENV:NAME}") != std::string::npos);

  Schema secret;
  secret.Add({.path = "pin", .type = Type::kInteger, .doc = "Pin.", .required = true, .secret = true});
  const auto wrong = secret.LoadText("pin: hunter2\n", "x.yaml");
  CHECK(MessageOf(wrong.status()).find("hunter2") == std::string::npos);
}

TEST_CASE("a secret is what its file says now, or said last") {
  const auto directory = std::filesystem::temp_directory_path() / "protector-secret-test";
  std::filesystem::create_directories(directory);
  std::ofstream(directory / "note") << "one\n";
  const auto config = Example().LoadText("site: s\nnote: ${FILE:note}\n", (directory / "x.yaml").string());
  REQUIRE(config.ok());
  const auto secret = config->GetSecret("note");
  CHECK(secret() == "one");
  std::ofstream(directory / "note") << "two\n";
  CHECK(secret() == "two");
  CHECK(config->GetString("note") == "one");
  std::ofstream(directory / "note").flush();  // between truncating and writing, as an editor leaves it for a moment
  CHECK(secret() == "two");
  std::filesystem::remove_all(directory);
  CHECK(secret() == "two");
  CHECK(config->GetSecret("site")() == "s");  // written in the file itself
}

TEST_CASE("a systemd credential is read from the unit's directory") {
  const auto directory = std::filesystem::temp_directory_path() / "protector-credential-test";
  std::filesystem::create_directories(directory);
  std::ofstream(directory / "password") << "from systemd";
  unsetenv("CREDENTIALS_DIRECTORY");
  CHECK(FaultsOf("site: ${CREDENTIAL:password}\n").find("LoadCredential") != std::string::npos);
  setenv("CREDENTIALS_DIRECTORY", directory.c_str(), 1);
  const auto config = Example().LoadText("site: ${CREDENTIAL:password}\n", "x.yaml");
  REQUIRE(config.ok());
  CHECK(config->GetString("site") == "from systemd");
  CHECK(FaultsOf("site: ${CREDENTIAL:other}\n").find("cannot be read") != std::string::npos);
  unsetenv("CREDENTIALS_DIRECTORY");
  std::filesystem::remove_all(directory);
}

TEST_CASE("a file that cannot be read is an error with a remedy") {
  const auto config = Example().LoadFile("/nonexistent/x.yaml");
  CHECK(config.status().code() == absl::StatusCode::kNotFound);
  CHECK(DetailOf(config.status()).reason == "CONFIG_UNREADABLE");
}

TEST_CASE("the sample shows every key, can be loaded and gives the defaults") {
  setenv("CONFIG_TEST_TOKEN", "t-1", 1);
  const std::string sample = Example().Sample("Configuration of the example.");
  for (const char* text : {"site: site-a", "  workers: 16", "# note: hello", "  - name: array-a",
                           "    token: ${ENV:CONFIG_TEST_TOKEN}", "# Mode. One of: fast, slow. Default: fast."}) {
    INFO(sample);
    CHECK(sample.find(text) != std::string::npos);
  }
  const auto config = Example().LoadText(sample, "x.yaml");
  INFO(config.status().ToString());
  REQUIRE(config.ok());
  CHECK(config->GetInteger("rpc.workers") == 16);
  CHECK(config->GetList("arrays").size() == 1);
}

}  // namespace
}  // namespace protector::config
