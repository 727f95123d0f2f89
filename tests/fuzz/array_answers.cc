// Everything that an array may answer to any of our questions. The first byte chooses the version that it speaks.
#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "services/storage-pure/adapters/flasharray/client.h"
#include "tests/fuzz/answers.h"

namespace {

using protector::fuzz::Answers;
using protector::fuzz::Require;
using protector::http::Request;
using protector::http::Response;
namespace flasharray = protector::storage::flasharray;
namespace storage = protector::storage;

constexpr char kToken[] = "11112222-3333-4444-5555-666677778888";

std::optional<Response> Scripted(const Request& request, const std::string& version) {
  if (request.route == "/api_version" || request.url.ends_with("/api/api_version")) {
    return Response{200, {}, R"({"version":[")" + version + R"("]})"};
  }
  if (request.route == "/login" || request.url.ends_with("/login")) return Response{200, {{"x-auth-token", "t"}}, "{}"};
  return std::nullopt;
}

void Check(const absl::Status& status) {
  if (status.ok()) return;
  Require(!status.message().empty(), "a failure has a text");
  Require(status.ToString().find(kToken) == std::string::npos, "no failure repeats a secret");
}

void AskEverything(flasharray::Client& client, const Answers& answers) {
  storage::Scope scope;
  storage::VolumeFilter some{.serials = {"S1", "S2"}};
  const std::vector<std::function<absl::Status()>> questions = {
      [&] { return client.GetIdentity(scope).status(); },
      [&] { return client.ListPeers(scope).status(); },
      [&] { return client.ListVolumes(scope, some).status(); },
      [&] { return client.ListVolumes(scope, {}).status(); },
      [&] { return client.CloneVolume(scope, "n", "a:pg.1.v").status(); },
      [&] { return client.DestroyVolume(scope, "id"); },
      [&] { return client.MoveVolumeToPod(scope, "id", "pod"); },
      [&] { return client.ListTags(scope).status(); },
      [&] { return client.ListConnections(scope, {"v"}).status(); },
      [&] { return client.ListVolumeSnapshots(scope, "a:pg.1").status(); },
      [&] { return client.ListGroups(scope, {"pg"}).status(); },
      [&] { return client.ListGroupVolumes(scope, "pg").status(); },
      [&] { return client.ListTargets(scope, "pg").status(); },
      [&] { return client.ListGroupSnapshots(scope, "pg").status(); },
      [&] { return client.ListTransfers(scope, "a:pg.1").status(); },
      [&] { return client.CreateGroupSnapshot(scope, "pg", "x"); },
      [&] { return client.ListPods(scope, {"pod"}).status(); },
      [&] { return client.ListLinks(scope, "pod").status(); },
  };
  // Each question is asked in turn until the answers are used up, and once more around, so that each meets each.
  for (size_t round = 0; round < 2 && answers.Left(); ++round) {
    for (const auto& question : questions) Check(question());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string version = std::vector<std::string>{"2.4", "2.15", "2.26"}[data[0] % 3];
  Answers answers(protector::fuzz::Text(data + 1, size - 1),
                  [&](const Request& request) { return Scripted(request, version); });
  protector::ManualClock clock{absl::FromUnixSeconds(1'700'000'000)};
  protector::RandomIdGenerator ids;
  flasharray::SessionOptions options;
  options.url = "https://a";
  options.api_token = [] { return std::string(kToken); };
  flasharray::Client client(options, {answers, clock, ids, [] { return 0.5; }, nullptr});
  AskEverything(client, answers);
  flasharray::ParseVersion(protector::fuzz::Text(data, size));
  return 0;
}
