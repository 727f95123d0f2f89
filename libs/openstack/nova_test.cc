#include <catch2/catch.hpp>

#include "libs/base/error.h"
#include "libs/openstack/test_cloud.h"

namespace protector::openstack {
namespace {

using http::JsonResponse;

const std::string kNova = TestCloud::kNova;

TEST_CASE("a server is read whole") {
  TestCloud test;
  test.http.Always("GET", kNova + "/servers/s1", JsonResponse(200, R"({"server":{
    "id":"s1","name":"web","status":"ERROR","OS-EXT-STS:task_state":null,"OS-EXT-STS:vm_state":"error","OS-EXT-STS:power_state":4,
    "fault":{"message":"No valid host","code":500},"description":"d","image":"","key_name":"demo-key","config_drive":"True",
    "flavor":{"original_name":"m1.small","vcpus":1,"ram":2048,"disk":20,"ephemeral":0,"swap":0,"extra_specs":{"a":"b"}},
    "OS-EXT-AZ:availability_zone":"nova","OS-EXT-SRV-ATTR:host":"h1","OS-EXT-SRV-ATTR:root_device_name":"/dev/vda",
    "metadata":{"k":"v"},"tags":["t"],"server_groups":["g"],"security_groups":[{"name":"sg-web"}],"locked":true,"locked_reason":"why",
    "addresses":{"net":[{"addr":"10.0.0.5","version":4,"OS-EXT-IPS-MAC:mac_addr":"fa:16:3e:00:00:01","OS-EXT-IPS:type":"fixed"},
                        {"addr":"1.2.3.4","version":4,"OS-EXT-IPS:type":"floating"}]},
    "os-extended-volumes:volumes_attached":[{"id":"v1","delete_on_termination":true}],"tenant_id":"p","user_id":"u"}})"));
  const auto server = test.Connected()->nova().GetServer({}, "s1");
  REQUIRE(server.ok());
  CHECK(server->fault == "No valid host");
  CHECK(server->power_state == 4);
  CHECK(server->image_id.empty());
  CHECK(server->flavor.name == "m1.small");
  CHECK(server->flavor.id.empty());
  CHECK(server->flavor.ram_mb == 2048);
  CHECK(server->config_drive);
  CHECK(server->locked_reason == "why");
  CHECK(server->server_groups == std::vector<std::string>{"g"});
  CHECK(server->security_groups == std::vector<std::string>{"sg-web"});
  REQUIRE(server->addresses.size() == 2);
  CHECK(server->addresses[0].mac == "fa:16:3e:00:00:01");
  CHECK(server->addresses[1].floating);
  REQUIRE(server->volumes.size() == 1);
  CHECK(server->volumes[0].delete_on_termination);
}

TEST_CASE("a list goes over all pages, and a list by ids leaves out what is gone") {
  TestCloud test;
  const std::string list = kNova + "/servers/detail";
  test.http.Expect(
      "GET", list,
      JsonResponse(200, R"({"servers":[{"id":"a"},{"id":"b"}],"servers_links":[{"rel":"next","href":"x"}]})"));
  test.http.Expect("GET", list, JsonResponse(200, R"({"servers":[{"id":"c"}]})"));
  const auto cloud = test.Connected();
  ServerFilter filter;
  filter.project_id = "p 1";
  filter.tags = {"x", "y"};
  filter.page_size = 2;
  const auto servers = cloud->nova().ListServers({}, filter);
  REQUIRE(servers.ok());
  CHECK(servers->size() == 3);
  CHECK(test.Last().url == list + "?all_tenants=True&project_id=p%201&tags=x%2Cy&limit=2&marker=b");

  test.http.Expect("GET", kNova + "/servers/s1", JsonResponse(200, R"({"server":{"id":"s1"}})"));
  test.http.Expect("GET", kNova + "/servers/s2", JsonResponse(404, "{}"));
  ServerFilter few;
  few.ids = {"s1", "s2"};
  CHECK(cloud->nova().ListServers({}, few)->size() == 1);
  test.http.Expect("GET", list, JsonResponse(200, R"({"servers":[{"id":"a"},{"id":"b"},{"id":"z"}]})"));
  few.ids = {"a", "b", "c", "d"};
  CHECK(cloud->nova().ListServers({}, few)->size() == 2);
}

TEST_CASE("a list begins again when what a page begins after is deleted meanwhile") {
  TestCloud test;
  const std::string list = kNova + "/servers/detail";
  const auto page = [](const std::string& first, const std::string& second) {
    return JsonResponse(200, R"({"servers":[{"id":")" + first + R"("},{"id":")" + second +
                                 R"("}],"servers_links":[{"rel":"next","href":"x"}]})");
  };
  const auto gone = JsonResponse(400, R"({"badRequest":{"code":400,"message":"marker [bbbb] not found"}})");
  test.http.Expect("GET", list, page("aaaa", "bbbb"));
  test.http.Expect("GET", list, gone);
  test.http.Expect("GET", list, page("aaaa", "cccc"));
  test.http.Expect("GET", list, JsonResponse(200, R"({"servers":[{"id":"dddd"}]})"));
  const auto cloud = test.Connected();
  const auto servers = cloud->nova().ListServers({}, {});
  REQUIRE(servers.ok());
  REQUIRE(servers->size() == 3);  // nothing twice
  CHECK((*servers)[1].id == "cccc");

  for (int i = 0; i < 6; ++i) {  // not for ever
    test.http.Expect("GET", list, page("aaaa", "bbbb"));
    test.http.Expect("GET", list, gone);
  }
  CHECK(HttpStatusOf(cloud->nova().ListServers({}, {}).status()) == 400);
}

