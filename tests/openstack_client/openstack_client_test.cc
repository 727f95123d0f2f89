// libs/openstack against openstack-sim: every call that the product makes, over real sockets.

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include <algorithm>

#include "libs/base/error.h"
#include "tests/openstack_client/simulated_site.h"

namespace protector::openstack {
namespace {

const CallContext kCall;

template <typename T>
T Ok(absl::StatusOr<T> value) {
  INFO(value.status().message());
  REQUIRE(value.ok());
  return *std::move(value);
}

void Ok(const absl::Status& status) {
  INFO(status.message());
  REQUIRE(status.ok());
}

// The tenant's project as the service user works in it, with what a server is made of.
struct Tenant {
  SimulatedSite site;
  std::shared_ptr<Cloud> service = site.Connect("protector", "service");
  std::shared_ptr<Cloud> member = site.Connect("demo", "demo");
  std::string project_id = Ok(member->keystone().Self(kCall)).project_id;
  std::shared_ptr<Cloud> cloud = Ok(service->ForProject(project_id));

  std::string NewVolume(const std::string& name, int size_gb) {
    const json::Value made = site.Raw(
        *member, "volume", "POST", "/volumes",
        fmt::format(R"({{"volume":{{"name":"{}","size":{},"volume_type":"replicated-async"}}}})", name, size_gb));
    const std::string id = made.GetStringOr("volume.id", "");
    REQUIRE(site.Wait([&] { return Ok(cloud->cinder().GetVolume(kCall, id)).status == "available"; }));
    return id;
  }

  Port NewPort(const std::string& ip) {
    const std::vector<Network> networks = Ok(cloud->neutron().ListNetworks(kCall, "net-primary-web"));
    REQUIRE(networks.size() == 1);
    CreatePort port;
    port.network_id = networks.front().id;
    port.project_id = project_id;
    port.name = "op1-port";
    port.mac_address = "fa:16:3e:12:34:56";
    port.fixed_ips = {{networks.front().subnet_ids.front(), ip}};
    port.security_group_ids = std::vector<std::string>();
    for (const SecurityGroup& group : Ok(cloud->neutron().ListSecurityGroups(kCall, project_id))) {
      if (group.name == "sg-web") port.security_group_ids->push_back(group.id);
    }
    CHECK(port.security_group_ids->size() == 1);
    port.allowed_address_pairs = {{"10.10.1.200", ""}};
    return Ok(cloud->neutron().CreatePort(kCall, port));
  }

  openstack::CreateServer Wanted(const std::string& root, const std::string& data, const std::string& port) {
    openstack::CreateServer server;
    server.name = "web-1";
    server.description = "first";
    server.flavor_id = Ok(FindFlavor(cloud->nova(), kCall, "m1.small")).id;
    server.port_ids = {port};
    server.block_devices = {{root, 0, "/dev/vda", false, "", ""}, {data, std::nullopt, "/dev/vdb", true, "", ""}};
    server.metadata = {{"protector", "op1"}};
    server.tags = {"web"};
    return server;
  }

