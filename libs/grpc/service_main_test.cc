#include "libs/grpc/service_main.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

namespace protector::rpc {
namespace {

ServiceDefinition Example() {
  ServiceDefinition definition;
  definition.name = "example";
  definition.description = "An example.";
  definition.default_port = 7300;
  definition.schema.Add({.path = "peer", .doc = "The peer.", .required = true, .example = "127.0.20.1:7300"});
  definition.build = [](const Environment&) -> absl::StatusOr<std::unique_ptr<App>> {
    return absl::InternalError("not built in this test");
  };
  return definition;
}

int Run(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "example");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  return RunService(static_cast<int>(argv.size()), argv.data(), Example());
}

TEST_CASE("exit codes of the flags and of configurations") {
  const auto path = std::filesystem::temp_directory_path() / "protector-service-main-test.yaml";
  std::ofstream(path) << "site: s\npeer: p\n";
  CHECK(Run({"--version"}) == 0);
  CHECK(Run({"--help"}) == 0);
  CHECK(Run({"--print-sample-config"}) == 0);
  CHECK(Run({"--no-such-flag"}) == 2);
  CHECK(Run({}) == 2);
  CHECK(Run({"--config", "/nonexistent.yaml"}) == 2);
  CHECK(Run({"--config", path.string(), "--check-config"}) == 0);
  CHECK(Run({"--config", path.string()}) == 1);
  std::ofstream(path) << "site: s\npeer: p\nunknown: 1\n";
  CHECK(Run({"--config", path.string(), "--check-config"}) == 2);
  std::filesystem::remove(path);
}

TEST_CASE("the sample has the common keys and the service's own") {
  const std::string sample = SampleConfig(Example());
  for (const char* text : {"site: site-a", "listen: 127.0.10.1:7300", "  listen: 127.0.10.1:7400",
                           "  path: /var/lib/protector/example/example.db", "peer: 127.0.20.1:7300"}) {
    INFO(sample);
    CHECK(sample.find(text) != std::string::npos);
  }
}

}  // namespace
}  // namespace protector::rpc