TEST_CASE("a server is made of its volumes and ports") {
  TestCloud test;
  test.http.Always("POST", kNova + "/servers", JsonResponse(202, R"({"server":{"id":"new"}})"));
  CreateServer server;
  server.name = "web";
  server.description = "d";
  server.flavor_id = "f";
  server.port_ids = {"p1", "p2"};
  server.block_devices = {{"v1", 0, "/dev/vda", false, "", ""}, {"v2", std::nullopt, "", true, "virtio", "t"}};
  server.key_name = "k";
  server.availability_zone = "nova";
  server.metadata = {{"a", "b"}};
  server.tags = {"x"};
  server.config_drive = true;
  server.server_group_id = "g";
  CHECK(*test.Connected()->nova().CreateServer({}, server) == "new");
  CHECK(test.LastBody() ==
        *json::Parse(
            R"({"server":{"name":"web","description":"d","flavorRef":"f","networks":[{"port":"p1"},{"port":"p2"}],
    "block_device_mapping_v2":[
      {"uuid":"v1","source_type":"volume","destination_type":"volume","boot_index":0,"device_name":"/dev/vda","delete_on_termination":false},
      {"uuid":"v2","source_type":"volume","destination_type":"volume","boot_index":-1,"delete_on_termination":true,"disk_bus":"virtio","tag":"t"}],
    "key_name":"k","availability_zone":"nova","metadata":{"a":"b"},"tags":["x"],"config_drive":true},"os:scheduler_hints":{"group":"g"}})"));
  server.port_ids.clear();
  REQUIRE(test.Connected()->nova().CreateServer({}, server).ok());
  CHECK(test.LastBody().GetString("server.networks") == "none");
}

TEST_CASE("stopping what is stopped is done; what is locked is not") {
  TestCloud test;
  const std::string action = kNova + "/servers/s1/action";
  const auto refused = [](const std::string& why) {
    return JsonResponse(409, R"({"conflictingRequest":{"message":")" + why + "\"}}");
  };
  const auto cloud = test.Connected();
  test.http.Expect("POST", action, JsonResponse(202, ""));
  CHECK(cloud->nova().StopServer({}, "s1", false).ok());
  CHECK(test.LastBody().Dump() == R"({"os-stop":null})");

  test.http.Always("POST", action, refused("Cannot 'stop' instance s1 while it is in vm_state stopped"));
  test.http.Expect("GET", kNova + "/servers/s1", JsonResponse(200, R"({"server":{"id":"s1","status":"SHUTOFF"}})"));
  CHECK(cloud->nova().StopServer({}, "s1", false).ok());

  const std::string going = R"({"server":{"id":"s1","status":"ACTIVE","OS-EXT-STS:task_state":"powering-off"}})";
  test.http.Always("POST", action, refused("Cannot 'stop' instance s1 while it is in task_state powering-off"));
  test.http.Expect("GET", kNova + "/servers/s1", JsonResponse(200, going));
  CHECK(cloud->nova().StopServer({}, "s1", false).ok());
  test.http.Expect("GET", kNova + "/servers/s1", JsonResponse(200, going));
  CHECK(cloud->nova().StopServer({}, "s1", true).ok());

  test.http.Always("POST", action, refused("Instance s1 is locked"));
  test.http.Expect("GET", kNova + "/servers/s1", JsonResponse(200, R"({"server":{"id":"s1","status":"ACTIVE"}})"));
  const absl::Status locked = cloud->nova().StopServer({}, "s1", false);
  CHECK(DetailOf(locked).reason == "LOCKED");
}

