#include "services/orchestrator/adapters/openstack/capture.h"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>

#include "libs/base/error.h"
#include "libs/openstack/test_cloud.h"

namespace protector::orchestrator {
namespace {

namespace os = ::protector::openstack;

std::string Id(char kind, int n) {
  return fmt::format("{}0000000-0000-4000-8000-{:012d}", kind, n);
}

std::string Joined(int count, const std::function<std::string(int)>& item) {
  std::string text;
  for (int i = 0; i < count; ++i) text += (i > 0 ? "," : "") + item(i);
  return text;
}

// A project with `count` servers, web-0 and so on, each with two volumes and a port.
struct Project {
  explicit Project(int servers) : count(servers) {
    const std::string nova = os::TestCloud::kNova, cinder = os::TestCloud::kCinder, neutron = os::TestCloud::kNeutron;
    const auto always = [&](const std::string& url, const std::string& body) {
      test.http.Always("GET", url, http::JsonResponse(200, body));
    };
    always(nova + "/servers/detail", fmt::format(R"({{"servers":[{}]}})", Joined(count, Server)));
    always(nova + "/flavors/detail", R"({"flavors":[{"id":"f-1","name":"m1.small"}]})");
    always(nova + "/os-server-groups", R"({"server_groups":[]})");
    always(nova + "/os-keypairs", R"({"keypairs":[{"keypair":{"name":"key","type":"ssh","public_key":"ssh-x"}}]})");
    always(cinder + "/volumes/detail", fmt::format(R"({{"volumes":[{}]}})", Joined(2 * count, Volume)));
    always(neutron + "/ports", fmt::format(R"({{"ports":[{}]}})", Joined(count, Port)));
    always(neutron + "/networks", R"({"networks":[{"id":"net","name":"blue"}]})");
    always(neutron + "/subnets", R"({"subnets":[]})");
    always(neutron + "/security-groups", R"({"security_groups":[]})");
    always(neutron + "/floatingips", R"({"floatingips":[]})");
    for (int i = 0; i < count; ++i) {
      const std::string server = nova + "/servers/" + Id('a', i);
      always(server, fmt::format(R"({{"server":{}}})", Server(i)));
      always(server + "/os-volume_attachments",
             fmt::format(R"({{"volumeAttachments":[{{"volumeId":"{}","device":"/dev/vdb"}},)"
                         R"({{"volumeId":"{}","device":"/dev/vda"}}]}})",
                         Id('b', 2 * i + 1), Id('b', 2 * i)));
      always(server + "/os-interface", fmt::format(R"({{"interfaceAttachments":[{{"port_id":"{}"}}]}})", Id('c', i)));
    }
    for (int i = 0; i < 2 * count; ++i) {
      always(cinder + "/volumes/" + Id('b', i), fmt::format(R"({{"volume":{}}})", Volume(i)));
    }
  }
  static std::string Server(int n) {
    return fmt::format(
        R"({{"id":"{}","name":"web-{}","status":"ACTIVE","tenant_id":"p1","user_id":"u","key_name":"key",)"
        R"("flavor":{{"original_name":"m1.small"}},"image":"","metadata":{{}},"tags":[]}})",
        Id('a', n), n);
  }
  static std::string Volume(int n) {
    return fmt::format(R"({{"id":"{}","name":"v-{}","size":1,"volume_type":"t","status":"in-use"}})", Id('b', n), n);
  }
  static std::string Port(int n) {
    return fmt::format(R"({{"id":"{}","device_id":"{}","network_id":"net","mac_address":"fa:16:3e:00:00:01"}})",
                       Id('c', n), Id('a', n));
  }
  absl::StatusOr<std::vector<group::v1::Member>> Capture(const std::vector<std::string>& names) {
    return CaptureServers(*test.Connected(), {}, "site-a", names, test.clock.Now());
  }
  // Requests that are not about one server.
  size_t Lists() const {
    const auto requests = test.http.requests();
    return static_cast<size_t>(std::count_if(requests.begin(), requests.end(), [](const http::Request& request) {
      return request.method == "GET" && request.url.find("/servers/" + Id('a', 0).substr(0, 8)) == std::string::npos;
    }));
  }

  int count;
  os::TestCloud test;
};

std::vector<std::string> Names(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back(fmt::format("web-{}", i));
  return names;
}

}  // namespace

TEST_CASE("what the servers of a project share is read once, however many are captured") {
  Project ten(10), forty(40);
  const auto members = ten.Capture(Names(10));
  INFO(members.status());
  REQUIRE(members.ok());
  REQUIRE(forty.Capture(Names(40)).ok());
  CHECK(ten.Lists() == forty.Lists());
  CHECK(ten.test.http.Unexpected().empty());
  REQUIRE(members->size() == 10);
  for (int i = 0; i < 10; ++i) {
    const group::v1::Member& member = (*members)[static_cast<size_t>(i)];
    CHECK(member.server().name() == fmt::format("web-{}", i));
    REQUIRE(member.placements(0).volumes_size() == 2);
    CHECK(member.placements(0).volumes(0).volume_id() == Id('b', 2 * i));  // by device
    CHECK(member.placements(0).volumes(1).volume_id() == Id('b', 2 * i + 1));
    CHECK(member.server().volumes(1).name() == fmt::format("v-{}", 2 * i + 1));
    REQUIRE(member.placements(0).port_ids_size() == 1);
    CHECK(member.placements(0).port_ids(0) == Id('c', i));
    CHECK(member.server().ports(0).network_name() == "blue");
    CHECK(member.server().flavor_id() == "f-1");
    CHECK(member.server().public_key() == "ssh-x");
  }
}

TEST_CASE("few servers that are named by id are asked for one by one, without the project's lists of them") {
  Project project(10);
  const auto members = project.Capture({Id('a', 7), Id('a', 3)});
  INFO(members.status());
  REQUIRE(members.ok());
  CHECK((*members)[0].server().name() == "web-7");
  CHECK((*members)[1].server().name() == "web-3");
  CHECK(project.test.http.Count("GET", std::string(os::TestCloud::kNova) + "/servers/detail") == 0);
  CHECK(project.test.http.Count("GET", std::string(os::TestCloud::kCinder) + "/volumes/detail") == 0);
}

TEST_CASE("a server of another project is none, although an administrator's Nova answers for it") {
  Project project(5);
  const std::string others = Id('d', 1);
  project.test.http.Always("GET", std::string(os::TestCloud::kNova) + "/servers/" + others,
                           http::JsonResponse(200, R"({"server":{"id":")" + others +
                                                       R"(","name":"theirs","status":"ACTIVE","tenant_id":"p2",)"
                                                       R"("flavor":{"original_name":"m1.small"},"image":""}})"));
  const absl::Status hidden = project.Capture({others}).status();
  const absl::Status absent = project.Capture({"nobody"}).status();
  CHECK(DetailOf(hidden).reason == "SERVER_NOT_FOUND");
  CHECK(DetailOf(hidden).remedy == DetailOf(absent).remedy);
  CHECK(MessageOf(hidden) == "no server " + others + " in this project");
  CHECK(MessageOf(absent) == "no server nobody in this project");
}

TEST_CASE("a server that is not there is named") {
  Project project(5);
  const auto members = project.Capture({"web-0", "web-1", "web-2", "nobody"});
  CHECK(DetailOf(members.status()).reason == "SERVER_NOT_FOUND");
  CHECK(DetailOf(members.status()).object == "server nobody");
}

}  // namespace protector::orchestrator
