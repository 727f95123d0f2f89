#include "libs/metrics/metrics.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "libs/base/error.h"

namespace protector::metrics {
namespace {

// A listening socket on a port of the kernel's choice.
struct Listener {
  Listener() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(fd, 1) == 0);
    socklen_t size = sizeof address;
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
  }
  ~Listener() { Close(); }
  void Close() {
    if (fd >= 0) close(fd);
    fd = -1;
  }
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  int port = 0;
};

std::string HttpGet(int port, const std::string& path) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  REQUIRE(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  const std::string request = "GET " + path + " HTTP/1.0\r\n\r\n";
  REQUIRE(write(fd, request.data(), request.size()) == static_cast<ssize_t>(request.size()));
  std::string answer;
  char buffer[4096];
  for (ssize_t n = 0; (n = read(fd, buffer, sizeof buffer)) > 0;) answer.append(buffer, static_cast<size_t>(n));
  close(fd);
  return answer;
}

TEST_CASE("the same name and labels give the same instrument") {
  Registry registry;
  registry.GetCounter("protector_things_total", "Things.", {{"kind", "a"}}).Increment();
  registry.GetCounter("protector_things_total", "Things.", {{"kind", "a"}}).Increment(2);
  registry.GetCounter("protector_things_total", "Things.", {{"kind", "b"}}).Increment();
  registry.GetGauge("protector_level", "Level.").Set(4);
  registry.GetGauge("protector_level", "Level.").Add(-1);
  registry.GetHistogram("protector_wait_seconds", "Wait.").Observe(0.2);
  const std::string text = registry.Text();
  CHECK(text.find("protector_things_total{kind=\"a\"} 3") != std::string::npos);
  CHECK(text.find("protector_things_total{kind=\"b\"} 1") != std::string::npos);
  CHECK(text.find("protector_level 3") != std::string::npos);
  CHECK(text.find("protector_wait_seconds_bucket{le=\"0.25\"} 1") != std::string::npos);
  CHECK(text.find("protector_wait_seconds_bucket{le=\"0.1\"} 0") != std::string::npos);
}

TEST_CASE("the endpoint serves the text, and says so when its address is taken") {
  Registry registry;
  registry.GetCounter("protector_served_total", "Served.").Increment();
  Listener taken;
  const std::string address = "127.0.0.1:" + std::to_string(taken.port);
  const auto refused = Endpoint::Start(registry, address);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.status().code() == absl::StatusCode::kUnavailable);
  CHECK(DetailOf(refused.status()).reason == "METRICS_ADDRESS_UNUSABLE");
  CHECK_FALSE(DetailOf(refused.status()).remedy.empty());

  taken.Close();
  const auto endpoint = Endpoint::Start(registry, address);
  REQUIRE(endpoint.ok());
  CHECK(HttpGet(taken.port, "/metrics").find("protector_served_total 1") != std::string::npos);
}

}  // namespace
}  // namespace protector::metrics