TEST_CASE("the interfaces of a server come in the order in which the guest has them") {
  TestCloud test;
  test.http.Expect("GET", kNova + "/servers/s1/os-interface",
                   JsonResponse(200, R"({"interfaceAttachments":[{"port_id":"p2","net_id":"n"},{"port_id":"p1"}]})"));
  const auto ports = test.Connected()->nova().ListInterfaces({}, "s1");
  REQUIRE(ports.ok());
  CHECK(*ports == std::vector<std::string>{"p2", "p1"});
}

TEST_CASE("the small changes of a server") {
  TestCloud test;
  for (const char* url :
       {"/servers/s1/action", "/servers/s1/metadata", "/servers/s1/tags", "/servers/s1/os-volume_attachments/v1"}) {
    for (const char* method : {"POST", "PUT"}) test.http.Always(method, kNova + url, JsonResponse(200, "{}"));
  }
  const auto cloud = test.Connected();
  CHECK(cloud->nova().LockServer({}, "s1", "overtaken").ok());
  CHECK(test.LastBody().Dump() == R"({"lock":{"locked_reason":"overtaken"}})");
  CHECK(cloud->nova().LockServer({}, "s1", "").ok());
  CHECK(test.LastBody().Dump() == R"({"lock":null})");
  CHECK(cloud->nova().SetMetadata({}, "s1", {{"a", "b"}}).ok());
  CHECK(test.LastBody().Dump() == R"({"metadata":{"a":"b"}})");
  CHECK(cloud->nova().SetTags({}, "s1", {"t"}).ok());
  CHECK(test.LastBody().Dump() == R"({"tags":["t"]})");
  CHECK(cloud->nova().SetDeleteOnTermination({}, "s1", "v1", false).ok());
  CHECK(test.LastBody().Dump() == R"({"volumeAttachment":{"volumeId":"v1","delete_on_termination":false}})");
  test.http.Always("DELETE", kNova + "/servers/s1", JsonResponse(404, "{}"));
  CHECK(cloud->nova().DeleteServer({}, "s1").ok());
}

TEST_CASE("flavors, key pairs, groups, zones and quotas") {
  TestCloud test;
  test.http.Always("GET", kNova + "/flavors/detail",
                   JsonResponse(200, R"({"flavors":[{"id":"b-small","name":"m2.small","vcpus":1,"ram":2048,
    "disk":20,"swap":"","OS-FLV-EXT-DATA:ephemeral":1,"os-flavor-access:is_public":false,"extra_specs":{"x":"y"}}]})"));
  test.http.Always(
      "GET", kNova + "/os-keypairs",
      JsonResponse(200, R"({"keypairs":[{"keypair":{"name":"demo-key","public_key":"ssh-rsa A","type":"ssh"}}]})"));
  test.http.Always(
      "GET", kNova + "/os-server-groups",
      JsonResponse(200, R"({"server_groups":[{"id":"g","name":"n","policy":"anti-affinity","members":["s1"]}]})"));
  test.http.Always(
      "GET", kNova + "/os-availability-zone",
      JsonResponse(200, R"({"availabilityZoneInfo":[{"zoneName":"nova","zoneState":{"available":true}}]})"));
  test.http.Always(
      "GET", kNova + "/os-quota-sets/p/detail",
      JsonResponse(
          200,
          R"({"quota_set":{"instances":{"limit":10,"in_use":8,"reserved":1},"cores":{"limit":-1,"in_use":5,"reserved":0}}})"));
  const auto cloud = test.Connected();
  const auto flavor = FindFlavor(cloud->nova(), {}, "m2.small");
  REQUIRE(flavor.ok());
  CHECK(flavor->id == "b-small");
  CHECK(flavor->ephemeral_gb == 1);
  CHECK_FALSE(flavor->is_public);
  CHECK(FindFlavor(cloud->nova(), {}, "b-small")->name == "m2.small");
  CHECK_THAT(DetailOf(FindFlavor(cloud->nova(), {}, "m1.huge").status()).remedy, Catch::Contains("m2.small"));
  CHECK(cloud->nova().ListKeyPairs({}, "u1")->front().public_key == "ssh-rsa A");
  CHECK(cloud->nova().ListServerGroups({}, true)->front().policy == "anti-affinity");
  CHECK(cloud->nova().ListAvailabilityZones({})->front().name == "nova");
  const auto quotas = cloud->nova().GetQuotas({}, "p");
  CHECK(quotas->instances.Fits(1));
  CHECK_FALSE(quotas->instances.Fits(2));
  CHECK(quotas->cores.Fits(1000));
}

}  // namespace
}  // namespace protector::openstack
