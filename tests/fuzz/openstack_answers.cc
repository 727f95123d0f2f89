// Everything that Keystone, Nova, Cinder, Neutron and Glance may answer to any of our questions. Keystone lets us in
// first, but when the first byte is odd: then the answer to the login is the fuzzer's as well.
#include "libs/base/error.h"
#include "libs/openstack/test_cloud.h"
#include "tests/fuzz/answers.h"

namespace {

using protector::fuzz::Answers;
using protector::fuzz::Require;
using protector::http::Request;
using protector::http::Response;
namespace openstack = protector::openstack;

// Keystone is sent the password, the others the token; both are TestCloud's.
constexpr char kPassword[] = "s3cret-pw";
constexpr char kToken[] = "token-1";

void Check(const absl::Status& status, const char* secret = kToken) {
  if (status.ok()) return;
  Require(!status.message().empty(), "a failure has a text");
  Require(status.ToString().find(secret) == std::string::npos, "no failure repeats a secret");
}

void AskEverything(openstack::Cloud& cloud, const Answers& answers) {
  const openstack::CallContext call;
  const std::vector<std::function<absl::Status()>> questions = {
      [&] { return cloud.nova().ListServers(call, {}).status(); },
      [&] { return cloud.nova().GetServer(call, "id").status(); },
      [&] { return cloud.nova().CreateServer(call, {}).status(); },
      [&] { return cloud.nova().StopServer(call, "id", false); },
      [&] { return cloud.nova().ListInterfaces(call, "id").status(); },
      [&] { return cloud.nova().ListVolumeAttachments(call, "id").status(); },
      [&] { return cloud.nova().ListFlavors(call).status(); },
      [&] { return cloud.nova().ListKeyPairs(call, "").status(); },
      [&] { return cloud.nova().ListServerGroups(call, true).status(); },
      [&] { return cloud.nova().ListAvailabilityZones(call).status(); },
      [&] { return cloud.nova().GetQuotas(call, "p1").status(); },
      [&] { return cloud.cinder().ListVolumes(call, {}).status(); },
      [&] { return cloud.cinder().GetVolume(call, "id").status(); },
      [&] { return cloud.cinder().Manage(call, {}).status(); },
      [&] { return cloud.cinder().ListManageable(call, "host").status(); },
      [&] { return cloud.cinder().ListSnapshots(call, "id").status(); },
      [&] { return cloud.cinder().ListVolumeTypes(call).status(); },
      [&] { return cloud.cinder().ListPools(call).status(); },
      [&] { return cloud.cinder().ListServices(call).status(); },
      [&] { return cloud.cinder().GetVolumeQuotas(call, "p1").status(); },
      [&] { return cloud.neutron().ListNetworks(call, "").status(); },
      [&] { return cloud.neutron().ListSubnets(call, "id").status(); },
      [&] { return cloud.neutron().ListPorts(call, {}).status(); },
      [&] { return cloud.neutron().CreatePort(call, {}).status(); },
      [&] { return cloud.neutron().ListSecurityGroups(call, "p1").status(); },
      [&] { return cloud.neutron().ListFloatingIps(call, {}).status(); },
      [&] { return cloud.neutron().GetNetworkQuotas(call, "p1").status(); },
      [&] { return cloud.glance().GetImage(call, "id").status(); },
      [&] { return cloud.keystone().Self(call).status(); },
      [&] { return cloud.keystone().ValidateToken(call, "token").status(); },
      [&] { return cloud.keystone().ListProjects(call, "", "").status(); },
      [&] { return cloud.keystone().ListDomains(call, "").status(); },
      [&] { return cloud.Probe(call, "compute").status(); },
  };
  for (size_t round = 0; round < 2 && answers.Left(); ++round) {
    for (const auto& question : questions) Check(question());
  }
}

std::optional<Response> Scripted(openstack::TestCloud& cloud, const Request& request, bool login) {
  if (request.url.ends_with("/auth/tokens") && login) return *cloud.Login();
  const bool version = request.url == "http://c:8774/v2.1/" || request.url == "http://c:8776/v3/";
  if (version) return *cloud.http.Do(request);
  return std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const bool login = data[0] % 2 == 0;
  openstack::TestCloud world;
  Answers answers(protector::fuzz::Text(data + 1, size - 1),
                  [&](const Request& request) { return Scripted(world, request, login); });
  const auto cloud =
      openstack::Connect(world.config, {answers, world.clock, [] { return 0.0; }, nullptr, &world.ids, {}});
  if (!cloud.ok()) return 0;
  if (!login) Check((*cloud)->Token({}).status(), kPassword);
  if (login) AskEverything(**cloud, answers);
  return 0;
}