  Server Until(const std::string& id, const std::string& status) {
    Server server;
    site.Wait([&] {
      server = Ok(cloud->nova().GetServer(kCall, id));
      return (server.status == status && server.task_state.empty()) || server.status == "ERROR";
    });
    return server;
  }
};

TEST_CASE("the site says who we are and what it has") {
  SimulatedSite site;
  const auto cloud = site.Connect("protector", "service");
  const TokenInfo self = Ok(cloud->keystone().Self(kCall));
  CHECK(self.user_name == "protector");
  CHECK(self.HasRole("admin"));
  CHECK_FALSE(self.catalog.empty());
  for (const char* service : {"identity", "compute", "volume", "network", "image"}) {
    const ServiceProbe probe = Ok(cloud->Probe(kCall, service));
    INFO(service << " at " << probe.endpoint);
    CHECK(absl::AbsDuration(probe.clock_skew) < absl::Seconds(3));
  }
  CHECK(Ok(cloud->Probe(kCall, "compute")).max_version == "2.93");
  CHECK(Ok(cloud->Probe(kCall, "volume")).max_version == "3.70");

  const std::vector<Project> demo = Ok(cloud->keystone().ListProjects(kCall, "demo", "default"));
  REQUIRE(demo.size() == 1);
  CHECK(Ok(cloud->keystone().GetProject(kCall, demo[0].id)).name == "demo");
  CHECK(Ok(cloud->keystone().ListOwnProjects(kCall)).size() >= 2);
  CHECK(Ok(cloud->keystone().ListDomains(kCall, "Default")).size() == 1);
  CHECK(Ok(cloud->keystone().GetDomain(kCall, "default")).name == "Default");
  CHECK(Ok(cloud->keystone().GetUser(kCall, self.user_id)).name == "protector");
  const auto assignments = Ok(cloud->keystone().ListRoleAssignments(kCall, self.user_id, demo[0].id));
  CHECK(std::any_of(assignments.begin(), assignments.end(), [](const auto& a) { return a.role_name == "admin"; }));
  const auto member = site.Connect("demo", "demo");
  CHECK(Ok(cloud->keystone().ValidateToken(kCall, Ok(member->Token(kCall)))).project_id == demo[0].id);
  CHECK(cloud->keystone().ValidateToken(kCall, "nonsense").status().code() == absl::StatusCode::kUnauthenticated);

  CHECK(Ok(FindFlavor(cloud->nova(), kCall, "a-small")).name == "m1.small");
  CHECK(Ok(cloud->nova().GetFlavor(kCall, "a-large")).vcpus > 0);
  CHECK_FALSE(Ok(cloud->nova().ListAvailabilityZones(kCall)).empty());
  CHECK_FALSE(Ok(cloud->cinder().ListVolumeZones(kCall)).empty());
  CHECK(Ok(cloud->nova().GetQuotas(kCall, demo[0].id)).instances.in_use == 0);
  CHECK(Ok(cloud->cinder().GetVolumeQuotas(kCall, demo[0].id)).volumes.in_use == 0);
  Ok(cloud->neutron().GetNetworkQuotas(kCall, demo[0].id));
  const auto types = Ok(cloud->cinder().ListVolumeTypes(kCall));
  const auto async =
      std::find_if(types.begin(), types.end(), [](const auto& t) { return t.name == "replicated-async"; });
  REQUIRE(async != types.end());
  CHECK(async->extra_specs.at("replication_type") == "<in> async");
  const auto pools = Ok(cloud->cinder().ListPools(kCall));
  REQUIRE_FALSE(pools.empty());
  CHECK(pools.front().name == "cinder-a@pure#array-a");
  CHECK(std::all_of(pools.begin(), pools.end(), [](const auto& pool) { return pool.total_gb > 0; }));
  const auto services = Ok(cloud->cinder().ListServices(kCall));
  CHECK(
      std::any_of(services.begin(), services.end(), [](const auto& s) { return s.binary == "cinder-volume" && s.up; }));
  const auto images = Ok(cloud->glance().ListImages(kCall, "lab-image"));
  REQUIRE(images.size() == 1);
  CHECK(Ok(cloud->glance().GetImage(kCall, images[0].id)).name == "lab-image");
  const auto keys = Ok(member->nova().ListKeyPairs(kCall, ""));
  CHECK(std::any_of(keys.begin(), keys.end(),
                    [](const auto& k) { return k.name == "demo-key" && !k.public_key.empty(); }));
}

TEST_CASE("a server is made, read, changed, stopped and taken away; its volumes leave Cinder and come back") {
  Tenant t;
  const std::string root = t.NewVolume("root", 2);
  const std::string data = t.NewVolume("data", 1);
  Ok(t.cloud->cinder().SetBootable(kCall, root, true));
  Ok(t.cloud->cinder().SetImageMetadata(kCall, root, {{"os_type", "linux"}}));
  Ok(t.cloud->cinder().SetVolumeMetadata(kCall, root, {{"mine", "yes"}}));
  Ok(t.cloud->cinder().UpdateVolume(kCall, root, "root-1", "the root"));
  const Volume volume = Ok(t.cloud->cinder().GetVolume(kCall, root));
  CHECK(volume.bootable);
  CHECK(volume.image_metadata.at("os_type") == "linux");
  CHECK(volume.metadata.at("mine") == "yes");
  CHECK(volume.name == "root-1");
  CHECK(volume.description == "the root");
  CHECK(volume.host == "cinder-a@pure#array-a");
  CHECK(volume.project_id == t.project_id);

  const Port port = t.NewPort("10.10.1.77");
  CHECK(port.fixed_ips.front().ip_address == "10.10.1.77");
  CHECK(port.mac_address == "fa:16:3e:12:34:56");
  CHECK(port.project_id == t.project_id);
  CHECK(port.allowed_address_pairs.front().ip_address == "10.10.1.200");
  Ok(t.cloud->neutron().SetPortTags(kCall, port.id, {"op1"}));
  UpdatePort change;
  change.description = "kept";
  CHECK(Ok(t.cloud->neutron().UpdatePort(kCall, port.id, change)).description == "kept");
  CHECK(Ok(t.cloud->neutron().GetPort(kCall, port.id)).tags == std::vector<std::string>{"op1"});
  PortFilter by_ip;
  by_ip.network_id = port.network_id;
  by_ip.ip_address = "10.10.1.77";
  CHECK(Ok(t.cloud->neutron().ListPorts(kCall, by_ip)).size() == 1);

  const std::string id = Ok(t.cloud->nova().CreateServer(kCall, t.Wanted(root, data, port.id)));
  Server server = t.Until(id, "ACTIVE");
  CHECK(server.status == "ACTIVE");
  CHECK(server.project_id == t.project_id);
  CHECK(server.description == "first");
  CHECK(server.metadata == std::map<std::string, std::string>{{"protector", "op1"}});
  CHECK(server.tags == std::vector<std::string>{"web"});
  CHECK(server.flavor.name == "m1.small");
  CHECK(server.image_id.empty());
  REQUIRE(server.addresses.size() == 1);
  CHECK(server.addresses[0].ip == "10.10.1.77");
  CHECK(server.addresses[0].mac == "fa:16:3e:12:34:56");
  CHECK(server.volumes.size() == 2);
  const auto attachments = Ok(t.cloud->nova().ListVolumeAttachments(kCall, id));
  REQUIRE(attachments.size() == 2);
  const auto of = [](const std::vector<AttachedVolume>& all, const std::string& volume_id) {
    return *std::find_if(all.begin(), all.end(), [&](const auto& a) { return a.volume_id == volume_id; });
  };
  CHECK(of(attachments, root).device == "/dev/vda");
  CHECK(of(attachments, data).delete_on_termination);
  Ok(t.cloud->nova().SetDeleteOnTermination(kCall, id, data, false));
  CHECK_FALSE(of(Ok(t.cloud->nova().ListVolumeAttachments(kCall, id)), data).delete_on_termination);

  Ok(t.cloud->nova().SetMetadata(kCall, id, {{"a", "b"}}));
  Ok(t.cloud->nova().SetTags(kCall, id, {"x", "y"}));
  Ok(t.cloud->nova().LockServer(kCall, id, "overtaken"));
  server = Ok(t.cloud->nova().GetServer(kCall, id));
  CHECK(server.locked);
  CHECK(server.locked_reason == "overtaken");
  CHECK(server.metadata == std::map<std::string, std::string>{{"a", "b"}});
  CHECK(server.tags.size() == 2);
  CHECK(DetailOf(t.member->nova().StopServer(kCall, id, false)).reason == "LOCKED");
  Ok(t.cloud->nova().UnlockServer(kCall, id));

  Ok(t.cloud->nova().StopServer(kCall, id, false));
  CHECK(t.Until(id, "SHUTOFF").status == "SHUTOFF");
  Ok(t.cloud->nova().StopServer(kCall, id, false));
  Ok(t.cloud->nova().StartServer(kCall, id));
  CHECK(t.Until(id, "ACTIVE").status == "ACTIVE");
  ServerFilter filter;
  filter.project_id = t.project_id;
  filter.page_size = 1;
  CHECK(Ok(t.service->nova().ListServers(kCall, filter)).size() == 1);
  CHECK(DetailOf(t.cloud->cinder().Unmanage(kCall, root)).reason == "WRONG_STATE");

  Ok(t.cloud->nova().DeleteServer(kCall, id));
  REQUIRE(t.site.Wait([&] { return HttpStatusOf(t.cloud->nova().GetServer(kCall, id).status()) == 404; }));
  Ok(t.cloud->nova().DeleteServer(kCall, id));
  Ok(t.cloud->neutron().DeletePort(kCall, port.id));
  Ok(t.cloud->neutron().DeletePort(kCall, port.id));

  REQUIRE(t.site.Wait([&] { return Ok(t.cloud->cinder().GetVolume(kCall, root)).status == "available"; }));
  Ok(t.cloud->cinder().Unmanage(kCall, root));
  REQUIRE(t.site.Wait([&] { return HttpStatusOf(t.cloud->cinder().GetVolume(kCall, root).status()) == 404; }));
  Ok(t.cloud->cinder().Unmanage(kCall, root));
  const std::string left = volume.ArrayName() + "-unmanaged";
  const auto manageable = Ok(t.cloud->cinder().ListManageable(kCall, "cinder-a@pure#array-a"));
  CHECK(std::any_of(manageable.begin(), manageable.end(),
                    [&](const auto& m) { return m.source_name == left && m.safe_to_manage; }));
  ManageVolume manage;
  manage.host = "cinder-a@pure#array-a";
  manage.source_name = left;
  manage.name = "root-back";
  manage.volume_type = "replicated-async";
  manage.bootable = true;
  const Volume managed = Ok(t.cloud->cinder().Manage(kCall, manage));
  REQUIRE(t.site.Wait([&] { return Ok(t.cloud->cinder().GetVolume(kCall, managed.id)).status == "available"; }));
  const Volume back = Ok(t.cloud->cinder().GetVolume(kCall, managed.id));
  CHECK(back.size_gb == 2);
  CHECK(back.bootable);
  CHECK(back.project_id == t.project_id);
  CHECK(Ok(t.cloud->cinder().ListSnapshots(kCall, managed.id)).empty());
  VolumeFilter volumes;
  volumes.project_id = t.project_id;
  CHECK(Ok(t.service->cinder().ListVolumes(kCall, volumes)).size() == 2);
  Ok(t.cloud->cinder().DeleteVolume(kCall, managed.id));
  REQUIRE(t.site.Wait([&] { return HttpStatusOf(t.cloud->cinder().GetVolume(kCall, managed.id).status()) == 404; }));
}

TEST_CASE("key pairs, server groups and floating IPs come and go") {
  Tenant t;
  KeyPair key;
  key.name = "imported";
  key.public_key = Ok(t.member->nova().ListKeyPairs(kCall, "")).front().public_key;
  Ok(t.cloud->nova().ImportKeyPair(kCall, key));
  CHECK(t.cloud->nova().ImportKeyPair(kCall, key).code() == absl::StatusCode::kAlreadyExists);
  Ok(t.cloud->nova().DeleteKeyPair(kCall, "imported", ""));
  Ok(t.cloud->nova().DeleteKeyPair(kCall, "imported", ""));
  CHECK(Ok(t.cloud->nova().CreateServerGroup(kCall, "apart", "anti-affinity")).policy == "anti-affinity");
  CHECK(Ok(t.cloud->nova().ListServerGroups(kCall, false)).size() == 1);

  std::string external;
  for (const Network& network : Ok(t.cloud->neutron().ListNetworks(kCall, ""))) {
    if (network.external) external = network.id;
  }
  REQUIRE_FALSE(external.empty());
  CreateFloatingIp wanted;
  wanted.floating_network_id = external;
  wanted.project_id = t.project_id;
  const FloatingIp floating = Ok(t.cloud->neutron().CreateFloatingIp(kCall, wanted));
  const Port port = t.NewPort("10.10.1.78");
  const absl::StatusOr<FloatingIp> associated = t.cloud->neutron().AssociateFloatingIp(kCall, floating.id, port.id, "");
  INFO(associated.status().message());
  REQUIRE(associated.ok());
  CHECK(associated->port_id == port.id);
  FloatingIpFilter by_port;
  by_port.port_id = port.id;
  CHECK(Ok(t.cloud->neutron().ListFloatingIps(kCall, by_port)).size() == 1);
  CHECK(Ok(t.cloud->neutron().AssociateFloatingIp(kCall, floating.id, "", "")).port_id.empty());
  Ok(t.cloud->neutron().DeleteFloatingIp(kCall, floating.id));
}

TEST_CASE("refusals are told apart") {
  Tenant t;
  CHECK(t.cloud->nova().GetServer(kCall, "00000000-0000-0000-0000-000000000000").status().code() ==
        absl::StatusCode::kNotFound);
  CHECK(t.member->cinder().ListPools(kCall).status().code() == absl::StatusCode::kPermissionDenied);
  ManageVolume manage;
  manage.host = "cinder-x@pure#nowhere";
  manage.source_name = "x";
  manage.name = "x";
  CHECK(t.cloud->cinder().Manage(kCall, manage).status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(t.member->cinder().Manage(kCall, manage).status().code() == absl::StatusCode::kPermissionDenied);

  t.NewPort("10.10.1.79");
  CreatePort taken;
  const Network network = Ok(t.cloud->neutron().ListNetworks(kCall, "net-primary-web")).front();
  taken.network_id = network.id;
  taken.fixed_ips = {{network.subnet_ids.front(), "10.10.1.79"}};
  CHECK(DetailOf(t.cloud->neutron().CreatePort(kCall, taken).status()).reason == "ADDRESS_IN_USE");

  t.site.Control("/sim/quota", R"({"project":"demo","neutron":{"port":1},"nova":{"instances":0}})");
  taken.fixed_ips.clear();
  const absl::Status quota = t.cloud->neutron().CreatePort(kCall, taken).status();
  INFO(quota.message());
  CHECK(quota.code() == absl::StatusCode::kResourceExhausted);
  const std::string root = t.NewVolume("root", 1);
  Ok(t.cloud->cinder().SetBootable(kCall, root, true));
  openstack::CreateServer server = t.Wanted(root, t.NewVolume("data", 1), "");
  server.port_ids.clear();
  const absl::Status instances = t.cloud->nova().CreateServer(kCall, server).status();
  INFO(instances.message());
  CHECK(instances.code() == absl::StatusCode::kResourceExhausted);
  CHECK_FALSE(ServiceRequestIdOf(instances).empty());
  CHECK_FALSE(http::OutcomeUnknown(instances));
}

TEST_CASE("a creation that is carried out and cut off is unknown, and there once") {
  Tenant t;
  t.site.Control("/sim/faults",
                 R"({"service":"neutron","method":"POST","path":"/v2.0/ports","count":1,"action":"execute_then_cut"})");
  CreatePort wanted;
  wanted.network_id = Ok(t.cloud->neutron().ListNetworks(kCall, "net-primary-web")).front().id;
  wanted.name = "once";
  const absl::Status status = t.cloud->neutron().CreatePort(kCall, wanted).status();
  INFO(status.message());
  CHECK(http::OutcomeUnknown(status));
  PortFilter filter;
  filter.name = "once";
  CHECK(Ok(t.cloud->neutron().ListPorts(kCall, filter)).size() == 1);
}

TEST_CASE(
    "a change that names its end is repeated after a cut; a busy service is waited for; an expired token is renewed") {
  Tenant t;
  const std::string volume = t.NewVolume("v", 1);
  t.site.Control("/sim/faults", R"({"service":"cinder","method":"PUT","count":1,"action":"cut_before"})");
  Ok(t.cloud->cinder().UpdateVolume(kCall, volume, "renamed", std::nullopt));
  t.site.Control(
      "/sim/faults",
      R"({"service":"neutron","method":"POST","count":1,"action":"error","status":503,"headers":{"Retry-After":"1"}})");
  t.NewPort("10.10.1.80");
  t.site.Control("/sim/token/expire", "{}");
  CHECK(Ok(t.cloud->cinder().GetVolume(kCall, volume)).name == "renamed");
}

TEST_CASE("a site that hangs costs a call its deadline and no more") {
  Tenant t;
  Ok(t.cloud->nova().ListFlavors(kCall));
  t.site.Control("/sim/faults", R"({"service":"nova","method":"GET","action":"black_hole"})");
  SystemClock clock;
  CallContext call;
  call.deadline = clock.Now() + absl::Milliseconds(400);
  const absl::Duration begin = clock.Monotonic();
  CHECK(t.cloud->nova().ListFlavors(call).status().code() == absl::StatusCode::kDeadlineExceeded);
  CHECK(clock.Monotonic() - begin < absl::Seconds(5));
}

}  // namespace
}  // namespace protector::openstack
