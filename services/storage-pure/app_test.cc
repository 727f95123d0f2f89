#include "services/storage-pure/app.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "libs/base/error.h"
#include "libs/grpc/testing/access_rows.h"
#include "protector/storage/v1/storage.pb.h"
#include "services/storage-pure/transport/access.h"

namespace protector::storage {
namespace {

absl::StatusOr<config::Config> Load(const std::string& array) {
  const rpc::ServiceDefinition definition = Definition();
  config::Schema schema = rpc::CommonSchema(definition);
  schema.Append(definition.schema);
  return schema.LoadText("site: site-a\narray:\n  api_token: t\n" + array, "test.yaml");
}

absl::Status Check(const std::string& array) {
  const auto config = Load(array);
  return config.ok() ? Definition().check(*config) : config.status();
}

}  // namespace

TEST_CASE("the shipped sample is what the program prints") {
  std::ifstream file(PROTECTOR_SOURCE_DIR "/deploy/config/storage-pure.sample.yaml");
  std::stringstream text;
  text << file.rdbuf();
  CHECK(text.str() == rpc::SampleConfig(Definition()));
}

TEST_CASE("configurations that cannot be meant are refused with file, key and remedy") {
  CHECK(Check("  insecure: true\n").ok());
  CHECK(Check("  fingerprint: \"" + std::string(64, 'a') + "\"\n").ok());
  for (const char* bad : {"  url: http://array\n", "  url: array\n", "  fingerprint: abc\n",
                          "  insecure: true\n  ca_file: /x\n", "  parallelism: 0\n", "  tokn: x\n"}) {
    INFO(bad);
    const absl::Status status = Check(bad);
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK(MessageOf(status).find("test.yaml") != std::string::npos);
  }
}

TEST_CASE("who may call is said of every method, and of nothing else") {
  CHECK(rpc::testing::WrongRows(MethodCallers(), {protector::storage::v1::Array::descriptor()->file()}) ==
        std::vector<std::string>{});
}

}  // namespace protector::storage
